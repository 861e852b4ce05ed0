"""Made-up tables of branches: every arm's, draw's and set's part is known, so that results can be computed by hand."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from snowcoder.experiment.branch_params import BranchesParams
from snowcoder.experiment.branch_table import BranchBits, group_branches
from snowcoder.experiment.branches import PARENT, Branch, plan_branches

SETS = {"humaneval": 4, "mbpp_plus": 6, "held_out": 5}  # set -> texts
N_BYTES = 100
ARMS: dict[str, dict[str, Any]] = {
    "random": {"by": "random"},
    "HQ": {"by": "HQ"},
    "HQ_repository": {"by": "random", "matched_to": "HQ", "match": "repository"},
    "shortest": {"by": "shortest"},
}


def branches_params(**changed: Any) -> BranchesParams:
    """Four arms in four draws at two learning rates, unless `changed`."""
    return BranchesParams.model_validate(branches_values(**changed))


def branches_values(**changed: Any) -> dict[str, Any]:
    """The same as params.yaml has it."""
    values: dict[str, Any] = {
        "parent": "models/pretrain/general",
        "tokens": 4096,
        "batch_tokens": 1024,
        "pool_fraction": 0.5,
        "seed": 1,
        "draws": 4,
        "schedule": {"kind": "linear", "final_fraction": 0.0, "warmup_steps": 1},
        "learning_rates": [3e-4, 1e-5],
        "sensitivity_draws": 4,
        "arms": ARMS,
        "endpoint": ["humaneval", "mbpp_plus"],
        "claims": [["HQ", "random"], ["HQ", "HQ_repository"], ["shortest", "random"]],
        "min_rank_correlation": 0.9,
    }
    return values | changed


def rows_of(branch: Branch, value: float, trigram: float, sets: Mapping[str, int] = SETS) -> list[dict[str, Any]]:
    """Texts of one branch, each of `value` bits per byte; two of them share a cluster."""
    return [
        {
            "arm": branch.arm,
            "draw": branch.draw,
            "learning_rate": branch.learning_rate,
            "set": name,
            "item": item,
            "cluster": f"{name}-{item // 2}",
            "n_bytes": N_BYTES,
            "bits": value * N_BYTES,
            "bigram_bits": (trigram + 0.1) * N_BYTES,
            "trigram_bits": trigram * N_BYTES,
        }
        for name, n_texts in sets.items()
        for item in range(n_texts)
    ]


def made_up(
    params: BranchesParams, value: Callable[[Branch], float], alpha: float = 2.0, trigram: float = 2.2, without: tuple[Branch, ...] = ()
) -> BranchBits:
    """A table in which a branch needs `value(branch)` bits per byte on every text."""
    rows = rows_of(PARENT, alpha, trigram)
    for branch in plan_branches(params):
        if branch not in without:
            rows += rows_of(branch, value(branch), trigram)
    return group_branches(rows)


def noisy(effects: Mapping[str, float], spread: float, seed: int) -> Callable[[Branch], float]:
    """Level 2 plus the arm's effect, a part of the draw, and normal noise of each branch."""
    draws = np.random.default_rng(seed)
    drawn: dict[Branch, float] = {}

    def value(branch: Branch) -> float:
        noise = drawn.setdefault(branch, float(draws.normal(scale=spread)))
        return 2.0 + effects[branch.arm] + 0.05 * branch.draw + noise

    return value
