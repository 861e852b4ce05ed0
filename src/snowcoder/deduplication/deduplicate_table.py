"""Deduplicates a table of SourceFile rows; the output has the input's shards and row order.

  sketch  every shard -> sorted runs of rank, content and band keys   (parallel, resumable by shard)
  choose  order, exact copies, pairs, exact Jaccard, survivors        (parallel by bucket; greedy)
  write   every shard -> kept and dropped rows                        (parallel, resumable by shard)

Output: kept SourceFile rows; dropped/ and pairs/ (see evidence).
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from snowcoder.deduplication.accounts import total_accounts
from snowcoder.deduplication.deduplication_params import DeduplicationParams
from snowcoder.deduplication.evidence import DROPPED_SCHEMA, cluster_metrics, write_pairs
from snowcoder.deduplication.greedy import choose_survivors
from snowcoder.deduplication.lsh import band_shape, make_scheme, nomination_probability
from snowcoder.deduplication.outputs import write_outputs
from snowcoder.deduplication.sketches import gather_sketches, shingle_rows, sketch_shard
from snowcoder.deduplication.wipe_out import find_wipe_outs
from snowcoder.errors import EmptyResultError
from snowcoder.pipeline.execution import map_items
from snowcoder.records import SOURCE_FILE_SCHEMA
from snowcoder.storage.shards import write_manifest


def deduplicate_table(shards: Sequence[Path], params: DeduplicationParams, output: Path, state: Path) -> dict[str, Any]:
    """Write kept rows to `output`, dropped ones and pairs below it; return the metrics.

    Raises EmptyResultError if nothing is kept, or too much goes where params say so; ShardError for a shard that cannot be read.
    """
    scheme = make_scheme(params)
    stems = map_items(partial(sketch_shard, folder=state / "sketches", scheme=scheme), shards, "deduplicate: sketch", releases_gil=True)
    sketched = gather_sketches(stems)
    shingles_of = partial(shingle_rows, shards, params.ngram_tokens)
    choice = choose_survivors(sketched, shingles_of, params.jaccard_threshold, state / "choice")
    writer = partial(write_outputs, sketched, choice.columns, output, state / "written")
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
