import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.errors import EngineError
from snowcoder.inference.engine import Sampling, cut_at_stop
from snowcoder.inference.engines.scripted_engine import ScriptedEngine

STOP = ("\ndef ", "\nclass ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("    return 1\n", ("    return 1\n", False)),
        ("    return 1\ndef next():", ("    return 1", True)),
        ("a\nclass B:\ndef c", ("a", True)),
        ("", ("", False)),
    ],
)
def test_cut_at_the_earliest_stop(text: str, expected: tuple[str, bool]) -> None:
    assert cut_at_stop(text, STOP) == expected


@given(st.text(alphabet="ab\n#"), st.lists(st.text(alphabet="ab\n#", min_size=1, max_size=3), max_size=4))
def test_what_is_left_is_a_beginning_without_any_stop(text: str, stop: list[str]) -> None:
    left, stopped = cut_at_stop(text, stop)
    assert text.startswith(left)
    assert not any(end in left for end in stop)
    assert stopped == (left != text)


def test_scripted_engine_cuts_and_keeps_the_order() -> None:
    engine = ScriptedEngine({"p": "    return 1\ndef q():", "r": "xyz"})
    answers = engine.generate(["r", "p"], Sampling(20, STOP))
    assert [(answer.text, answer.finish_reason) for answer in answers] == [("xyz", "stop"), ("    return 1", "stop")]
    assert engine.generate(["r"], Sampling(2))[0].finish_reason == "length"


def test_scripted_engine_refuses_an_unknown_prompt() -> None:
    with pytest.raises(EngineError, match="no completion for the prompt 'else'"):
        ScriptedEngine({}).generate(["else"], Sampling(1))
