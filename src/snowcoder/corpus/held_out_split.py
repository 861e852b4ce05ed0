"""Splits files into train and held_out by a hash of their repository's family: no family is on both sides.

in: a table with a column repository  out: the same rows, in the same order, with the column split.
"""

from collections.abc import Iterable
from typing import Any, Literal

import pyarrow as pa
from pydantic import Field

from snowcoder.errors import EmptyResultError
from snowcoder.pipeline.execution import ShardResult
from snowcoder.pipeline.params import ParamsModel
from snowcoder.seeding import unit_hash
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA
from snowcoder.source_files.repository_families import repository_family
from snowcoder.words import HELD_OUT, TRAIN

SPLIT_SCHEMA = SOURCE_FILE_SCHEMA.append(pa.field("split", pa.string()))


class SplitParams(ParamsModel):
    """Which repositories are held out."""

    seed: int = Field(ge=0)
    """Seed of the hash of a unit's name."""
    held_out_fraction: float = Field(gt=0, lt=1)
    """Expected share of the units (not of the bytes) that is held out."""
    unit: Literal["family", "repository"] = "family"
    """What stays together. family: all of one owner (`owner/name`) or namespace (jaraco-text, jaraco-functools); repository: only itself,
    for a corpus of one owner."""


def split_of(repository: str, params: SplitParams) -> str:
    """The split of every file of a repository; other repositories do not change it."""
    name = repository_family(repository) if params.unit == "family" else repository
    return HELD_OUT if unit_hash(params.seed, "split", name) < params.held_out_fraction else TRAIN


def split_shard(files: pa.Table, params: SplitParams) -> ShardResult:
    """Pure: the table with its column `split`; summary: rows of (split, repository, language, bytes) counts."""
    splits = [split_of(repository, params) for repository in files["repository"].to_pylist()]
    table = files.append_column("split", pa.array(splits, pa.string()))
    keys = zip(splits, files["repository"].to_pylist(), files["language"].to_pylist(), files["n_bytes"].to_pylist(), strict=True)
    counts: dict[tuple[str, str, str], list[int]] = {}
    for split, repository, language, n_bytes in keys:
        count = counts.setdefault((split, repository, language), [0, 0])
        count[0] += 1
        count[1] += n_bytes
    return ShardResult({"files": table}, {"counts": [[*key, *count] for key, count in sorted(counts.items())]})


def merge_splits(summaries: Iterable[dict[str, Any]], params: SplitParams) -> dict[str, Any]:
    """{split: {files, bytes, repositories, families, by_language: {language: {files, bytes}}}}.

    Raises EmptyResultError if a split has no file.
    """
    metrics: dict[str, Any] = {}
    repositories: dict[str, set[str]] = {}
    for split, repository, language, files, n_bytes in (row for summary in summaries for row in summary["counts"]):
        entry = metrics.setdefault(split, {"files": 0, "bytes": 0, "by_language": {}})
        repositories.setdefault(split, set()).add(repository)
        for counts in (entry, entry["by_language"].setdefault(language, {"files": 0, "bytes": 0})):
            counts["files"] += files
            counts["bytes"] += n_bytes
    for split in (TRAIN, HELD_OUT):
        if split not in metrics:
            raise EmptyResultError(f"split_files: {split} is empty: {_all_on_one_side(set().union(*repositories.values()), params)}")
        metrics[split]["repositories"] = len(repositories[split])
        metrics[split]["families"] = len({repository_family(name) for name in repositories[split]})
    return metrics


def _all_on_one_side(repositories: set[str], params: SplitParams) -> str:
    families = {repository_family(name) for name in repositories}
    found = f"all {len(repositories)} repositories"
    if params.unit == "family" and len(families) == 1 and len(repositories) > 1:
        return f"{found} are of one owner or namespace, {families.pop()}; set unit: repository in params.yaml"
    return (
        f"seed {params.seed} and held_out_fraction {params.held_out_fraction} put {found} ({len(families)} owners or namespaces) "
        "on the other side; choose another seed or fraction in params.yaml"
    )
