"""Whole clusters are resampled: by properties, and by how often the interval holds the truth when items of a cluster are alike."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.seeding import generator
from snowcoder.statistics.clustered import clustered_ratio_interval, sum_by_cluster
from snowcoder.statistics.intervals import bootstrap_ratio_interval

Items = list[tuple[float, float, str]]
FEW = 200  # resamples
ITEMS = st.lists(
    st.tuples(st.floats(0, 1e4, allow_subnormal=False), st.floats(1, 1e4), st.sampled_from("abcde")), min_size=2, max_size=30
).filter(lambda items: len({cluster for _, _, cluster in items}) > 1)


def interval(items: Items, seed: int = 1) -> tuple[float, float]:
    above, below, clusters = zip(*items, strict=True)
    return clustered_ratio_interval(above, below, clusters, seed, FEW)


@given(ITEMS)
def test_one_item_a_cluster_is_the_plain_bootstrap(items: Items) -> None:
    above, below, _ = zip(*items, strict=True)
    own = [str(place) for place in range(len(items))]
    assert clustered_ratio_interval(above, below, own, 1, FEW) == bootstrap_ratio_interval(above, below, 1, FEW)


@given(ITEMS, st.permutations("vwxyz"))
def test_what_clusters_are_called_changes_nothing(items: Items, names: list[str]) -> None:
    renamed = dict(zip("abcde", names, strict=True))
    assert interval([(above, below, renamed[cluster]) for above, below, cluster in items]) == interval(items)


@given(ITEMS, st.integers(2, 4))
def test_more_of_the_same_within_clusters_narrows_nothing(items: Items, times: int) -> None:
    assert interval([item for item in items for _ in range(times)]) == pytest.approx(interval(items))


@given(ITEMS)
def test_sums_keep_everything_in_the_order_of_first_occurrence(items: Items) -> None:
    above, _, clusters = zip(*items, strict=True)
    expected: dict[str, float] = {}
    for value, cluster in zip(above, clusters, strict=True):
        expected[cluster] = expected.get(cluster, 0.0) + value
    found = sum_by_cluster([above, np.ones(len(above))], clusters)
    assert found.tolist() == [list(expected.values()), [float(clusters.count(cluster)) for cluster in expected]]


def test_a_hand_computed_point() -> None:
    # clusters 1/2 and 3/2: resamples give 1/2, 2/2 and 3/2
    assert clustered_ratio_interval([0.0, 1.0, 3.0], [1.0, 1.0, 2.0], ["a", "a", "b"], seed=1) == (0.5, 1.5)


def _coverage(clustered: bool) -> float:
    """Share of 200 trials whose 95% interval holds the mean 0 of 30 clusters of 10 items, half of whose variance is the cluster's."""
    draws = generator(1, "coverage")
    clusters = np.repeat([str(number) for number in range(30)], 10).tolist()
    own = [str(number) for number in range(300)]
    held = 0
    for trial in range(200):
        values = np.repeat(draws.normal(size=30), 10) + draws.normal(size=300)
        low, high = clustered_ratio_interval(values, np.ones(300), clusters if clustered else own, trial, 400)
        held += low <= 0 <= high
    return held / 200


def test_the_interval_holds_the_truth_as_often_as_it_says_where_items_are_alike() -> None:
    # 0.95 less the bootstrap's known shortfall with 30 clusters; taken as independent, items give about 0.6
    assert 0.88 <= _coverage(clustered=True) <= 0.99
    assert _coverage(clustered=False) < 0.75


@pytest.mark.parametrize(
    ("above", "below", "clusters"),
    [([], [], []), ([1.0], [1.0], ["a"]), ([1.0, 2.0], [1.0, 0.0], ["a", "b"]), ([1.0, 2.0], [1.0, 1.0], ["a"])],
)
def test_what_gives_no_interval_is_refused(above: list[float], below: list[float], clusters: list[str]) -> None:
    with pytest.raises(ValueError, match="clustered_ratio_interval"):
        clustered_ratio_interval(above, below, clusters, seed=1)
