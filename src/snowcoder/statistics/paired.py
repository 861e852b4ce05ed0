"""Paired comparison of two models on the same problems.

in: what each solved   out: a p-value
"""

from math import comb


def mcnemar_p_value(only_first: int, only_second: int) -> float:
    """Exact two-sided McNemar test (McNemar 1947): problems solved by one model only, against a fair coin.

    Problems that both solved, or neither, say nothing about a difference and are left out. 1.0 where there is no discordant problem.
    """
    discordant = only_first + only_second
    tail = sum(comb(discordant, k) for k in range(min(only_first, only_second) + 1))
    return min(1.0, 2 * tail / 2**discordant)
