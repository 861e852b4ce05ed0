"""The choices of all arms and draws, and how they are described."""

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from snowcoder.errors import EmptyResultError
from snowcoder.experiment.branch_params import BranchesParams
from snowcoder.experiment.branch_rows import CHOICE_SCHEMA
from snowcoder.experiment.branches import Branch, plan_branches
from snowcoder.experiment.choices import choice_rows, choose_all, describe_arms, token_jaccard
from tests.experiment.small_experiment import PARAMS, SECTION, pool_of, write_tokens


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    return pool_of(write_tokens(tmp_path_factory.mktemp("choices") / "tokens"))


def test_each_arm_and_draw_is_chosen_once_whatever_its_rates(files: pa.Table) -> None:
    choices = choose_all(plan_branches(PARAMS), PARAMS, files)
    expected = {("random", draw) for draw in (1, 2, 3)} | {(arm, draw) for arm in ("best", "matched") for draw in (1, 2)}
    assert choices.keys() == expected
    for (arm, draw), chosen in choices.items():
        goal = pc.sum(choices["best", draw]["n_tokens"]).as_py() if arm == "matched" else PARAMS.tokens
        assert pc.sum(chosen["n_tokens"]).as_py() == pytest.approx(goal, abs=17)  # half of the largest file


def test_a_choice_that_others_are_matched_to_is_there_though_it_is_not_trained(files: pa.Table) -> None:
    assert choose_all([Branch("matched", 5, 0.003)], PARAMS, files).keys() == {("matched", 5), ("best", 5)}


def test_repeats_choose_fewer_tokens(files: pa.Table) -> None:
    params = BranchesParams.model_validate(SECTION | {"arms": {"random": {"by": "random", "repeats": 4}}, "claims": []})
    (chosen,) = choose_all([Branch("random", 1, 0.003)], params, files).values()
    assert pc.sum(chosen["n_tokens"]).as_py() == pytest.approx(PARAMS.tokens / 4, abs=17)


def test_rows_name_arm_and_draw(files: pa.Table) -> None:
    choices = choose_all(plan_branches(PARAMS), PARAMS, files)
    rows = pa.concat_tables(choice_rows(choices))
    assert rows.schema.equals(CHOICE_SCHEMA)
    assert len(rows) == sum(len(chosen) for chosen in choices.values())
    own = rows.filter(pc.and_(pc.equal(rows["arm"], "best"), pc.equal(rows["draw"], 2)))
    assert own["file_id"].to_pylist() == choices["best", 2]["file_id"].to_pylist()


def chosen_of(*files: tuple[str, str, int]) -> pa.Table:
    names, repositories, n_tokens = zip(*files, strict=True)
    return pa.table({"file_id": names, "repository": repositories, "n_tokens": pa.array(n_tokens, pa.int32())})


def test_jaccard_counts_tokens_not_files() -> None:
    # 30 of 10 + 30 + 60
    assert token_jaccard(chosen_of(("a", "r", 10), ("b", "r", 30)), chosen_of(("b", "r", 30), ("c", "s", 60))) == pytest.approx(0.3)


def test_arms_are_described_by_means_over_their_draws() -> None:
    first, second = chosen_of(("a", "r", 10), ("b", "s", 30)), chosen_of(("b", "s", 30), ("c", "s", 60))
    choices = {("best", 1): first, ("best", 2): second, ("matched", 1): first, ("matched", 2): first, ("random", 1): second}
    described = describe_arms(choices, PARAMS)
    assert described["best"] == {
        "draws": 2,
        "unique_tokens": 65,
        "files": 2,
        "repositories": 1.5,
        "jaccard_between_draws": pytest.approx(0.3),
    }
    assert described["matched"]["jaccard_with_matched"] == pytest.approx((1 + 0.3) / 2)
    assert described["random"]["jaccard_between_draws"] is None
    assert "jaccard_with_matched" not in described["random"]


def test_a_budget_beyond_the_pool_is_refused_before_anything_is_trained(files: pa.Table) -> None:
    params = BranchesParams.model_validate(SECTION | {"tokens": 64 * 1000})
    with pytest.raises(EmptyResultError, match=r"arm random, draw 1: found \d+ tokens in its part of the pool, pool_fraction 0.6"):
        choose_all(plan_branches(params), params, files)


def test_choices_do_not_depend_on_the_order_of_files(files: pa.Table) -> None:
    backwards = files.take(pa.array(range(len(files) - 1, -1, -1)))
    one, other = (choose_all(plan_branches(PARAMS), PARAMS, table) for table in (files, backwards))
    assert all(one[key].equals(other[key]) for key in one)
