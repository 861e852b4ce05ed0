"""Compares arms over several draws, each a block: value of a run = level of its arm + what its draw adds + residual.

in: arm, draw and value of each run   out: the arms' levels; differences between arms with t intervals

The additive model of a randomised block design (Fisher 1935): what all arms of a draw share (the same part of the pool, the same order of
training) falls out of a difference. Runs are the unit: more texts do not narrow these intervals. The residual variance is pooled over all
arms, so that an arm with a single draw has an interval too, whose width then is that of the others; draws may be missing from an arm.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from snowcoder.statistics.intervals import CONFIDENCE
from snowcoder.statistics.multiple import dunnett_quantile


@dataclass(frozen=True)
class BlockDesign:
    """Which arms ran in which draws, without values: enough to say how sharply two arms will be told apart.

    matrix: [runs, arms + draws - 1], of the linear model. weights: [arms, runs]; an arm's level is this sum of the runs' values.
    """

    arms: tuple[str, ...]
    matrix: np.ndarray
    weights: np.ndarray

    @property
    def degrees_of_freedom(self) -> int:
        """Runs that are left to estimate the residual variance."""
        return self.matrix.shape[0] - self.matrix.shape[1]

    def contrast(self, first: str, second: str) -> np.ndarray:
        """[runs]: the difference of two arms' levels is this sum of the runs' values."""
        return self.weights[self.arms.index(first)] - self.weights[self.arms.index(second)]


@dataclass(frozen=True)
class Difference:
    """first - second. standard_error, interval, p_value (two-sided t test of no difference): None without a spare run."""

    value: float
    standard_error: float | None = None
    interval: tuple[float, float] | None = None
    p_value: float | None = None


@dataclass(frozen=True)
class BlockFit:
    """levels: of each arm, at the average draw. spread: residual standard deviation of a run; None without a spare run."""

    design: BlockDesign
    levels: dict[str, float]
    spread: float | None

    def difference(self, first: str, second: str, confidence: float = CONFIDENCE) -> Difference:
        """One comparison, with Student's t interval."""
        from scipy.stats import t  # slow to import, and rarely needed

        df = self.design.degrees_of_freedom
        error = self._error(first, second)
        value = self.levels[first] - self.levels[second]
        p_value = None if not error else float(2 * t.sf(abs(value) / error, df))
        return self._with(value, error, float(t.ppf(0.5 + confidence / 2, df)) if error else 0.0, p_value)

    def simultaneous(self, pairs: Sequence[tuple[str, str]], confidence: float = CONFIDENCE) -> list[Difference]:
        """Several comparisons (first, second) with intervals that all hold at once: Dunnett's, for the block model.

        No pair may follow from others, as (a, c) does from (a, b) and (b, c); so is every arm against one control.
        """
        if not self.spread or not pairs:
            return [Difference(self.levels[first] - self.levels[second]) for first, second in pairs]
        contrasts = np.stack([self.design.contrast(first, second) for first, second in pairs])
        width = dunnett_quantile(contrasts @ contrasts.T, self.design.degrees_of_freedom, confidence)
        return [self._with(self.levels[first] - self.levels[second], self._error(first, second), width, None) for first, second in pairs]

    def _error(self, first: str, second: str) -> float | None:
        return None if self.spread is None else self.spread * float(np.linalg.norm(self.design.contrast(first, second)))

    @staticmethod
    def _with(value: float, error: float | None, width: float, p_value: float | None) -> Difference:
        if not error:
            return Difference(value)
        return Difference(value, error, (value - width * error, value + width * error), p_value)


def block_design(arms: Sequence[str], draws: Sequence[int]) -> BlockDesign:
    """The design of runs, each with an arm and a draw.

    Raises ValueError for no run, and for arms that no common draw connects, not even through other arms.
    """
    names, blocks = tuple(dict.fromkeys(arms)), tuple(dict.fromkeys(draws))
    if not names or len(arms) != len(draws):
        raise ValueError(f"block_design: {len(arms)} arms and {len(draws)} draws; needs one of each for every run, at least one")
    of_arm = np.array([[arm == name for name in names] for arm in arms], dtype=np.float64)
    of_draw = np.array([[draw == block for block in blocks] for draw in draws], dtype=np.float64)
    # the draws' parts sum to 0, so that an arm's level is that at the average draw
    matrix = np.hstack([of_arm, of_draw[:, :-1] - of_draw[:, -1:]])
    if np.linalg.matrix_rank(matrix) < matrix.shape[1]:
        raise ValueError(f"block_design: arms {', '.join(names)} in draws {blocks}: some arms share no draw with the others")
    return BlockDesign(names, matrix, np.linalg.pinv(matrix)[: len(names)])


def fit_blocks(arms: Sequence[str], draws: Sequence[int], values: ArrayLike) -> BlockFit:
    """Least squares. arms, draws, values: one of each for every run. Raises as block_design."""
    design = block_design(arms, draws)
    found = np.asarray(values, dtype=np.float64)
    solution = np.linalg.lstsq(design.matrix, found, rcond=None)[0]
    residuals = found - design.matrix @ solution
    df = design.degrees_of_freedom
    levels = {arm: float(level) for arm, level in zip(design.arms, design.weights @ found, strict=True)}
    return BlockFit(design, levels, float(np.sqrt(residuals @ residuals / df)) if df else None)
