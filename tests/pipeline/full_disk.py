"""Mounts a disk of 1 MiB on a folder and fills it as stages would; test_failures.py runs it in a user namespace.

in: folder, kinds of writing   out: JSON {kind: {message: what the user reads, left: files that are still there}}
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from snowcoder.deduplication.mapped_columns import new_column
from snowcoder.deduplication.sorted_runs import write_array
from snowcoder.errors import SourceError
from snowcoder.evaluation.grading.grade_samples import write_lines
from snowcoder.inference.engine import Completion, Sampling
from snowcoder.inference.engines.response_store import Request, ResponseStore
from snowcoder.pipeline.execution import map_items
from snowcoder.pipeline.stage import command_line, publish, run_command
from snowcoder.storage.files import write_json
from snowcoder.storage.metrics import write_metrics
from snowcoder.storage.shards import write_shard

MANY = 3_000_000
SCHEMA = pa.schema([("content", pa.binary())])
noise = np.random.default_rng(1).bytes(MANY)


def shard(folder: Path) -> None:
    write_shard(folder / "part-00000.parquet", pa.table({"content": [noise]}), SCHEMA)


def manifest(folder: Path) -> None:
    write_json(folder / "manifest.json", noise.hex())


def metrics(folder: Path) -> None:
    write_metrics(folder / "metrics.json", {"text": noise.hex()})


def published_folder(folder: Path) -> None:
    built = folder.parent / "built" / "rows"
    built.mkdir(parents=True, exist_ok=True)
    (built / "one").write_bytes(noise)
    publish(built, folder / "rows")


def published_file(folder: Path) -> None:
    (folder.parent / "built.json").write_bytes(noise)
    publish(folder.parent / "built.json", folder / "built.json")


def array(folder: Path) -> None:
    write_array(folder / "keys.npy", np.frombuffer(noise, dtype=np.uint8))


def mapped_column(folder: Path) -> None:
    new_column(folder / "column.npy", MANY, np.dtype(np.uint8).type)[:] = 1


def worker(folder: Path) -> None:
    list(map_items((folder / "x").write_bytes, [noise, noise], "workers"))


def answer(folder: Path) -> None:
    request = Request("model", "v1", "prompt", Sampling(max_new_tokens=1), 0)
    with ResponseStore(folder / "responses.jsonl") as store:
        store.append(request, "seed", Completion(noise.hex(), "stop", 1, 1))


def verdicts(folder: Path) -> None:
    """As the command that grades samples does."""
    run_command(lambda: write_lines(folder / "verdicts.jsonl", [{"task_id": "a", "detail": noise.hex()}]), folder)


def download(folder: Path) -> None:
    """As any step that takes a full disk for another fault."""
    try:
        (folder / "wheel").write_bytes(noise)
    except OSError as error:
        raise SourceError("the package index cannot be reached") from error


def model(folder: Path) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    from snowcoder.pretraining.model import save_model

    config = LlamaConfig(vocab_size=4096, hidden_size=128, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2)
    save_model(LlamaForCausalLM(config), folder, folder / "model")


def tokenizer(folder: Path) -> None:
    from tokenizers import Tokenizer, models

    Tokenizer(models.WordLevel({str(number): number for number in range(200_000)}, unk_token="0")).save(str(folder / "tokenizer.json"))


def checkpoint(folder: Path) -> None:
    """Costs only the checkpoint: training continues, so this raises nothing."""
    import torch

    from snowcoder.pretraining.checkpoint_writer import CheckpointWriter

    with CheckpointWriter(folder / "training") as writer:
        writer.save(1, {"model": {"weights": torch.zeros(MANY)}, "optimizer": {}}, [])


def message_of(write: Callable[[Path], None], folder: Path) -> str:
    """What a stage that does this prints before it ends."""

    def main() -> None:
        write(folder)

    sys.argv[1:] = []
    try:
        command_line(main)
    except SystemExit as leaving:
        return str(leaving.code)
    return ""


if __name__ == "__main__":
    folder, kinds = Path(sys.argv[1]), sys.argv[2:]
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1M", "tmpfs", folder], check=True)
    os.environ["SNOWCODER_WORK_DIR"] = str(folder)
    told = {}
    for kind in kinds:
        error_file = folder.parent / "stderr"
        with error_file.open("w") as said, contextlib.redirect_stderr(said):
            message = message_of(globals()[kind], folder)
        told[kind] = {
            "message": message or error_file.read_text(),
            "left": sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()),
        }
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    print(json.dumps(told))
