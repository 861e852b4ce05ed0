"""Says before any training which differences the planned branches will be able to see.

in: params.yaml, data/pilot.csv   out: of each claim the smallest detectable difference

Columns of data/pilot.csv: spread (`draw`: standard deviation between arms' runs on different draws; `order`: between runs on the same files
in another order), bits_per_byte, unique_tokens (of a run), runs, measured (setting and date). The spread between draws is that of the mean
of the chosen files, so that it falls with the root of their tokens; that between orders is taken to stay. What all arms of a draw share
falls out of a difference, but not out of a spread between draws: the plan is careful rather than bold.
"""

import csv
from math import hypot, sqrt
from pathlib import Path
from typing import NamedTuple

import numpy as np

from snowcoder.errors import ParameterError
from snowcoder.experiment.branch_params import BranchesParams
from snowcoder.experiment.branches import plan_branches
from snowcoder.experiment.claims import SIGNIFICANCE
from snowcoder.statistics.block_model import block_design
from snowcoder.statistics.power import smallest_detectable

PILOT = Path("data/pilot.csv")


class Pilot(NamedTuple):
    """Spreads (standard deviations) in bits per byte. draw_tokens: unique tokens of the runs that draw_spread was measured on."""

    draw_spread: float
    draw_tokens: float
    order_spread: float

    def spread(self, unique_tokens: float) -> float:
        """Expected standard deviation of a run on as many unique tokens."""
        return hypot(self.draw_spread * sqrt(self.draw_tokens / unique_tokens), self.order_spread)


class PlannedClaim(NamedTuple):
    """A claim before the run. draws: of its two arms. detectable: None if no run is left to estimate the residual variance from."""

    better: str
    worse: str
    draws: tuple[int, int]
    standard_error: float
    detectable: float | None


def read_pilot(path: Path = PILOT) -> Pilot:
    """The committed spreads. Raises ParameterError for a missing row or a number that is none."""
    try:
        with path.open(newline="") as file:
            rows = {row["spread"]: row for row in csv.DictReader(file)}
        draw, order = rows["draw"], rows["order"]
        return Pilot(float(draw["bits_per_byte"]), float(draw["unique_tokens"]), float(order["bits_per_byte"]))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ParameterError(
            f"{path}: cannot be read ({type(error).__name__}: {error}); allowed: rows draw and order, with numbers in the columns "
            "bits_per_byte and unique_tokens; `git checkout` restores it"
        ) from error


def planned_claims(params: BranchesParams, pilot: Pilot) -> list[PlannedClaim]:
    """Every claim, two-sided at 5% after Holm's first step (5% divided by the number of claims), found with 80% probability."""
    runs = [branch for branch in plan_branches(params) if branch.learning_rate == params.learning_rates[0]]
    design = block_design([run.arm for run in runs], [run.draw for run in runs])
    spreads = np.array([pilot.spread(params.tokens // params.arms[run.arm].repeats) for run in runs])
    df = design.degrees_of_freedom
    found = []
    for better, worse in params.claims:
        error = float(np.linalg.norm(design.contrast(better, worse) * spreads))
        draws = (params.draws_of(better, further_rate=False), params.draws_of(worse, further_rate=False))
        detectable = smallest_detectable(error, df, SIGNIFICANCE / len(params.claims)) if df else None
        found.append(PlannedClaim(better, worse, draws, error, detectable))
    return found
