"""The files that every arm chooses in every draw.

in: files of the pool, as choose_arm takes them   out: {(arm, draw): SELECTION_SCHEMA rows}; rows of CHOICE_SCHEMA; metrics of the arms
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snowcoder.experiment.branch_params import BranchesParams
from snowcoder.experiment.branch_rows import CHOICE_SCHEMA
from snowcoder.experiment.branches import Branch
from snowcoder.selection.arms import choose_arm

Choices = dict[tuple[str, int], pa.Table]


def choose_all(plan: Sequence[Branch], params: BranchesParams, files: pa.Table) -> Choices:
    """Every choice that a branch of the plan trains on, and those that they are matched to. Raises EmptyResultError, as choose_arm."""
    wanted = dict.fromkeys((branch.arm, branch.draw) for branch in plan)
    matched = {(arm, draw): params.arms[arm].matched_to for arm, draw in wanted}
    wanted |= dict.fromkeys((other, draw) for (_, draw), other in matched.items() if other is not None)
    return {
        (arm, draw): choose_arm(arm, params.arms, files, params.tokens, params.seed, draw, params.pool_fraction) for arm, draw in wanted
    }


def choice_rows(choices: Choices) -> Iterator[pa.Table]:
    """A table of CHOICE_SCHEMA columns per choice."""
    for (arm, draw), chosen in choices.items():
        named = {"arm": pa.array([arm] * len(chosen), pa.string()), "draw": pa.array([draw] * len(chosen), pa.int32())}
        columns = [named[name] if name in named else chosen[name] for name in CHOICE_SCHEMA.names]
        yield pa.table(columns, schema=CHOICE_SCHEMA)


def describe_arms(choices: Choices, params: BranchesParams) -> dict[str, Any]:
    """{arm: {draws, and means over them: unique_tokens, files, repositories, jaccard_between_draws (null for one draw), and of a matched
    arm jaccard_with_matched}}. The Jaccard index is that of tokens: those of both choices by those of either.
    """
    described = {}
    for arm, arm_params in params.arms.items():
        own = {draw: table for (name, draw), table in choices.items() if name == arm}
        described[arm] = {
            "draws": len(own),
            "unique_tokens": _mean(pc.sum(table["n_tokens"]).as_py() for table in own.values()),
            "files": _mean(len(table) for table in own.values()),
            "repositories": _mean(pc.count_distinct(table["repository"]).as_py() for table in own.values()),
            "jaccard_between_draws": _mean(
                token_jaccard(one, other) for draw, one in own.items() for later, other in own.items() if later > draw
            ),
        }
        if arm_params.matched_to is not None:
            others = {draw: choices[arm_params.matched_to, draw] for draw in own}
            described[arm]["jaccard_with_matched"] = _mean(token_jaccard(table, others[draw]) for draw, table in own.items())
    return described


def token_jaccard(one: pa.Table, other: pa.Table) -> float:
    """Tokens of the files of both choices, as a share of those of either."""
    first, second = _tokens_by_file(one), _tokens_by_file(other)
    both = sum(first[file] for file in first.keys() & second.keys())
    return both / (sum(first.values()) + sum(second.values()) - both)


def _tokens_by_file(chosen: pa.Table) -> Mapping[str, int]:
    return dict(zip(chosen["file_id"].to_pylist(), chosen["n_tokens"].to_pylist(), strict=True))


def _mean(values: Iterator[float]) -> float | None:
    found = list(values)
    return float(np.mean(found)) if found else None
