"""The whole analysis of made-up branches: endpoint, floors, n-grams taken off, sets, missing branches, and when nothing is claimed."""

import pytest

from snowcoder.errors import ShardError, SnowcoderError
from snowcoder.experiment.analysis import analyse
from snowcoder.experiment.branch_table import group_branches, mean_bits_per_byte
from snowcoder.experiment.branches import PARENT, Branch
from tests.experiment.made_up_branches import ARMS, SETS, branches_params, made_up, noisy, rows_of

EFFECTS = {"random": 0.0, "HQ": -0.1, "HQ_repository": -0.06, "shortest": 0.05}
LOW = 1e-5


def test_the_endpoint_is_the_mean_over_its_sets_each_weighing_the_same() -> None:
    """humaneval 100 bits on 100 bytes and 50 on 100: 0.75; mbpp_plus 400 on 100: 4; mean 2.375."""
    rows = [
        {**row, "bits": bits} for row, bits in zip(rows_of(PARENT, 0, 1.0, {"humaneval": 2, "mbpp_plus": 1}), (100, 50, 400), strict=True)
    ]
    sets = group_branches(rows)[PARENT]
    assert mean_bits_per_byte(sets, ["humaneval", "mbpp_plus"]) == pytest.approx(2.375)
    assert mean_bits_per_byte(sets, ["mbpp_plus"]) == pytest.approx(4)
    assert mean_bits_per_byte(sets, ["mbpp_plus"], less="trigram") == pytest.approx(3)
    assert mean_bits_per_byte(sets, ["mbpp_plus"], less="bigram") == pytest.approx(2.9)


def test_a_clear_experiment() -> None:
    params = branches_params()
    found = analyse(made_up(params, noisy(EFFECTS, 0.002, 1)), params)
    assert [one.arm for one in found.ranked] == ["HQ", "HQ_repository", "random", "shortest"]
    assert [one.verdict for one in found.claims] == ["better", "better", "worse"]
    assert not found.is_demonstration
    assert found.rank_correlation_halves == pytest.approx(1)
    assert found.is_ranking_claimed
    assert found.missing == []
    assert found.sets == ["humaneval", "mbpp_plus", "held_out"]
    assert found.smallest_detectable is not None
    assert 0.002 < found.smallest_detectable < 0.02


def test_learning_rates_that_rank_otherwise_forbid_a_ranking_but_not_the_claims() -> None:
    params = branches_params()
    value = noisy(EFFECTS, 0.002, 1)
    found = analyse(made_up(params, lambda run: value(run) if run.learning_rate != LOW else 4 - value(run)), params)
    assert found.rank_correlation_rates[LOW] == pytest.approx(-1)
    assert not found.is_ranking_claimed
    assert found.claims[0].verdict == "better"


def test_alpha_that_does_not_beat_the_trigram_is_a_demonstration() -> None:
    params = branches_params()
    found = analyse(made_up(params, noisy(EFFECTS, 0.002, 1), alpha=2.2, trigram=2.2), params)
    assert found.is_demonstration
    assert found.sets_behind_trigram == list(SETS)
    assert not found.is_ranking_claimed


def test_alpha_has_to_beat_the_trigram_on_every_set_whichever_texts_are_taken() -> None:
    """On held_out it needs fewer bits on average, but more in one repository of three: other repositories may turn it round."""
    params = branches_params(draws=2, sensitivity_draws=0)
    rows = rows_of(PARENT, 2.0, 2.2)
    for row in rows:
        if row["cluster"] == "held_out-0":
            row["bits"] = 2.3 * row["n_bytes"]
    rows += [row for draw in (1, 2) for arm in ARMS for row in rows_of(Branch(arm, draw, 3e-4), 2.0, 2.2)]
    found = analyse(group_branches(rows), params)
    assert found.floors["alpha"]["held_out"].model < found.floors["alpha"]["held_out"].trigram
    assert found.sets_behind_trigram == ["held_out"]


