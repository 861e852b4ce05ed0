"""Selects train files under a token budget.

in: rows of scoring (scores of one recipe), rows of tokenize_files  out: one row per selected file, a shard per language, sorted by rank:
  file_id, language, repository  string
  n_tokens                       int32
  score                          float64
  rank                           int32    from 1, within the language

The budget is horizon_tokens // repeats unique tokens. A language's quota is its share of the candidates' tokens, so that the corpus'
language mix is kept. Within a language files come in order (by score, or for the control at random); ties are broken by a hash of content
and seed.

Files are taken whole, and a small language's quota may be less than half of its first file. Filled language by language, the quotas would
miss the budget by the sum of what each of them misses (seen: 5% of 205k tokens, with nine languages). So all languages are merged into one
order, by the share of its language's train tokens at which the middle of a file is, and the budget cuts that order where at least half of
the next file still fits. The budget is therefore missed by at most half a file in all, and there is one share such that every language
misses that share of its tokens by at most half a file. As the order does not depend on the budget, a larger budget contains a smaller one.

A threshold (min_score) may leave a language with less than its quota: an error, or a shortfall that the metrics state, as on_shortfall
says. A shortfall is not made up for by other languages.
"""

import heapq
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from snowcoder.errors import EmptyResultError, ShardError
from snowcoder.pipeline.params import ParamsModel
from snowcoder.pipeline.references import ReadFrom
from snowcoder.seeding import unit_hash
from snowcoder.source_files.records import text_columns

SELECTION_SCHEMA = pa.schema(
    [*text_columns("file_id", "language", "repository"), ("n_tokens", pa.int32()), ("score", pa.float64()), ("rank", pa.int32())]
)


class SelectionParams(ParamsModel):
    """Shared by both rules, so that they differ only in the order of files."""

    recipe: str
    """The annotator whose scores rank the files and choose the seeds of synthesize_documents (paper: HQINS, its best)."""
    horizon_of: str
    """The variant that trains on the selection: its tokens are the horizon."""
    horizon_tokens: Annotated[int, ReadFrom("pretrain.variants.{horizon_of}.tokens")] = Field(ge=1)
    """Tokens that training on the selection will see, repeats included (paper: 50 B)."""
    repeats: int = Field(ge=1)
    """Times that each selected token is seen; the budget is horizon_tokens // repeats unique tokens (paper: 4)."""
    seed: int = Field(ge=0)
    """Seed of the random rule, and of ties between equal scores."""
    on_shortfall: Literal["error", "state"]
    """What happens if a language has fewer tokens than its quota: an error, or a note in the metrics."""


class RuleParams(ParamsModel):
    """One rule."""

    by: Literal["score", "hash"]
    """score: highest first; hash: random, by a hash of content and seed."""
    min_score: float | None = None
    """Score below which a file is not chosen; null: no threshold."""


def candidates(scores: pa.Table, tokens: pa.Table) -> pa.Table:
    """Train files that have a score: columns of SELECTION_SCHEMA without rank, and content_sha256.

    A file outside the pool of embed_files has none, and cannot be chosen. The pool is drawn by content alone, so that its language mix is
    the corpus' up to chance; quotas follow the pool's own, which it can always fill. Raises ShardError if a scored file has no tokens.
    """
    scored = scores.filter(pc.equal(scores["split"], "train")).sort_by("file_id")
    counted = tokens.filter(pc.equal(tokens["split"], "train"))
    counted = counted.filter(pc.is_in(counted["file_id"], value_set=scored["file_id"])).sort_by("file_id")
    if scored["file_id"].to_pylist() != counted["file_id"].to_pylist():
        raise ShardError(
            f"data/score_files and data/tokenize_files: found {len(scored)} scored train files, {len(counted)} of them with tokens; "
            "allowed: one row in each; run `dvc repro`"
        )
    columns = ["file_id", "language", "repository", "content_sha256", "score"]
    return scored.select(columns).append_column("n_tokens", counted["n_tokens"].combine_chunks())


def select_files(files: pa.Table, shared: SelectionParams, rule: RuleParams) -> tuple[list[pa.Table], dict[str, Any]]:
    """(a table of SELECTION_SCHEMA per language, metrics). `files`: as `candidates` gives them.

    Raises EmptyResultError if the budget cannot be filled (unless shortfalls are to be stated), or does not hold one file.
    """
    budget = shared.horizon_tokens // shared.repeats
    available = tokens_by_language(files)
    quotas = language_quotas(available, min(budget, sum(available.values())))
    eligible = files if rule.min_score is None else files.filter(pc.greater_equal(files["score"], rule.min_score))
    reachable = tokens_by_language(eligible)
    shortfalls = {language: max(0, quota - reachable.get(language, 0)) for language, quota in quotas.items()}
    if shared.on_shortfall == "error":
        _check_filled(budget, available, shortfalls, shared, rule)
    ordered = in_order(eligible, rule.by, shared.seed, "select_files")
    chosen = cut_by_language(ordered, available, sum(quotas.values()) - sum(shortfalls.values()))
    if not len(chosen):
        raise EmptyResultError(
            f"params.yaml: pretrain.variants.{shared.horizon_of}.tokens: found {shared.horizon_tokens} for {shared.repeats} repeats; "
            "allowed: enough for one file; raise it, or lower min_score"
        )
    selected = rank_by_language(chosen, quotas)
    return selected, _metrics(files, selected, quotas, shortfalls, budget)


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


