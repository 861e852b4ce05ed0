"""Compares near deduplication on the same code: snowcoder, datasketch in a plain loop, text-dedup, datatrove.

`make bench` installs the peers (bench/peers.txt) into .venv-peers and runs `python -m bench.dedup`. Every side is a fresh process that
reads Parquet and writes the survivors as Parquet, with the same number of workers; the seconds are those of the process, with its start
and imports. Ours is run once before on little data, so that its loops are compiled; its median of three runs counts. Then the signatures
alone, in one process each, and the recall of the pairs that brute force finds. Last line: `ratio <ours / best peer>`.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from snowcoder.deduplication.deduplicate_table import deduplicate_table
from snowcoder.deduplication.deduplication_params import DeduplicationParams
from snowcoder.deduplication.kernels import count_shared
from snowcoder.deduplication.minhash import make_scheme
from snowcoder.deduplication.shingles import shingle, text_buffer
from snowcoder.pipeline.params import load_section
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA, make_source_file
from snowcoder.storage.shards import list_shards, read_table, write_table

ROOT = Path(__file__).resolve().parents[1]
PEERS = ("datasketch", "text_dedup", "datatrove")
SHARDS = 8
MAX_FILE_BYTES = 1_000_000
SIGNATURE_BYTES, QUICK_SIGNATURE_BYTES = 20_000_000, 5_000_000  # the peers sign half a megabyte to three a second
BRUTE_FORCE_FILES = 4000


def python_files(source: Path) -> Iterator[dict]:
    """SourceFile rows of every Python file below a folder, in the order of paths; the first folder is the repository."""
    for path in sorted(source.rglob("*.py")):
        relative = path.relative_to(source)
        content = path.read_bytes().decode("utf-8", "replace") if path.stat().st_size <= MAX_FILE_BYTES else ""
        if content:
            yield make_source_file(
                source="bench",
                repository=relative.parts[0],
                path=str(relative),
                language="python",
                content=content,
                licence="MIT",
                download_rank=None,
                revision="1",
            ).row()


def write_corpus(source: Path, megabytes: int, folder: Path, signature_bytes: int) -> tuple[int, int]:
    """Write ours/ (SourceFile shards), peers/ (id, text), little/ and signatures/ (a part of peers/); return (files, bytes)."""
    rows, n_bytes = [], 0
    for row in python_files(source):
        rows.append(row)
        n_bytes += row["n_bytes"]
        if n_bytes >= megabytes * 1_000_000:
            break
    else:
        raise SystemExit(f"{source}: found {n_bytes} bytes of Python, wanted {megabytes} MB; name a larger folder with --source")
    cuts = np.linspace(0, len(rows), SHARDS + 1).astype(int)
    parts = [rows[start:stop] for start, stop in pairwise(cuts)]
    write_table(folder / "ours", [pa.Table.from_pylist(part, SOURCE_FILE_SCHEMA) for part in parts], SOURCE_FILE_SCHEMA)
    write_table(folder / "little", [pa.Table.from_pylist(rows[:200], SOURCE_FILE_SCHEMA)] * 2, SOURCE_FILE_SCHEMA)
    (folder / "peers").mkdir()
    for number, part in enumerate(parts):
        table = pa.table({"id": [row["file_id"] for row in part], "text": [row["content"] for row in part]})
        pq.write_table(table, folder / "peers" / f"{number:05d}.parquet", compression="zstd")
    sizes = np.cumsum([row["n_bytes"] for row in rows[:: len(rows) // 2000 + 1]])
    sample = rows[:: len(rows) // 2000 + 1][: int(np.searchsorted(sizes, signature_bytes)) + 1]
    (folder / "signatures").mkdir()
    table = pa.table({"id": [row["file_id"] for row in sample], "text": [row["content"] for row in sample]})
    pq.write_table(table, folder / "signatures" / "00000.parquet")
    return len(rows), n_bytes


class Cost(NamedTuple):
    """Wall seconds of a process, and processor seconds of it and its children (not of datatrove's, which its own server starts)."""

    wall_s: float
    processor_s: float


def cost_of(command: list[str], workers: int) -> Cost:
    """The cost of a process that must succeed."""
    environment = os.environ | {"SNOWCODER_WORKERS": str(workers), "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT / "src"), str(ROOT), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
    before, started = _processor_seconds(), time.perf_counter()
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{result.stdout[-2000:]}\n{result.stderr[-4000:]}")
    return Cost(time.perf_counter() - started, _processor_seconds() - before)


def _processor_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run_ours(folder: Path, part: str, workers: int) -> Cost:
    """The cost of one whole deduplication of ours."""
    for name in ("out", "state"):
        shutil.rmtree(folder / name, ignore_errors=True)
    return cost_of([sys.executable, "-m", "bench.dedup", "--ours", part, "--folder", str(folder)], workers)


def sign_ours(folder: Path, params: DeduplicationParams) -> float:
    """Seconds of our band keys in this process, from the Arrow column."""
    contents = pq.read_table(folder / "signatures")["text"]
    scheme = make_scheme(params)
    scheme.band_keys_of_texts(*text_buffer(contents[:5]))
    started = time.perf_counter()
    scheme.band_keys_of_texts(*text_buffer(contents))
    return time.perf_counter() - started


def recall(folder: Path, params: DeduplicationParams, minimum: float) -> tuple[int, int, int]:
    """(pairs of Jaccard >= minimum by brute force, nominated ones of them, those of which both files are kept) of some thousand files."""
    table = read_table(folder / "ours").slice(0, BRUTE_FORCE_FILES)
    keys = make_scheme(params).band_keys_of_texts(*text_buffer(table["content"]))
    sets = [shingle(content, params.ngram_tokens) for content in table["content"].to_pylist()]
    kept_ids = set(
        pa.concat_tables([pq.read_table(path, columns=["file_id"]) for path in list_shards(folder / "out")])["file_id"].to_pylist()
    )
    is_kept = [file_id in kept_ids for file_id in table["file_id"].to_pylist()]
    order = sorted(range(len(sets)), key=lambda number: sets[number].size)
    found = nominated = both_kept = 0
    for place, one in enumerate(order):
        for two in order[place + 1 :]:
            if sets[one].size < minimum * sets[two].size:
                break  # so are all that follow
            shared = count_shared(sets[one], sets[two])
            if shared >= minimum * (sets[one].size + sets[two].size - shared):
                found += 1
                nominated += bool((keys[one] == keys[two]).any())
                both_kept += is_kept[one] and is_kept[two]
    return found, nominated, both_kept


def compare(folder: Path, arguments: argparse.Namespace) -> None:
    """All sides on one corpus."""
    params = load_section("deduplicate_files", DeduplicationParams)
    n_files, n_bytes = write_corpus(
        arguments.source, arguments.megabytes, folder, QUICK_SIGNATURE_BYTES if arguments.quick else SIGNATURE_BYTES
    )
    megabytes = n_bytes / 1e6
    print(f"{n_files} Python files, {megabytes:.1f} MB, {arguments.workers} workers", flush=True)
    run_ours(folder, "little", arguments.workers)
    runs = [run_ours(folder, "ours", arguments.workers) for _ in range(3)]
    costs = {"ours": sorted(runs)[1]}
    _tell("ours", megabytes, costs["ours"])
    peer = str(ROOT / "bench" / "dedup_peers.py")
    for name in arguments.against:
        command = [str(arguments.peers), peer, name, str(folder / "peers"), str(folder / name), str(arguments.workers)]
        costs[name] = cost_of(command, arguments.workers)
        _tell(name, megabytes, costs[name])
    signed = sum(len(text.as_py().encode()) for text in pq.read_table(folder / "signatures")["text"]) / 1e6
    print(f"signatures alone, one process: ours {signed / sign_ours(folder, params):.0f} MB/s", flush=True)
    for name in arguments.against:
        output = subprocess.run([str(arguments.peers), peer, name, str(folder / "signatures")], capture_output=True, text=True, check=True)
        print(
            f"signatures alone, one process: {name} {signed / json.loads(output.stdout.splitlines()[-1])['seconds']:.2f} MB/s", flush=True
        )
    found, nominated, both_kept = recall(folder, params, 0.8)
    among = min(BRUTE_FORCE_FILES, n_files)
    print(f"brute force, {among} files: {found} pairs of Jaccard >= 0.8, recall {nominated / max(1, found):.4f}, both kept {both_kept}")
    best = min(arguments.against, key=lambda name: costs[name].wall_s)
    print(f"ratio of processor seconds to {best} {costs[best].processor_s / costs['ours'].processor_s:.1f}: leaves out other processes")
    print(f"ratio {costs[best].wall_s / costs['ours'].wall_s:.1f}")


def _tell(name: str, megabytes: float, cost: Cost) -> None:
    print(f"{name}: {megabytes / cost.wall_s:.2f} MB/s, {cost.wall_s:.1f} s, processor {cost.processor_s:.1f} s", flush=True)


def main() -> None:
    """Compare, or (--ours) run our side in its own process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=160, help="size of the corpus")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="50 MB, signatures of 5: within five minutes on two idle cores; start-up weighs more in our result",
    )
    parser.add_argument("--source", type=Path, default=Path(sysconfig.get_path("purelib")), help="folder of Python files")
    parser.add_argument("--peers", type=Path, default=ROOT / ".venv-peers/bin/python", help="interpreter with bench/peers.txt")
    parser.add_argument("--against", nargs="+", choices=PEERS, default=PEERS, help="some of the peers only")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--folder", type=Path, default=Path(".work/bench_dedup"), help="emptied before and after")
    parser.add_argument("--ours", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    folder = arguments.folder.absolute()
    if arguments.ours:
        params = load_section("deduplicate_files", DeduplicationParams)
        deduplicate_table(list_shards(folder / arguments.ours), params, folder / "out", folder / "state")
        return
    arguments.megabytes = 50 if arguments.quick else arguments.megabytes
    if not arguments.peers.exists():
        raise SystemExit(f"{arguments.peers}: not found; run `make bench`, which installs the peers")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    compare(folder, arguments)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
