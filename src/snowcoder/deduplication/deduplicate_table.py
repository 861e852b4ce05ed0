"""Deduplicates a table of SourceFile rows; the output has the input's shards and row order.

  sketch  every shard -> sorted runs of rank, content and band keys   (parallel, resumable by shard)
  choose  order, exact copies, pairs, exact Jaccard, survivors        (parallel by bucket; greedy)
  write   every shard -> kept and dropped rows                        (parallel, resumable by shard)

Output: kept SourceFile rows; dropped/ and pairs/ (see evidence).
"""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from snowcoder.deduplication.deduplication_params import DeduplicationParams
from snowcoder.deduplication.evidence import DROPPED_SCHEMA, cluster_metrics, dropped_rows, drops_of, write_pairs
from snowcoder.deduplication.greedy import choose_survivors
from snowcoder.deduplication.minhash import band_shape, make_scheme, nomination_probability
from snowcoder.deduplication.sketches import Sketched, gather_sketches, shingle_rows, sketch_shard
from snowcoder.deduplication.wipe_out import count_files, find_wipe_outs
from snowcoder.errors import EmptyResultError
from snowcoder.pipeline.execution import map_items
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA
from snowcoder.storage.files import write_json
from snowcoder.storage.metrics import shard_accounts, total_accounts
from snowcoder.storage.shards import read_shard, write_manifest, write_shard


def deduplicate_table(shards: Sequence[Path], params: DeduplicationParams, output: Path, state: Path) -> dict[str, Any]:
    """Write kept rows to `output`, dropped ones and pairs below it; return the metrics.

    Raises EmptyResultError if nothing is kept, or if more is dropped than params allow; ShardError for a shard that cannot be read.
    """
    scheme = make_scheme(params)
    stems = map_items(partial(sketch_shard, folder=state / "sketches", scheme=scheme), shards, "deduplicate: sketch", releases_gil=True)
    sketched = gather_sketches(stems)
    shingles_of = partial(shingle_rows, shards, params.ngram_tokens)
    choice = choose_survivors(sketched, shingles_of, params.jaccard_threshold, state / "choice")
    writer = partial(_write_shard, sketched, choice.columns, output, state / "written")
    counts = map_items(writer, list(enumerate(shards)), "deduplicate: write", releases_gil=True)
    write_manifest(output, SOURCE_FILE_SCHEMA)
    write_manifest(output / "dropped", DROPPED_SCHEMA)
    metrics = total_accounts(shard["accounts"] for shard in counts)
    if metrics["rows_out"] == 0:
        raise EmptyResultError(f"{output.name}: no file is left of {metrics['rows_in']} in {shards[0].parent if shards else 'no shard'}")
    bands, rows = band_shape(params.jaccard_threshold, params.n_permutations)
    return {
        **metrics,
        "lsh": {"bands": bands, "rows_per_band": rows, "recall_at_threshold": nomination_probability(params.jaccard_threshold, params)},
        "files_nominated": choice.n_nominated,
        "pairs_verified": choice.n_verified,
        "pairs_matched": write_pairs(sketched, choice, output / "pairs"),
        "files_not_compared_with_all": choice.n_undecided,
        **cluster_metrics(sketched, choice),
        "wipe_out": find_wipe_outs([shard["files"] for shard in counts], params.wipe_out),
    }


def _write_shard(sketched: Sketched, columns: Path, output: Path, markers: Path, task: tuple[int, Path]) -> dict[str, Any]:
    """Write output/<name> and output/dropped/<name> for shard `task` = (number, path), unless that has been done; return its counts."""
    shard, path = task
    marker = markers / f"{path.stem}.json"
    if not marker.exists():
        table = read_shard(path)
        drops = drops_of(sketched, columns, shard)
        is_kept = np.ones(table.num_rows, dtype=np.bool_)
        is_kept[drops.rows] = False
        kept, dropped = table.filter(pa.array(is_kept)), dropped_rows(table, drops, sketched)
        write_shard(output / path.name, kept, SOURCE_FILE_SCHEMA)
        write_shard(output / "dropped" / path.name, dropped, DROPPED_SCHEMA)
        counts = {"accounts": shard_accounts(table, kept, dropped["reason"].to_pylist()), "files": count_files(table, kept)}
        write_json(marker, counts)
    return json.loads(marker.read_text())
