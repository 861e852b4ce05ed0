"""A small corpus through the stages without a model, and functions that fail or die; a cluster's workers can import this."""

import hashlib
import os
import time
from functools import partial
from pathlib import Path

import pyarrow as pa

from snowcoder.benchmarks.loading import load_benchmark
from snowcoder.corpus.held_out_split import SPLIT_SCHEMA, SplitParams, split_shard
from snowcoder.decontamination.decontaminate_table import decontaminate_table
from snowcoder.deduplication.deduplicate_table import deduplicate_table
from snowcoder.deduplication.deduplication_params import DeduplicationParams
from snowcoder.errors import SourceError
from snowcoder.filtering.filter_shard import REJECTED_SCHEMA, filter_shard, load_filter
from snowcoder.filtering.measuring import MEASURED_SCHEMA, measure_shard
from snowcoder.pipeline.execution import Run, ShardResult
from snowcoder.pipeline.params import load_section
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA, make_source_file
from snowcoder.storage.shards import iterate_rows, list_shards, write_table
from snowcoder.tokenization.tokenized_files import TOKENIZED_FILE_SCHEMA, tokenize_shard
from snowcoder.tokenization.tokenizer import TokenizerParams, save_tokenizer, train_tokenizer
from tests.decontamination.problems import PARAMS as DECONTAMINATION
from tests.decontamination.problems import ROOT
from tests.filtering.rows import params as filter_params

N_FILES, N_SHARDS = 240, 8


def corpus_row(number: int, solutions: list[str]) -> dict:
    """File `number` of a corpus in which some files are alike, some are broken, and some hold a benchmark's solution."""
    family = number if number % 3 else number % 10
    lines = [f"def step_{family}_{line}(value):\n    return value * {family} + {line}\n" for line in range(12)]
    lines.append(f"LAST = {number}\n")
    if number % 20 == 7:
        lines.append(solutions[number % len(solutions)])
    if number % 31 == 5:
        lines.append("def (\n")
    return make_source_file(
        source="generated",
        repository=f"owner/r{number % 13}",
        path=f"package/module_{number}.py",
        language="python",
        content=f'"""Module {number}, by author{number}@corp.com."""\n' + "\n".join(lines),
        licence="MIT",
        download_rank=number % 17 + 1,
        revision="1",
    ).row()


def write_corpus(folder: Path) -> None:
    """N_FILES rows in N_SHARDS shards."""
    solutions = [problem.prompt + problem.canonical_solution for problem in load_benchmark("humaneval")]
    rows = [corpus_row(number, solutions) for number in range(N_FILES)]
    write_table(folder, (pa.Table.from_pylist(rows[start::N_SHARDS], SOURCE_FILE_SCHEMA) for start in range(N_SHARDS)), SOURCE_FILE_SCHEMA)


def run_stages(source: Path, out: Path) -> dict:
    """Filtering, deduplication, decontamination and tokenisation of `source` below `out`; metrics of deduplication and decontamination."""
    state = out.with_name(f"{out.name}-state")
    measured = {"files": (out / "measured", MEASURED_SCHEMA)}
    Run(state / "measured", "measure").map_shards(measure_shard, list_shards(source), measured)
    filtered = {"kept": (out / "filtered", SOURCE_FILE_SCHEMA), "rejected": (out / "filtered" / "rejected", REJECTED_SCHEMA)}
    function = partial(filter_shard, chosen=load_filter(filter_params()))
    Run(state / "filtered", "filter").map_shards(function, list_shards(out / "measured"), filtered)
    deduplication = load_section("deduplicate_files", DeduplicationParams, ROOT / "params.yaml")
    metrics = deduplicate_table(list_shards(out / "filtered"), deduplication, out / "deduplicated", state / "deduplicated")
    problems, clean = load_benchmark("humaneval"), out / "decontaminated"
    screened = decontaminate_table(list_shards(out / "deduplicated"), problems, DECONTAMINATION, clean, Run(state / "clean", "test"))
    tokenizer = TokenizerParams(vocab_size=400, min_frequency=2, max_train_bytes=10**6, model_max_length=128)
    save_tokenizer(train_tokenizer((row["content"] for row in iterate_rows(clean)), tokenizer), out / "tokenizer", 128)
    split = {"files": (out / "split", SPLIT_SCHEMA)}
    function = partial(split_shard, params=SplitParams(seed=0, held_out_fraction=0.2))
    Run(state / "split", "split").map_shards(function, list_shards(clean), split)
    tokens = {"files": (out / "tokenized", TOKENIZED_FILE_SCHEMA)}
    tokenize = partial(tokenize_shard, tokenizer_folder=out / "tokenizer")
    Run(state / "tokens", "tokenize").map_shards(tokenize, list_shards(out / "split"), tokens)
    return {"deduplication": metrics, "decontamination": screened}


def digests(folder: Path) -> dict[str, str]:
    """sha256 of every file below `folder`."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def slow_shard(traces: Path, table: pa.Table) -> ShardResult:
    """Leaves a trace of the process that starts on a shard, takes a second, and doubles the values."""
    first = table["value"][0].as_py()
    (traces / f"{first}.{os.getpid()}.{time.monotonic_ns()}").touch()
    time.sleep(1.0)
    return ShardResult({"out": pa.table({"value": [2 * value for value in table["value"].to_pylist()]})}, {"first": first})


def refuse(traces: Path, item: int) -> int:
    """Raises for item 3, after a trace."""
    if item == 3:
        (traces / str(time.monotonic_ns())).touch()
        raise SourceError("item 3: refused by its hash; fetch it again")
    return item


def die(traces: Path, item: int) -> int:
    """Kills its own worker for item 1, as the kernel does where memory runs out."""
    if item == 1:
        (traces / str(time.monotonic_ns())).touch()
        os._exit(9)
    return item


def describe_worker(_: int) -> dict[str, str | int]:
    """What a worker of a cluster sees."""
    import ray

    import snowcoder

    time.sleep(0.05)  # so that one node alone does not finish them all
    names = ("OMP_NUM_THREADS", "SNOWCODER_EXECUTOR", "SNOWCODER_BENCHMARKS_DIR", "A_SECRET_KEY")
    seen: dict[str, str | int] = {name: os.environ.get(name, "") for name in names}
    return seen | {
        "node": ray.get_runtime_context().get_node_id(),
        "folder": os.getcwd(),
        "code": str(snowcoder.__path__[0]),
        "pid": os.getpid(),
    }
