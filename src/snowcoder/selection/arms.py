"""Chooses the files of an arm of an experiment: one way of choosing data, compared with others of the same budget and language mix.

in: train files of the pool, as arm_files reads them   out: rows of SELECTION_SCHEMA, by language, then rank; score is null for `random`

A draw is a part of the pool, decided by a hash of content, and all its arms choose from that part: arms are compared within a draw, and
draws differ as fresh samples of the pool would. Every arm keeps the language mix of its draw's part and is cut by budgeted_selection.

A matched arm takes random files, with as many tokens of each cell as the arm that it is matched to chose in the same draw. A cell is a
repository or a length class (a power of two of bytes) within a language. Files of the other arm's choice may be among them: a cell may hold
no others. Files are whole, so that cells cannot be met exactly: each is cut where half of the next file fits, and what it lacks or exceeds
goes to the next cell, as rounding errors are passed on. At every point of that row of cells, the tokens so far are within half a file of
the other arm's; so the arm as a whole is too, and each cell and language misses its own by half a file at each of its two ends at most.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from snowcoder.errors import EmptyResultError
from snowcoder.pipeline.param_faults import did_you_mean, shown
from snowcoder.pipeline.params import ParamsModel
from snowcoder.seeding import unit_hash
from snowcoder.selection.budgeted_selection import cut_by_language, files_within, in_order, rank_by_language, tokens_by_language

RANDOM = "random"
Cell = tuple[str, str | int]  # language, and repository or length class


class ArmParams(ParamsModel):
    """One way of choosing the files that a branch trains on."""

    by: str
    """What files are chosen by, highest first within each language: the name of a recipe (data/score_files) or of a score of
    data/score_baselines; `random`: by a hash of content, draw and arm.
    """
    matched_to: str | None = None
    """The arm whose choice of the same draw a random arm matches; null: none."""
    match: Literal["repository", "length"] | None = None
    """What has as many tokens as in that choice, within each language: each repository, or each power of two of a file's bytes."""
    repeats: int = Field(default=1, ge=1)
    """Times that each token is seen: the arm chooses a branch's tokens // repeats unique tokens."""
    draws: int | None = Field(default=None, ge=1)
    """Draws in which the arm is trained, the first ones; null: all."""

    @model_validator(mode="after")
    def _matched(self) -> "ArmParams":
        if self.matched_to is not None and self.by != RANDOM:
            raise ValueError(f"matched_to: found {shown(self.matched_to)}; allowed: null, for by: {self.by} has an order of its own")
        if self.matched_to is not None and self.match is None:
            raise ValueError("match: found null; allowed: repository, length, for an arm with matched_to")
        if self.match is not None and self.matched_to is None:
            raise ValueError(f"match: found {self.match}; allowed: null, for an arm without matched_to")
        return self


def arm_faults(arms: Mapping[str, ArmParams], scores: Collection[str]) -> Iterator[str]:
    """What the arms of a section demand of each other and of `scores`, the names of scores: a line for each fault."""
    for name, arm in arms.items():
        if arm.by != RANDOM and arm.by not in scores:
            allowed = [RANDOM, *scores]
            yield f"arms.{name}.by: found {shown(arm.by)}; {did_you_mean(arm.by, allowed)}allowed: {', '.join(allowed)}"
        if arm.matched_to is None:
            continue
        # an arm that is matched itself chooses at random: matched to it, arms could also go round in a circle
        others = [other for other, params in arms.items() if params.matched_to is None and other != name]
        if arm.matched_to not in others:
            hint = did_you_mean(arm.matched_to, others)
            allowed_names = ", ".join(others) or "none: each of them is matched to another"
            yield f"arms.{name}.matched_to: found {shown(arm.matched_to)}; {hint}allowed: an arm without matched_to: {allowed_names}"
        elif arm.repeats != arms[arm.matched_to].repeats:
            repeats = arms[arm.matched_to].repeats
            yield f"arms.{name}.repeats: found {arm.repeats}; allowed: {repeats}, as its matched_to, {arm.matched_to}, has it"


