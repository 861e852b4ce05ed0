"""Deduplicates a table of SourceFile rows; the output has the input's shards and row order.

Three passes: sketches of every shard (parallel, resumable), the choice (this process), the kept and dropped rows of every shard (parallel,
resumable). Memory of the choice: about 300 bytes per file, and 8 bytes per distinct shingle of the files that LSH nominates.

dropped/ rows (DROPPED_SCHEMA): the file; reason 'exact' or 'near'; the kept file that stands for it; their exact Jaccard, >= the threshold.
"""

from collections.abc import Sequence, Set
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snowcoder.console import say
from snowcoder.deduplication.accounts import shard_accounts, total_accounts
from snowcoder.deduplication.exact import content_key
from snowcoder.deduplication.greedy import Candidate, Choice, Drop, choose_survivors, largest_cluster
from snowcoder.deduplication.index import sketch
from snowcoder.deduplication.minhash import band_shape, nomination_probability
from snowcoder.deduplication.settings import DeduplicationParams
from snowcoder.deduplication.shingles import shingle
from snowcoder.deduplication.survivors import rank_file
from snowcoder.errors import EmptyResultError
from snowcoder.execution import ShardResult, map_items, map_shards
from snowcoder.records import SOURCE_FILE_SCHEMA
from snowcoder.shards import iterate_rows, read_shard

SKETCH_SCHEMA = pa.schema(
    [
        ("file_id", pa.string()),
        ("repository", pa.string()),
        ("path", pa.string()),
        ("licence", pa.string()),
        ("popularity", pa.float64()),
        ("content_key", pa.binary()),
        ("band_keys", pa.binary()),
    ]
)
DROPPED_SCHEMA = pa.schema(
    [
        ("file_id", pa.string()),
        ("repository", pa.string()),
        ("path", pa.string()),
        ("language", pa.string()),
        ("reason", pa.string()),
        ("kept_file_id", pa.string()),
        ("kept_repository", pa.string()),
        ("kept_path", pa.string()),
        ("jaccard", pa.float64()),
    ]
)
ALARM_DROPPED_FRACTION = 0.5
ALARM_MIN_ROWS = 20


def deduplicate_table(shards: Sequence[Path], params: DeduplicationParams, output: Path, state: Path) -> dict[str, Any]:
    """Write kept rows to `output`, dropped ones to `output/dropped`; return the metrics. Raises EmptyResultError if nothing is kept."""
    choice = choose_survivors(_candidates(shards, params, state), partial(_shingles_of, shards, params), params)
    outputs = {"kept": (output, SOURCE_FILE_SCHEMA), "dropped": (output / "dropped", DROPPED_SCHEMA)}
    summaries = map_shards(partial(apply_drops, drops=choice.drops), shards, outputs, state / "apply", "deduplicate: write")
    metrics = total_accounts(summaries)
    if metrics["rows_out"] == 0:
        raise EmptyResultError(f"{output.name}: no file is left of {metrics['rows_in']} in {shards[0].parent if shards else 'no shard'}")
    _raise_alarm(metrics)
    return metrics | _evidence(choice, params)


def sketch_table(table: pa.Table, params: DeduplicationParams) -> ShardResult:
    """SKETCH_SCHEMA rows of a shard of SourceFile rows."""
    sketches = table.select(SKETCH_SCHEMA.names[:5])
    contents = table["content"].to_pylist()
    keys = pa.array([content_key(content) for content in contents], pa.binary())
    bands = pa.array([sketch(content, params).band_keys.tobytes() for content in contents], pa.binary())
    return ShardResult({"sketches": sketches.append_column("content_key", keys).append_column("band_keys", bands)})


def apply_drops(table: pa.Table, drops: dict[str, Drop]) -> ShardResult:
    """The kept rows of a shard as they are, and a DROPPED_SCHEMA row for each of the others."""
    columns = table.select(DROPPED_SCHEMA.names[:4]).to_pylist()
    dropped = [row | asdict(drops[row["file_id"]]) for row in columns if row["file_id"] in drops]
    kept = table.filter(pc.invert(pc.is_in(table["file_id"], pa.array([row["file_id"] for row in dropped], pa.string()))))
    accounts = shard_accounts(table, kept, (row["reason"] for row in dropped))
    return ShardResult({"kept": kept, "dropped": pa.Table.from_pylist(dropped, DROPPED_SCHEMA)}, accounts)


def _candidates(shards: Sequence[Path], params: DeduplicationParams, state: Path) -> list[Candidate]:
    folder = state / "sketches"
    outputs = {"sketches": (folder, SKETCH_SCHEMA)}
    map_shards(partial(sketch_table, params=params), shards, outputs, state / "sketch", "deduplicate: sketch")
    return [Candidate(rank_file(row), row["content_key"], np.frombuffer(row["band_keys"], dtype=np.uint64)) for row in iterate_rows(folder)]


def _shingles_of(shards: Sequence[Path], params: DeduplicationParams, file_ids: Set[str]) -> dict[str, np.ndarray]:
    function = partial(_shard_shingles, params=params, file_ids=file_ids)
    return {key: value for part in map_items(function, shards, "deduplicate: verify") for key, value in part.items()}


def _shard_shingles(path: Path, params: DeduplicationParams, file_ids: Set[str]) -> dict[str, np.ndarray]:
    table = read_shard(path, ["file_id", "content"])
    pairs = zip(table["file_id"].to_pylist(), table["content"].to_pylist(), strict=True)
    return {file_id: shingle(content, params.ngram_tokens) for file_id, content in pairs if file_id in file_ids}


def _evidence(choice: Choice, params: DeduplicationParams) -> dict[str, Any]:
    bands, rows = band_shape(params.jaccard_threshold, params.n_permutations)
    kept_file_id, size = largest_cluster(choice.drops)
    return {
        "lsh": {"bands": bands, "rows_per_band": rows, "recall_at_threshold": nomination_probability(params.jaccard_threshold, params)},
        "files_nominated": choice.n_nominated,
        "pairs_verified": choice.n_verified,
        "largest_cluster": {"kept_file_id": kept_file_id, "files_dropped": size},
    }


def _raise_alarm(metrics: dict[str, Any]) -> None:
    """Tell of every language that loses more than half of its files: marin lost 98% of a source before anyone looked."""
    for language, counts in metrics["by_language"].items():
        lost = 1 - counts["rows_out"] / counts["rows_in"]
        if counts["rows_in"] >= ALARM_MIN_ROWS and lost > ALARM_DROPPED_FRACTION:
            say(f"deduplicate: {language} loses {lost:.0%} of its {counts['rows_in']} files; look at dropped/ before going on")
