"""Claims that survive Holm and claims that do not; the subject of chosen files apart from their quality."""

import pytest

from snowcoder.experiment.branches import Branch
from snowcoder.experiment.claims import decompose, judge_claims
from snowcoder.experiment.ranking import fit_rate
from snowcoder.statistics.block_model import BlockFit
from tests.experiment.made_up_branches import branches_params

RATE = 3e-4
# residuals that sum to 0 within each arm and each draw, so that levels are exact
RESIDUALS = {"random": (1, -1, 1, -1), "HQ": (-1, 1, -1, 1), "HQ_repository": (1, -1, -1, 1), "shortest": (-1, 1, 1, -1)}


def fit_of(levels: dict[str, float], scale: float = 0.01) -> BlockFit:
    values = {
        Branch(arm, draw, RATE): level + 0.1 * draw + scale * RESIDUALS[arm][draw - 1]
        for arm, level in levels.items()
        for draw in (1, 2, 3, 4)
    }
    fit = fit_rate(values, RATE)
    assert fit is not None
    return fit


def test_verdicts_by_hand() -> None:
    """16 residuals of 0.01 on 9 degrees: spread 0.01333, standard error of a difference 0.00943; t = -10.6, -0.53 and +5.3."""
    fit = fit_of({"random": 2.0, "HQ": 1.9, "HQ_repository": 1.905, "shortest": 2.05})
    assert fit.spread == pytest.approx((16 / 9) ** 0.5 * 0.01)
    results = judge_claims(fit, branches_params())
    assert [(one.better, one.worse, one.verdict) for one in results] == [
        ("HQ", "random", "better"),
        ("HQ", "HQ_repository", "open"),
        ("shortest", "random", "worse"),
    ]
    assert [one.difference.value for one in results if one.difference] == pytest.approx([-0.1, -0.005, 0.05])
    assert results[0].difference is not None
    assert results[0].difference.standard_error == pytest.approx(0.00943, abs=1e-5)


def test_a_claim_that_one_test_alone_would_support_may_not_survive_the_family() -> None:
    fit = fit_of({"random": 2.0, "HQ": 2.0 - 0.024, "HQ_repository": 2.0, "shortest": 2.0})
    alone = judge_claims(fit, branches_params(claims=[["HQ", "random"]]))[0]
    assert alone.verdict == "better"
    family = judge_claims(fit, branches_params())
    assert family[0].difference == alone.difference
    assert family[0].verdict == "open"
    assert family[0].holm_p == pytest.approx(3 * (alone.holm_p or 0))


def test_a_claim_whose_arm_did_not_run_stays_in_the_family() -> None:
    levels = {"random": 2.0, "HQ": 2.0 - 0.024, "HQ_repository": 2.0, "shortest": 2.0}
    complete = judge_claims(fit_of(levels), branches_params())
    values = {name: level for name, level in levels.items() if name != "shortest"}
    results = judge_claims(fit_of(values), branches_params())
    assert [one.verdict for one in results] == ["open", "open", "not run"]
    assert results[2].difference is None
    assert len(results) == len(complete)
    assert results[0].difference is not None
    assert results[0].holm_p == pytest.approx(3 * (results[0].difference.p_value or 0)), "three claims, although two were tested"


def test_the_parts_of_a_difference_add_up() -> None:
    """HQ - random = -0.3: -0.1 within the repositories that HQ chose (quality), -0.2 between them and the others (subject)."""
    (found,) = decompose(fit_of({"random": 2.0, "HQ": 1.7, "HQ_repository": 1.8, "shortest": 2.0}), branches_params())
    assert (found.chosen, found.matched, found.control, found.match) == ("HQ", "HQ_repository", "random", "repository")
    assert found.within.value == pytest.approx(-0.1)
    assert found.between.value == pytest.approx(-0.2)


def test_what_the_runs_could_have_seen_is_told_next_to_the_claim() -> None:
    coarse = judge_claims(fit_of({"random": 2.0, "HQ": 1.9, "HQ_repository": 2.0, "shortest": 2.0}, 0.02), branches_params())
    fine = judge_claims(fit_of({"random": 2.0, "HQ": 1.9, "HQ_repository": 2.0, "shortest": 2.0}, 0.01), branches_params())
    assert coarse[0].detectable == pytest.approx(2 * (fine[0].detectable or 0))
    assert fine[0].detectable == pytest.approx(0.00943 * 3.95, abs=0.001), "t of 5% / 3 at 9 degrees 2.93, and about 1 for 80%"