def choose_arm(
    name: str, arms: Mapping[str, ArmParams], files: pa.Table, budget_tokens: int, seed: int, draw: int, pool_fraction: float
) -> pa.Table:
    """SELECTION_SCHEMA rows of arm `name` in draw `draw`, whatever the order of `files`.

    files: train files with file_id, language, repository, content_sha256, n_bytes, n_tokens, and a float64 column for each score that an
    arm names, without nulls. budget_tokens: tokens that the branch trains on, repeats included. pool_fraction: share of the files that
    belong to a draw. Raises EmptyResultError if the draw's files cannot fill the budget, or no file fits into it.
    """
    arm, unique_tokens = arms[name], budget_tokens // arms[name].repeats
    part = draw_part(files, seed, draw, pool_fraction)
    available = tokens_by_language(part)
    if sum(available.values()) < unique_tokens:
        raise EmptyResultError(
            f"arm {name}, draw {draw}: found {sum(available.values())} tokens in its part of the pool, pool_fraction {pool_fraction}; "
            f"allowed: at least {unique_tokens}, the tokens of a branch // repeats; lower tokens, or raise pool_fraction or repeats"
        )
    score = pa.nulls(len(part), pa.float64()) if arm.by == RANDOM else part[arm.by]
    ordered = in_order(part.append_column("score", score), "hash" if arm.by == RANDOM else "score", seed, "arm", name, draw)
    if arm.matched_to is None or arm.match is None:
        chosen = cut_by_language(ordered, available, unique_tokens)
    else:
        other = choose_arm(arm.matched_to, arms, files, budget_tokens, seed, draw, pool_fraction)
        cells = tokens_by_cell(part.take(pc.index_in(other["file_id"], part["file_id"])), arm.match)
        order = sorted(cells, key=lambda cell: (cell[0], unit_hash(seed, "arm", name, draw, *cell)))
        chosen = _cut_by_cell(ordered, arm.match, {cell: cells[cell] for cell in order})
    if not len(chosen):
        raise EmptyResultError(
            f"arm {name}, draw {draw}: found no file that fits into {unique_tokens} tokens; raise the tokens of a branch"
        )
    return pa.concat_tables(rank_by_language(chosen, available)).combine_chunks()


def draw_part(files: pa.Table, seed: int, draw: int, pool_fraction: float) -> pa.Table:
    """The files that the arms of a draw choose from: each belongs to it with probability pool_fraction, independently of other draws."""
    chosen = [unit_hash(seed, "draw", draw, digest) < pool_fraction for digest in files["content_sha256"].to_pylist()]
    return files.filter(pa.array(chosen, pa.bool_()))


def tokens_by_cell(files: pa.Table, match: Literal["repository", "length"]) -> dict[Cell, int]:
    """Tokens of each cell. files: with language, n_tokens, and repository or n_bytes."""
    tokens: dict[Cell, int] = defaultdict(int)
    for cell, n_tokens in zip(_cells(files, match), files["n_tokens"].to_pylist(), strict=True):
        tokens[cell] += n_tokens
    return dict(tokens)


def _cells(files: pa.Table, match: Literal["repository", "length"]) -> list[Cell]:
    languages = files["language"].to_pylist()
    if match == "repository":
        return list(zip(languages, files["repository"].to_pylist(), strict=True))
    return list(zip(languages, (n_bytes.bit_length() for n_bytes in files["n_bytes"].to_pylist()), strict=True))


def _cut_by_cell(ordered: pa.Table, match: Literal["repository", "length"], quotas: Mapping[Cell, int]) -> pa.Table:
    """The first files of each cell; quotas: tokens of each, in the order in which rounding errors are passed on."""
    rows: dict[Cell, list[int]] = defaultdict(list)
    for row, cell in enumerate(_cells(ordered, match)):
        rows[cell].append(row)
    n_tokens = ordered["n_tokens"].to_numpy().astype(np.int64)
    taken: list[int] = []
    carried = 0
    for cell, quota in quotas.items():
        fitting = rows[cell][: files_within(n_tokens[rows[cell]], quota + carried)]
        taken += fitting
        carried += quota - int(n_tokens[fitting].sum())
    return ordered.take(pa.array(sorted(taken), pa.int64()))