def test_what_is_not_lexical_leaves_out_what_the_trigram_gains_too() -> None:
    """HQ needs 0.1 fewer bits than random, and so does a trigram of its tokens: less the trigram's nothing is left."""
    params = branches_params(draws=2, sensitivity_draws=0)
    rows = rows_of(PARENT, 2.0, 2.2)
    for draw in (1, 2):
        for arm in ARMS:
            gain = 0.1 if arm == "HQ" else 0.0
            rows += rows_of(Branch(arm, draw, 3e-4), 2.0 - gain + 0.01 * draw, 2.2 - gain)
    found = analyse(group_branches(rows), params)
    assert found.fit.difference("HQ", "random").value == pytest.approx(-0.1)
    assert found.less_trigram.difference("HQ", "random").value == pytest.approx(0, abs=1e-9)
    assert found.floors["HQ"]["humaneval"].trigram == pytest.approx(2.1)


def test_missing_branches_are_named_and_do_not_shrink_the_family() -> None:
    params = branches_params()
    lost = tuple(Branch("shortest", draw, rate) for draw in (1, 2, 3, 4) for rate in params.learning_rates)
    found = analyse(made_up(params, noisy(EFFECTS, 0.002, 1), without=lost), params)
    assert set(found.missing) == set(lost)
    assert [one.verdict for one in found.claims] == ["better", "better", "not run"]
    assert found.smallest_detectable is None


def test_differences_on_each_set_have_intervals_over_draws_and_over_texts() -> None:
    params = branches_params()
    found = analyse(made_up(params, noisy(EFFECTS, 0.002, 1)), params)
    assert [(one.set_name, one.arm) for one in found.by_set[:3]] == [("humaneval", arm) for arm in ("HQ", "HQ_repository", "shortest")]
    for one in found.by_set:
        assert one.control == "random"
        assert one.draws.interval is not None
        assert one.texts == pytest.approx((one.draws.value, one.draws.value)), "every text has the same difference"
        assert one.n_clusters == {"humaneval": 2, "mbpp_plus": 3, "held_out": 3}[one.set_name]


def test_an_arm_that_shares_an_unlucky_draw_alone_has_its_interval_over_texts_around_its_difference() -> None:
    params, value = branches_params(), noisy(EFFECTS, 0.002, 1)
    lost = tuple(Branch("HQ", draw, params.learning_rates[0]) for draw in (2, 3, 4))
    table = made_up(params, lambda run: value(run) + (0.3 if (run.arm, run.draw) == ("random", 1) else 0.0), without=lost)
    one = next(one for one in analyse(table, params).by_set if (one.set_name, one.arm) == ("humaneval", "HQ"))
    assert one.texts == pytest.approx((one.draws.value, one.draws.value))


def test_tables_that_do_not_fit_are_refused() -> None:
    params = branches_params()
    value = noisy(EFFECTS, 0.002, 1)
    with pytest.raises(SnowcoderError, match="no branch at the claims' learning rate"):
        analyse(group_branches(rows_of(PARENT, 2.0, 2.2)), params)
    with pytest.raises(SnowcoderError, match=r"endpoint: found nothing_of_that_name; allowed: .*humaneval"):
        analyse(made_up(params, value), branches_params(endpoint=["nothing_of_that_name"]))
    with pytest.raises(SnowcoderError, match=r"HQ, draw 1, rate 1e-05, which train_branches of params.yaml does not plan"):
        analyse(made_up(params, value), branches_params(draws=3, sensitivity_draws=0))
    with pytest.raises(ShardError, match="no rows of alpha"):
        group_branches(rows_of(Branch("HQ", 1, 3e-4), 2.0, 2.2))
    with pytest.raises(ShardError, match=r"HQ, draw 1, rate 0\.0003 was measured on other texts than alpha"):
        group_branches(rows_of(PARENT, 2.0, 2.2) + rows_of(Branch("HQ", 1, 3e-4), 2.0, 2.2, {"humaneval": 3}))
