import math

import numpy as np
import pytest

from snowcoder.evaluation.grading.evoeval_comparison import EvoEvalJudge, is_equal
from snowcoder.evaluation.grading.output_comparison import EvalPlusJudge, digit_distance, is_floats, polynomial, pyramid_surface


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1.0, True), ([1.0, 2.0], True), ((1.0,), True), ([], False), ([1, 2.0], False), (1, False), (np.zeros(2), True)],
)
def test_what_counts_as_floats(value: object, expected: bool) -> None:
    assert is_floats(value) is expected


def test_without_a_float_expected_only_equal_counts() -> None:
    judge = EvalPlusJudge("humaneval", "f", 0)
    assert judge.accepts([], 3, 3)
    assert judge.accepts([], True, 1)  # as == has it
    assert not judge.accepts([], [1], (1,))


def test_the_tolerance_of_floats_stays_for_later_inputs() -> None:
    judge = EvalPlusJudge("humaneval", "f", 0)
    assert not judge.accepts([], [1, 1 + 1e-9], [1, 1])
    assert judge.accepts([], 0.1 + 0.2, 0.3)
    assert judge.accepts([], [1, 1 + 1e-9], [1, 1])
    with pytest.raises(TypeError):
        judge.accepts([], "a", "b")


def test_within_tolerance_the_type_must_be_the_same() -> None:
    judge = EvalPlusJudge("mbpp", "f", 1e-4)
    assert judge.accepts([], 1.00001, 1.0)
    assert judge.accepts([], 1, 1.0)  # equal before tolerance is asked for
    assert judge.accepts([], [[1.00001], [2.0]], [[1.0, 1.0], [2.0, 2.0]])  # broadcast, as numpy does
    assert not judge.accepts([], [1.00001], (1.0,))
    assert not judge.accepts([], [1.0, 2.0], [1.0])


def test_any_root_of_the_polynomial_is_right() -> None:
    judge = EvalPlusJudge("humaneval", "find_zero", 1e-4)
    assert judge.accepts([[-6, 11, -6, 1]], 3.0, 1.0)
    assert not judge.accepts([[-6, 11, -6, 1]], 1.5, 1.0)
    assert polynomial([1, 2, 3], 2.0) == 17


@pytest.mark.parametrize(
    ("entry_point", "arguments", "out", "expected", "accepted"),
    [
        ("similar_elements", [], [2, 1, 1], (1, 2), True),
        ("similar_elements", [], [2], (1, 2), False),
        ("are_equivalent", [], "anything", 1, True),
        ("sum_div", [], 0, 5, True),
        ("sum_div", [], 4, 5, False),
        ("check_str", [], "a match", True, True),
        ("check_str", [], None, True, False),
        ("check_str", [], False, True, False),
        ("surface_Area", [3, 4], pyramid_surface(3, 4), 33, True),
        ("digit_distance_nums", [1, 23], 4, 0, True),
    ],
)
def test_special_rules_of_mbpp(entry_point: str, arguments: list[int], out: object, expected: object, accepted: bool) -> None:
    assert EvalPlusJudge("mbpp", entry_point, 0).accepts(arguments, out, expected) is accepted
    assert digit_distance(1, 23) == 4


@pytest.mark.parametrize(
    ("expected", "out", "equal"),
    [
        (1, 1, True),
        (1, True, False),  # another kind
        (1, 1.0, False),
        (1.0, 1.0 + 1e-7, True),
        (1.0, 1.0 + 1e-3, False),
        (math.nan, math.nan, True),
        ([1.0, math.nan], (1.0, math.nan), True),  # both count as floats
        ([1, 2], (1, 2), False),
        ({"a": [0.1 + 0.2]}, {"a": [0.3]}, True),
        ({"a": 1}, {"b": 1}, False),
        ({1, 2}, {2, 1}, True),
        ([], [], True),
        ([[], "x"], [[], "x"], True),
        (None, None, True),
    ],
)
def test_equal_as_evoeval_has_it(expected: object, out: object, equal: bool) -> None:
    assert is_equal(expected, out) is equal


def test_evoeval_oracles() -> None:
    assert EvoEvalJudge("difficult/EvoEval/10").accepts(["ab"], "abA", "aba")
    assert not EvoEvalJudge("difficult/EvoEval/10").accepts(["ab"], "abba", "aba")
    assert EvoEvalJudge("difficult/EvoEval/32").accepts([[-6, 2], (0, 5)], 3.0, 3.0)
    assert not EvoEvalJudge("difficult/EvoEval/32").accepts([[-6, 2], (0, 2)], 3.0, None)
    assert EvoEvalJudge("subtle/EvoEval/32").accepts([[-4, 0, 1]], 4 ** (1 / 3), None)  # -4 + 0 x + 1 x^3
    assert not EvoEvalJudge("subtle/EvoEval/32").accepts([[-4, 0, 1]], 2.0, None)
    maze = [[0, 0], [1, 0]]
    assert EvoEvalJudge("creative/EvoEval/26").accepts([maze, (0, 0), (1, 1)], ["right", "down"], ["right", "down"])
    assert not EvoEvalJudge("creative/EvoEval/26").accepts([maze, (0, 0), (1, 1)], ["down", "right"], ["right", "down"])
    walk = [[1, 1], [0, 1]]
    assert EvoEvalJudge("creative/EvoEval/30").accepts([walk, (0, 0), (1, 1)], [(0, 0), (0, 1), (1, 1)], ["a path"])
    assert not EvoEvalJudge("creative/EvoEval/30").accepts([walk, (0, 0), (1, 1)], [(0, 0), (1, 1)], ["a path"])
    assert EvoEvalJudge("creative/EvoEval/69").accepts([[2, 3, 4], 12], (1, 2), (1, 2))
    assert not EvoEvalJudge("creative/EvoEval/69").accepts([[2, 3, 4], 12], (2, 1), (1, 2))
    assert EvoEvalJudge("creative/EvoEval/1").accepts([], [1], [1])
