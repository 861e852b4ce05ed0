"""Early ends of a training: SIGTERM, and failing devices."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
import torch.distributed as dist

from snowcoder.errors import TrainingError


class TerminationFlag:
    """On SIGTERM: finish the step, write a checkpoint, then exit.

    So does the death of the `dvc` that started this stage: it would run the stage again, next to an orphan. (A stage run by hand may
    outlive its shell.)
    """

    def __init__(self) -> None:
        self._signalled = False
        self._parent = os.getppid() if "DVC_ROOT" in os.environ else None

    @property
    def requested(self) -> bool:
        """Whether to exit."""
        return self._signalled or (self._parent is not None and os.getppid() != self._parent)

    def __enter__(self) -> "TerminationFlag":
        self._previous = signal.signal(signal.SIGTERM, self._request)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGTERM, self._previous)

    def _request(self, *_: object) -> None:
        self._signalled = True


@contextmanager
def device_failures_explained(state_folder: Path) -> Iterator[None]:
    """Raise TrainingError with advice for a device that fails, is lost or has too little memory, and for a lost process.

    Nothing can be saved then: what the device held is gone. The checkpoints in `state_folder` are not touched.
    """
    kept = f"Checkpoints in {state_folder} are kept: run the same command again, and training resumes from the last one"
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise TrainingError(
            f"pretrain: the device has too little memory: {error}. Lower pretrain.shared.micro_batch_sequences in params.yaml, or set "
            f"SNOWCODER_ACTIVATION_CHECKPOINTING=1, or, with several devices, SNOWCODER_SHARDING=full. {kept}"
        ) from error
    except torch.AcceleratorError as error:
        raise TrainingError(
            f"pretrain: the device failed: {error}. Look at `nvidia-smi` and at the kernel's log (`dmesg`) for the cause; "
            f"leave a broken device out with CUDA_VISIBLE_DEVICES, or reset it. {kept}"
        ) from error
    except RuntimeError as error:
        if not isinstance(error, dist.DistError) and "gloo" not in str(error):  # gloo has no error class of its own
            raise
        raise TrainingError(f"pretrain: another process or its device was lost: {error}. Its own message says why. {kept}") from error
