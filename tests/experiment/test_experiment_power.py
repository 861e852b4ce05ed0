"""What the planned branches can see, from committed spreads: by hand, and next to the analysis of made-up branches."""

from pathlib import Path

import pytest

from snowcoder.errors import ParameterError
from snowcoder.experiment.analysis import analyse
from snowcoder.experiment.power import PILOT, Pilot, planned_claims, read_pilot
from snowcoder.statistics.power import smallest_detectable
from tests.experiment.made_up_branches import ARMS, branches_params, made_up, noisy

ROOT = Path(__file__).resolve().parents[2]
PILOT_OF_TEST = Pilot(draw_spread=0.04, draw_tokens=1024, order_spread=0.015)


def test_the_spread_of_draws_falls_with_the_root_of_tokens_and_that_of_order_stays() -> None:
    """At four times the tokens 0.02, and with 0.015 the root of their squares: 0.025."""
    assert PILOT_OF_TEST.spread(4096) == pytest.approx(0.025)


def test_standard_errors_of_planned_claims_by_hand() -> None:
    """Four arms in four draws: a difference has variance 2 / 4 of a run's, on 16 - 4 - 3 = 9 degrees; three claims."""
    for claim in planned_claims(branches_params(), PILOT_OF_TEST):
        assert claim.draws == (4, 4)
        assert claim.standard_error == pytest.approx(0.025 * 0.5**0.5)
        assert claim.detectable == pytest.approx(smallest_detectable(0.025 * 0.5**0.5, 9, 0.05 / 3))


def test_repeats_mean_fewer_unique_tokens_and_a_wider_spread() -> None:
    arms = ARMS | {"HQ_4": {"by": "HQ", "repeats": 4}, "random_4": {"by": "random", "repeats": 4}}
    params = branches_params(arms=arms, claims=[["HQ", "random"], ["HQ_4", "random_4"]])
    once, repeated = planned_claims(params, PILOT_OF_TEST)
    assert once.standard_error == pytest.approx(PILOT_OF_TEST.spread(4096) * 0.5**0.5)
    assert repeated.standard_error == pytest.approx(PILOT_OF_TEST.spread(1024) * 0.5**0.5)


def test_one_draw_leaves_nothing_to_test_with() -> None:
    assert {claim.detectable for claim in planned_claims(branches_params(draws=1, sensitivity_draws=1), PILOT_OF_TEST)} == {None}


def test_planned_and_found_power_agree_where_the_pilot_is_right() -> None:
    """Branches with exactly the pilot's spread, over many made-up experiments: the mean of the found ones is near the plan."""
    params = branches_params()
    planned = planned_claims(params, PILOT_OF_TEST)[0].detectable
    effects = dict.fromkeys(ARMS, 0.0)
    found = [analyse(made_up(params, noisy(effects, 0.025, seed)), params).smallest_detectable for seed in range(20)]
    assert sum(value or 0 for value in found) / len(found) == pytest.approx(planned, rel=0.15)


def test_the_committed_pilot_can_be_read() -> None:
    pilot = read_pilot(ROOT / PILOT)
    assert 0 < pilot.order_spread < pilot.draw_spread


@pytest.mark.parametrize("text", ["", "spread,bits_per_byte,unique_tokens\ndraw,0.04,50000\n", "spread,bits_per_byte\ndraw,x\norder,1\n"])
def test_a_broken_pilot_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pilot.csv"
    path.write_text(text)
    with pytest.raises(ParameterError, match=r"pilot\.csv: cannot be read .*allowed: rows draw and order"):
        read_pilot(path)
