"""What a user reads when a command fails."""

import errno
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from snowcoder.errors import ParameterError, ShardError, SourceError
from snowcoder.pipeline.failures import failure_message, is_full_disk

LIGHT = (
    "shard",
    "manifest",
    "metrics",
    "published_folder",
    "published_file",
    "array",
    "mapped_column",
    "worker",
    "answer",
    "verdicts",
    "download",
)
TORCH = ("model", "tokenizer", "checkpoint")
LEAVE_NOTHING = {"shard", "manifest", "metrics", "published_folder", "published_file", "array", "verdicts", "checkpoint"}
PROGRAM = Path(__file__).with_name("full_disk.py")
TRIAL = ["unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
CAN_MOUNT = subprocess.run(TRIAL, capture_output=True, check=False).returncode == 0


def fill_a_disk(folder: Path, kinds: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    command = [
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        sys.executable,
        str(PROGRAM),
        str(folder),
        *kinds,
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


@pytest.mark.skipif(not CAN_MOUNT, reason="no user namespace in which a small disk can be mounted")
@pytest.mark.parametrize("kinds", [LIGHT, TORCH], ids=["files", "models"])
def test_every_way_of_writing_calls_a_full_disk_a_full_disk(tmp_path: Path, kinds: tuple[str, ...]) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    for kind, told in fill_a_disk(disk, kinds).items():
        assert "the disk is full" in told["message"], (kind, told)
        assert "Traceback" not in told["message"], (kind, told)
        if kind != "checkpoint":  # training continues
            assert told["message"].startswith("error: the disk is full"), (kind, told)
            assert f"{disk}: " in told["message"], (kind, told)
            assert "run the same command again" in told["message"], (kind, told)
            assert "cannot be reached" not in told["message"], (kind, told)
        if kind in LEAVE_NOTHING:
            assert told["left"] == [], (kind, told)


def raised(error: Exception, cause: BaseException | None = None) -> Exception:
    try:
        raise error from cause
    except Exception as caught:
        return caught


FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    "error",
    [
        FULL,
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        raised(SourceError("the index cannot be reached"), FULL),
        raised(RuntimeError("a worker has failed"), raised(ValueError("x"), FULL)),
        OSError("3000 requested and 1024 written"),
        RuntimeError("I/O error: No space left on device (os error 28)"),
        Exception("database or disk is full"),
    ],
)
def test_forms_of_a_full_disk(error: Exception, tmp_path: Path) -> None:
    assert is_full_disk(error)
    message = failure_message(error, [tmp_path])
    assert message is not None
    assert "MiB free" in message
    assert ("quota" in message) == ("quota" in str(error))


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EACCES, "Permission denied", "x"),
        OSError(errno.ENOENT, "No such file or directory", "No space left on device.txt"),
        ValueError("os error 281"),
        ParameterError("repeats: 2.5 requested and allowed: whole numbers"),
    ],
)
def test_other_faults_are_not_taken_for_a_full_disk(error: Exception) -> None:
    assert not is_full_disk(error)


def test_the_name_that_was_written_is_named_not_the_one_that_was_read(tmp_path: Path) -> None:
    message = failure_message(OSError(errno.ENOSPC, "No space left on device", "data/in", None, "data/out"), [tmp_path])
    assert message is not None
    assert "(data/out)" in message
    assert "data/in" not in message


def test_each_disk_is_named_once_also_where_its_folder_is_not_there_yet(tmp_path: Path) -> None:
    message = failure_message(FULL, [tmp_path / "not" / "yet", tmp_path, tmp_path])
    assert message is not None
    assert message.count("MiB free") == 1
    assert f"{tmp_path}: " in message


def test_words_of_our_own_are_kept_where_they_name_the_cause(tmp_path: Path) -> None:
    message = failure_message(raised(ShardError("data/x: cannot be written: [Errno 28] No space left on device"), FULL), [tmp_path])
    assert message is not None
    assert message.startswith("the disk is full (data/x: cannot be written")


def test_what_a_user_can_fix_and_what_only_we_can() -> None:
    assert failure_message(ParameterError("a: b"), []) == "ParameterError: a: b"
    assert failure_message(OSError(errno.EACCES, "Permission denied", "data/x"), []) == (
        "data/x: Permission denied; fix it and run again: finished work is kept"
    )
    too_large = failure_message(OSError(errno.EFBIG, "File too large"), [])
    assert too_large is not None
    assert "ulimit -f" in too_large
    assert failure_message(ValueError("a fault of ours"), []) is None
    assert failure_message(OSError("neither number nor name"), []) is None


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        MemoryError("Unable to allocate 7.28 PiB for an array with shape (1, 1000000000000000)"),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:118] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 4 bytes"
        ),
        RuntimeError("CUDA out of memory. Tried to allocate 4.00 GiB\nmore words"),
    ],
)
def test_memory_that_does_not_suffice_is_told_with_what_to_lower(error: Exception) -> None:
    message = failure_message(error, [])
    assert message is not None
    assert message.startswith("the memory does not suffice")
    assert message.endswith("lower the model's or the batches' size in params.yaml, or run on a larger machine")
    assert "\n" not in message
