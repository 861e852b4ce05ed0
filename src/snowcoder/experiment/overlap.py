"""How much more the mean of several draws varies than the draws show, where they are parts of one pool and share items.

in: the share of its items that one draw has in common with another, the number of draws   out: a factor of the standard error

k draws of n items each, of variance v per item: a draw's mean has variance v / n, two draws' means have covariance shared x v / n. So the
mean of the draws varies by (1 + (k - 1) shared) v / (k n) from one pool to the next, but from the differences between the draws one
estimates (1 - shared) v / (k n). A draw that takes the best of a random part of the pool shares that part's fraction with another.
"""


def overlap_factor(shared: float, draws: int) -> float | None:
    """Standard deviation over pools of the mean of `draws` draws, by the standard error that they show; None if they share everything.

    Raises ValueError for a share outside 0 to 1 or less than one draw.
    """
    if not 0 <= shared <= 1 or draws < 1:
        raise ValueError(f"overlap_factor: share {shared} and {draws} draws; allowed: 0 to 1, and at least one draw")
    return None if shared == 1 else ((1 + (draws - 1) * shared) / (1 - shared)) ** 0.5
