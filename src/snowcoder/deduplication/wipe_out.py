"""The wipe-out alarm: names repositories and languages that lose more than a set share of their files."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from snowcoder.deduplication.deduplication_params import WipeOutParams
from snowcoder.errors import EmptyResultError
from snowcoder.pipeline.console import say

LISTED = 20


def count_files(table: pa.Table, kept: pa.Table) -> dict[str, dict[str, list[Any]]]:
    """{column: {"values", "rows_in", "rows_out"}} of a shard, for the columns language and repository, as lists of one length."""
    counts: dict[str, dict[str, list[Any]]] = {}
    for name in ("language", "repository"):
        rows_in, rows_out = _value_counts(table[name]), _value_counts(kept[name])
        left = [rows_out.get(value, 0) for value in rows_in]
        counts[name] = {"values": list(rows_in), "rows_in": list(rows_in.values()), "rows_out": left}
    return counts


def find_wipe_outs(shards: Iterable[dict[str, dict[str, list[Any]]]], params: WipeOutParams) -> dict[str, Any]:
    """Metrics: {"languages": [...], "repositories": [...], "n_repositories"}, each entry {"name", "rows_in", "rows_out"}.

    The heaviest losses first, at most 20 repositories. Reports each; raises EmptyResultError if there is one and params.stop is set.
    """
    parts = list(shards)
    found = {name: _losses([part[name] for part in parts], params) for name in ("language", "repository")}
    for name, losses in found.items():
        for loss in losses[:LISTED]:
            share = 1 - loss["rows_out"] / loss["rows_in"]
            say(f"deduplicate: {name} {loss['name']} loses {share:.0%} of its {loss['rows_in']} files; check dropped/ before you continue")
    if params.stop and any(found.values()):
        names = [loss["name"] for losses in found.values() for loss in losses[:LISTED]]
        raise EmptyResultError(
            f"deduplicate_files.wipe_out: {', '.join(names)} lose more than max_dropped_fraction={params.max_dropped_fraction} of "
            "their files; find out why they are alike, or raise the fraction, or set wipe_out.stop=false to continue with a warning"
        )
    repositories = found["repository"]
    return {"languages": found["language"], "repositories": repositories[:LISTED], "n_repositories": len(repositories)}


def _losses(parts: list[dict[str, list[Any]]], params: WipeOutParams) -> list[dict[str, Any]]:
    schema = pa.schema([("values", pa.string()), ("rows_in", pa.int64()), ("rows_out", pa.int64())])
    joined = pa.concat_tables([schema.empty_table(), *(pa.table(part, schema=schema) for part in parts)])
    total = joined.group_by("values").aggregate([("rows_in", "sum"), ("rows_out", "sum")]).to_pydict()
    rows = zip(total["values"], total["rows_in_sum"], total["rows_out_sum"], strict=True)
    losses = [
        {"name": name, "rows_in": rows_in, "rows_out": rows_out}
        for name, rows_in, rows_out in rows
        if rows_in >= params.min_files and rows_in - rows_out > params.max_dropped_fraction * rows_in
    ]
    return sorted(losses, key=lambda loss: (loss["rows_out"] - loss["rows_in"], loss["name"]))


def _value_counts(column: pa.ChunkedArray) -> dict[str, int]:
    return {entry["values"]: entry["counts"] for entry in column.value_counts().to_pylist()}