def in_order(files: pa.Table, by: Literal["score", "hash"], seed: int, *use: str | int) -> pa.Table:
    """Sorted by language, then by the rule, then by a hash of content, seed and `use`, then by file_id."""
    hashes = pa.array([unit_hash(seed, *use, digest) for digest in files["content_sha256"].to_pylist()], pa.float64())
    key = pc.negate(files["score"]) if by == "score" else hashes
    order = [("language", "ascending"), ("key", "ascending"), ("hash", "ascending"), ("file_id", "ascending")]
    return files.append_column("key", key).append_column("hash", hashes).sort_by(order).drop_columns(["key", "hash"])


def cut_by_language(ordered: pa.Table, available: Mapping[str, int], budget: int) -> pa.Table:
    """The first files of all languages, `budget` tokens in proportion to `available`. ordered: as in_order gives it."""
    merged = _merge(ordered, available)
    return merged.slice(0, files_within(merged["n_tokens"].to_numpy(), budget))


def files_within(n_tokens: np.ndarray, budget: int) -> int:
    """How many files of a row of files fit into `budget` tokens: each is taken if at least half of it fits."""
    return int(np.searchsorted(_twice_middles(n_tokens), 2 * budget, side="right"))


def rank_by_language(chosen: pa.Table, languages: Iterable[str]) -> list[pa.Table]:
    """A table of SELECTION_SCHEMA per language, files in the order in which `chosen` has them."""
    return [_ranked(chosen.filter(pc.equal(chosen["language"], language))) for language in languages]


def _merge(ordered: pa.Table, available: Mapping[str, int]) -> pa.Table:
    """All languages in one order: by the share of the language's train tokens at which the middle of the file is."""
    shares = []
    for language, tokens in available.items():
        n_tokens = ordered.filter(pc.equal(ordered["language"], language))["n_tokens"].to_numpy()
        shares.append(_twice_middles(n_tokens) / (2 * tokens))
    share = pa.array(np.concatenate(shares), pa.float64())
    place = pa.array(np.arange(len(ordered)), pa.int64())
    return ordered.append_column("share", share).append_column("place", place).sort_by([("share", "ascending"), ("place", "ascending")])


def _twice_middles(n_tokens: np.ndarray) -> np.ndarray:
    """Twice the position of each file's middle in a row of files, whole numbers."""
    sizes = n_tokens.astype(np.int64)
    return 2 * np.cumsum(sizes) - sizes


def _ranked(files: pa.Table) -> pa.Table:
    ranks = pa.array(np.arange(1, len(files) + 1), pa.int32())
    return files.append_column("rank", ranks).select(SELECTION_SCHEMA.names)


def _check_filled(
    budget: int, available: Mapping[str, int], shortfalls: Mapping[str, int], shared: SelectionParams, rule: RuleParams
) -> None:
    total = sum(available.values())
    if budget > total:
        most = total * shared.repeats + shared.repeats - 1
        raise EmptyResultError(
            f"params.yaml: pretrain.variants.{shared.horizon_of}.tokens: found {shared.horizon_tokens}, which at {shared.repeats} repeats "
            f"needs {budget} unique tokens of {total}; allowed: at most {most}; lower it, raise select_files.shared.repeats or widen the "
            "corpus"
        )
    short = {language: missing for language, missing in shortfalls.items() if missing}
    if short:
        lacking = ", ".join(f"{language} lacks {missing} tokens" for language, missing in short.items())
        raise EmptyResultError(
            f"params.yaml: select_files: found min_score {rule.min_score}, with which {lacking} of its share of {budget}; "
            "allowed: a threshold that leaves each language its share; lower it, or set select_files.shared.on_shortfall to state"
        )


def _metrics(
    files: pa.Table, selected: list[pa.Table], quotas: Mapping[str, int], shortfalls: Mapping[str, int], budget: int
) -> dict[str, Any]:
    chosen = pa.concat_tables(selected)
    available, taken = tokens_by_language(files), tokens_by_language(chosen)
    by_language = {
        language: {
            "available_tokens": available[language],
            "quota_tokens": quota,
            "shortfall_tokens": shortfalls[language],
            "tokens": taken.get(language, 0),
            "files": len(table),
        }
        for (language, quota), table in zip(quotas.items(), selected, strict=True)
    }
    return {
        "budget_tokens": budget,
        "shortfall_tokens": budget - sum(quotas.values()) + sum(shortfalls.values()),
        "tokens": sum(taken.values()),
        "files": len(chosen),
        "repositories": len(pc.unique(chosen["repository"])),
        "mean_score": pc.mean(chosen["score"]).as_py(),
        "mean_score_of_train": pc.mean(files["score"]).as_py(),
        "by_language": by_language,
    }
