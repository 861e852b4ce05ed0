"""Measures how far the recipes agree, whether they separate files or only repositories, which files get the extreme scores,
and how they rank benchmark solutions against unseen files.

in: per recipe, the rows of scoring of the train split; selections   out: numbers for metrics, rows of EXTREMES_SCHEMA
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.stats import rankdata, spearmanr

from snowcoder.source_files.records import text_columns

N_EXTREMES = 10
# Below this, four fifths of what a recipe says about a file is already known from the repository's name.
MIN_WITHIN_REPOSITORY_SHARE = 0.2
# end: highest or lowest; place: from 1, the very end
EXTREMES_SCHEMA = pa.schema(
    [
        *(*text_columns("recipe", "end"), ("place", pa.int32())),
        *text_columns("file_id", "language", "repository", "path", "licence"),
        *(("n_bytes", pa.int64()), ("score", pa.float64())),
    ]
)


def rank_correlations(scores: Mapping[str, pa.Table]) -> dict[str, float]:
    """{"EDU and INS": Spearman's correlation of their ranks within each language}; tables of the same files in the same order."""
    shares = {recipe: _shares_within_language(table) for recipe, table in scores.items()}
    return {f"{a} and {b}": float(spearmanr(shares[a], shares[b]).statistic) for a, b in combinations(shares, 2)}


def overlaps(selections: Mapping[str, pa.Table]) -> dict[str, float]:
    """{"EDU and INS": tokens that both select, as a share of the tokens that one of them selects (Jaccard)}."""
    tokens = {
        recipe: dict(zip(table["file_id"].to_pylist(), table["n_tokens"].to_pylist(), strict=True)) for recipe, table in selections.items()
    }
    found = {}
    for a, b in combinations(tokens, 2):
        either = tokens[a] | tokens[b]
        both = sum(either[file_id] for file_id in tokens[a].keys() & tokens[b].keys())
        found[f"{a} and {b}"] = both / sum(either.values())
    return found


def repository_variances(scores: Mapping[str, pa.Table]) -> dict[str, dict[str, Any]]:
    """{recipe: {between_repositories, within_repositories, sorts_repositories, repositories, files}}: shares of the variance of scores.

    A language's mean is taken out of its scores first, as files are ranked within their language. Of repositories with two files or more:
    a single file says nothing about the spread within. The share between is the adjusted R2 of a one-way analysis of variance,
    1 - (SS_within / (files - repositories)) / (SS_total / (files - 1)), at least 0: chance gives 0 however many repositories there are.
    Shares are None where there are not two such repositories, or all scores are the same.
    """
    return {recipe: _repository_variance(table) for recipe, table in scores.items()}


def repository_warnings(variances: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A line for each recipe that sorts repositories, not files. variances: of repository_variances."""
    few = {recipe: shares["within_repositories"] for recipe, shares in variances.items() if shares["sorts_repositories"]}
    return [
        f"warning: {recipe} sorts repositories, not files: {share:.1%} of the variance of its scores is within repositories "
        f"(expected: at least {MIN_WITHIN_REPOSITORY_SHARE:.0%})"
        for recipe, share in few.items()
    ]


def _repository_variance(table: pa.Table) -> dict[str, Any]:
    values = _deviations(table["score"].to_numpy().astype(np.float64), _codes(table["language"]))
    groups = _codes(table["repository"])
    chosen = np.bincount(groups)[groups] > 1
    values, groups = values[chosen], np.unique(groups[chosen], return_inverse=True)[1]
    n_files, n_repositories = len(values), len(np.unique(groups))
    counts: dict[str, Any] = {"files": n_files, "repositories": n_repositories}
    total = float(((values - values.mean()) ** 2).sum()) / (n_files - 1) if n_files else 0.0
    if n_repositories < 2 or total == 0.0:
        return counts | {"between_repositories": None, "within_repositories": None, "sorts_repositories": False}
    within = min(1.0, float((_deviations(values, groups) ** 2).sum()) / (n_files - n_repositories) / total)
    shares = {"between_repositories": 1.0 - within, "within_repositories": within}
    return counts | shares | {"sorts_repositories": within < MIN_WITHIN_REPOSITORY_SHARE}


def _codes(column: pa.ChunkedArray) -> np.ndarray:
    """int64[rows]: which of the distinct values a row has."""
    return np.unique(np.array(column.to_pylist(), dtype=object).astype(str), return_inverse=True)[1]


def _deviations(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """float64[rows]: value minus the mean of its group."""
    return values - (np.bincount(groups, weights=values) / np.bincount(groups))[groups] if len(values) else values


def extremes(scores: Mapping[str, pa.Table]) -> pa.Table:
    """The N_EXTREMES highest and lowest files of each recipe as EXTREMES_SCHEMA; ties by content hash."""
    parts = []
    for recipe, table in scores.items():
        for end, order in (("highest", "descending"), ("lowest", "ascending")):
            chosen = table.sort_by([("score", order), ("content_sha256", "ascending")]).slice(0, N_EXTREMES)
            columns = {"recipe": [recipe] * len(chosen), "end": [end] * len(chosen), "place": range(1, len(chosen) + 1)}
            parts.append(pa.table([*columns.values(), *(chosen[name] for name in EXTREMES_SCHEMA.names[3:])], schema=EXTREMES_SCHEMA))
    return pa.concat_tables(parts)


def name_extremes(table: pa.Table) -> dict[str, dict[str, list[str]]]:
    """{recipe: {"highest": ["repository/path (score)"], "lowest": …}}."""
    named: dict[str, dict[str, list[str]]] = {}
    for row in table.to_pylist():
        text = f"{row['repository']}/{row['path']} ({row['score']:.2f}, {row['language']}, {row['n_bytes']} bytes)"
        named.setdefault(row["recipe"], {}).setdefault(row["end"], []).append(text)
    return named


def roc_auc(positives: Sequence[float] | np.ndarray, negatives: Sequence[float] | np.ndarray) -> float:
    """Probability that a positive scores above a negative, ties counted as half (Mann and Whitney 1947)."""
    ranks = rankdata(np.concatenate([positives, negatives]))
    n_positive, n_negative = len(positives), len(negatives)
    return float((ranks[:n_positive].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def _shares_within_language(table: pa.Table) -> np.ndarray:
    """Rank within the language, as a share of its files."""
    shares = np.empty(len(table))
    languages = np.array(table["language"].to_pylist())
    scores = table["score"].to_numpy()
    for language in pc.unique(table["language"]).to_pylist():
        chosen = languages == language
        shares[chosen] = rankdata(scores[chosen]) / chosen.sum()
    return shares


def align_with_benchmarks(
    scores: Mapping[str, pa.Table], solutions: Mapping[str, np.ndarray], benchmarks: np.ndarray, n_bytes: np.ndarray
) -> dict[str, Any]:
    """describe_alignment against the held-out Python files of `scores`, `length` (what the length of a text alone would give) next to it.

    solutions: recipe -> score of each solution. benchmarks, n_bytes: of each solution.
    """
    unseen = {
        recipe: table.filter(pc.and_(pc.equal(table["split"], "held_out"), pc.equal(table["language"], "python")))
        for recipe, table in scores.items()
    }
    chosen = {name: benchmarks == name for name in sorted(set(benchmarks.tolist()))}
    by_benchmark = {recipe: {name: values[rows] for name, rows in chosen.items()} for recipe, values in solutions.items()}
    aligned = describe_alignment(by_benchmark, {recipe: table["score"].to_numpy() for recipe, table in unseen.items()})
    others = next(iter(unseen.values()))["n_bytes"].to_numpy()
    shorter = {name: roc_auc(-n_bytes[rows], -others) for name, rows in chosen.items()}
    return aligned | {"length": {name: max(area, 1 - area) for name, area in shorter.items()}, "unseen_files": len(others)}


def describe_alignment(scores: Mapping[str, Mapping[str, np.ndarray]], unseen: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """{recipe: {benchmark: ROC-AUC of its solutions against unseen files}}. scores: recipe -> benchmark -> scores; unseen: recipe -> …"""
    return {recipe: {name: roc_auc(values, unseen[recipe]) for name, values in sets.items()} for recipe, sets in scores.items()}
