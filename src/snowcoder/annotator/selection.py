"""Selection of train files under a token budget.

in: rows of scoring (one recipe's scores), rows of tokenize_files  out: one row per selected file, a shard per language, sorted by rank:
  file_id, language, repository  string
  n_tokens                       int32
  score                          float64
  rank                           int32    from 1, within the language

The budget is horizon_tokens // repeats unique tokens. It is divided among the languages in proportion to their train tokens, so that the
corpus' language mix is kept, and each language's files are taken in order (by score, or for the control by a hash of file_id and seed)
while at least half of the next file fits into the language's quota. A language therefore misses its quota by at most half a file, in either
direction: always stopping below it would leave every language, and small ones most, short by half a file on average.

The selection of a larger budget contains that of a smaller one. For this quotas must never shrink as the budget grows: largest-remainder
rounding breaks that (the Alabama paradox), the method of highest averages with divisors 1, 2, 3, ... (D'Hondt) does not, and also sums
exactly to the budget; for tokens the two differ by less than the number of languages.
"""

import heapq
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from snowcoder.errors import EmptyResultError, ShardError
from snowcoder.params import ParamsModel
from snowcoder.seeding import unit_hash

SELECTION_SCHEMA = pa.schema(
    [
        ("file_id", pa.string()),
        ("language", pa.string()),
        ("repository", pa.string()),
        ("n_tokens", pa.int32()),
        ("score", pa.float64()),
        ("rank", pa.int32()),
    ]
)


class SelectionParams(ParamsModel):
    """Shared by both rules, so that they differ in the order of the files alone."""

    recipe: Literal["EDU", "INS", "HQ", "HQINS"] = Field(description="whose scores rank the files")
    horizon_tokens: int = Field(description="tokens that training on the selection will see, repeats included", ge=1)
    repeats: int = Field(description="how often each selected token is seen; the budget is horizon_tokens // repeats unique tokens", ge=1)
    seed: int = Field(description="seed of the random rule", ge=0)


class RuleParams(ParamsModel):
    """One rule."""

    by: Literal["score", "hash"] = Field(description="score: highest first; hash: random, by a hash of file_id and seed")


def candidates(scores: pa.Table, tokens: pa.Table) -> pa.Table:
    """Train files: columns of SELECTION_SCHEMA without rank, sorted by file_id. Raises ShardError if the tables hold other files."""
    scored = scores.filter(pc.equal(scores["split"], "train")).sort_by("file_id")
    counted = tokens.filter(pc.equal(tokens["split"], "train")).sort_by("file_id")
    if scored["file_id"].to_pylist() != counted["file_id"].to_pylist():
        raise ShardError(
            f"data/score_files and data/tokenize_files: found {len(scored)} and {len(counted)} train files that are not the same ones; "
            "allowed: one row per train file in each; run `dvc repro`"
        )
    return scored.select(["file_id", "language", "repository", "score"]).append_column("n_tokens", counted["n_tokens"].combine_chunks())


def select_files(files: pa.Table, shared: SelectionParams, rule: RuleParams) -> tuple[list[pa.Table], dict[str, Any]]:
    """(a table of SELECTION_SCHEMA per language, metrics). Raises EmptyResultError if the corpus cannot fill the budget."""
    budget = shared.horizon_tokens // shared.repeats
    available = tokens_by_language(files)
    _check_budget(budget, sum(available.values()), shared)
    quotas = language_quotas(available, budget)
    ordered = _in_order(files, rule.by, shared.seed)
    selected = [_take_quota(ordered.filter(pc.equal(ordered["language"], language)), quota) for language, quota in quotas.items()]
    if not sum(len(table) for table in selected):
        raise EmptyResultError(
            f"params.yaml: select_files.horizon_tokens: found {shared.horizon_tokens} for {shared.repeats} repeats; "
            "allowed: enough for one file; raise it"
        )
    return selected, _metrics(files, selected, quotas, budget)


def tokens_by_language(files: pa.Table) -> dict[str, int]:
    """Tokens of each language, by name."""
    sums = files.group_by("language").aggregate([("n_tokens", "sum")])
    return dict(sorted(zip(sums["language"].to_pylist(), sums["n_tokens_sum"].to_pylist(), strict=True)))


def language_quotas(available: Mapping[str, int], budget: int) -> dict[str, int]:
    """Whole tokens per language, in proportion to `available`; they sum to `budget` (at most the sum of `available`)."""
    total = sum(available.values())
    # no language ever gets less than its share rounded down, so that only the rest needs to be awarded one by one
    quotas = {language: budget * tokens // total for language, tokens in sorted(available.items())}
    queue = [(Fraction(quotas[language] + 1, available[language]), language) for language in quotas if available[language]]
    heapq.heapify(queue)
    for _ in range(budget - sum(quotas.values())):
        _, language = queue[0]
        quotas[language] += 1
        heapq.heapreplace(queue, (Fraction(quotas[language] + 1, available[language]), language))
    return quotas


def _check_budget(budget: int, available: int, shared: SelectionParams) -> None:
    if budget > available:
        most = available * shared.repeats + shared.repeats - 1
        raise EmptyResultError(
            f"params.yaml: select_files.horizon_tokens: found {shared.horizon_tokens}, which at {shared.repeats} repeats needs {budget} "
            f"unique tokens of {available}; allowed: at most {most}; lower it, raise select_files.repeats or widen the corpus"
        )


def _in_order(files: pa.Table, by: str, seed: int) -> pa.Table:
    """Sorted by language, then by the rule, then by file_id."""
    if by == "score":
        key = pc.negate(files["score"])
    else:
        key = pa.array([unit_hash(seed, "select_files", file_id) for file_id in files["file_id"].to_pylist()])
    order = [("language", "ascending"), ("key", "ascending"), ("file_id", "ascending")]
    return files.append_column("key", key).sort_by(order).drop_columns("key")


def _take_quota(ordered: pa.Table, quota: int) -> pa.Table:
    """The first files of one language, with their ranks: each is taken if at least half of it fits."""
    n_tokens = ordered["n_tokens"].to_numpy().astype(np.int64)
    twice_middle = 2 * np.cumsum(n_tokens) - n_tokens
    n_taken = int(np.searchsorted(twice_middle, 2 * quota, side="right"))
    ranks = pa.array(np.arange(1, n_taken + 1), pa.int32())
    return ordered.slice(0, n_taken).append_column("rank", ranks).select(SELECTION_SCHEMA.names)


def _metrics(files: pa.Table, selected: list[pa.Table], quotas: Mapping[str, int], budget: int) -> dict[str, Any]:
    chosen = pa.concat_tables(selected)
    available, taken = tokens_by_language(files), tokens_by_language(chosen)
    by_language = {
        language: {"available_tokens": available[language], "quota_tokens": quota, "tokens": taken.get(language, 0), "files": len(table)}
        for (language, quota), table in zip(quotas.items(), selected, strict=True)
    }
    return {
        "budget_tokens": budget,
        "tokens": sum(taken.values()),
        "files": len(chosen),
        "repositories": len(pc.unique(chosen["repository"])),
        "mean_score": pc.mean(chosen["score"]).as_py(),
        "mean_score_of_train": pc.mean(files["score"]).as_py(),
        "by_language": by_language,
    }
