"""Measures megabytes per second of measuring and filtering files, and of screening them against benchmarks.

`python -m bench.corpus` needs data/fetch_corpus (`dvc repro fetch_corpus`) and reads HumanEval, with HumanEval+ and MBPP+ where
SNOWCODER_BENCHMARKS_DIR holds them. Starting the workers is counted, as a stage pays for it too.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa

from snowcoder.benchmarks.loading import FetchBenchmarksParams, load_benchmark, load_benchmarks
from snowcoder.benchmarks.problem import Problem
from snowcoder.decontamination.decontaminate_table import screen_table
from snowcoder.decontamination.decontamination_params import DecontaminationParams
from snowcoder.decontamination.ledger import LEDGER_SCHEMA
from snowcoder.decontamination.screen import BenchmarkScreen
from snowcoder.errors import SourceError
from snowcoder.filtering.filter_shard import REJECTED_SCHEMA, filter_shard, load_filter
from snowcoder.filtering.measuring import MEASURED_SCHEMA, measure_shard
from snowcoder.filtering.rules import FilterParams
from snowcoder.pipeline.execution import Outputs, Run, ShardResult, worker_count
from snowcoder.pipeline.params import load_section
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA
from snowcoder.storage.shards import list_shards, read_table

CORPUS = Path("data/fetch_corpus")
ROUNDS = 3


def all_problems() -> list[Problem]:
    """HumanEval, and EvalPlus' two where their files are."""
    params = load_section("fetch_benchmarks", FetchBenchmarksParams)
    problems = load_benchmarks(params)
    for name in sorted({"humaneval_plus", "mbpp_plus"} - set(params.names)):
        try:
            problems += load_benchmark(name)
        except SourceError as error:
            print(f"left out: {error}")
    return problems


def seconds(function: Callable[[pa.Table], ShardResult], shards: Sequence[Path], schemas: dict[str, pa.Schema], out: Path) -> float:
    """Wall time of one pass over the shards."""
    outputs: Outputs = {name: (out / name, schema) for name, schema in schemas.items()}
    started = time.perf_counter()
    Run(out / "state", "bench").map_shards(function, shards, outputs)
    return time.perf_counter() - started


def main() -> None:
    """Print the best of ROUNDS for each step."""
    shards = list_shards(CORPUS)
    megabytes = sum(read_table(CORPUS, ["n_bytes"])["n_bytes"].to_pylist()) / 1e6
    started = time.perf_counter()
    screen = BenchmarkScreen(all_problems(), load_section("decontaminate_files", DecontaminationParams))
    print(f"index of {len(screen.problems)} problems: {time.perf_counter() - started:.1f} s")
    chosen = load_filter(load_section("filter_files", FilterParams))
    kept = {"kept": SOURCE_FILE_SCHEMA}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        seconds(measure_shard, shards, {"files": MEASURED_SCHEMA}, root / "measured")
        measured = list_shards(root / "measured" / "files")
        steps: dict[str, tuple[Callable[[pa.Table], ShardResult], Sequence[Path], dict[str, pa.Schema]]] = {
            "measure signals and mask": (measure_shard, shards, {"files": MEASURED_SCHEMA}),
            "apply thresholds": (partial(filter_shard, chosen=chosen), measured, kept | {"rejected": REJECTED_SCHEMA}),
            "screen against benchmarks": (partial(screen_table, screen=screen), shards, kept | {"ledger": LEDGER_SCHEMA}),
        }
        for name, (function, inputs, schemas) in steps.items():
            times = [seconds(function, inputs, schemas, root / f"{name} {number}") for number in range(ROUNDS)]
            print(f"{name}: {megabytes / min(times):.2f} MB/s on {worker_count()} workers ({megabytes:.1f} MB, {min(times):.2f} s)")


if __name__ == "__main__":
    main()
