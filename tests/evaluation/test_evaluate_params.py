import pytest

from snowcoder.errors import ParameterError
from snowcoder.evaluation.evaluate_params import EvaluationSettings, settings_from_text


def settings(**known: object) -> EvaluationSettings:
    return settings_from_text({}, known)


def test_options_are_read_as_their_settings_are() -> None:
    typed = {"mode": "chat", "samples": "20", "temperature": "0.8", "window_tokens": "none", "document_start": "true"}
    found = settings_from_text(typed, {"window_tokens": 256, "batch_size": 8})
    assert found == settings(mode="chat", samples=20, temperature=0.8, document_start=True, batch_size=8)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"mode": "instruct"}, "--mode: found 'instruct'; allowed: base, chat; BigCodeBench's complete and instruct are --split"),
        ({"mode": "complete"}, "--mode: found 'complete'"),
        ({"mode": "chatty"}, r"ARGUMENTS.mode: found 'chatty'; did you mean chat\? allowed: base, chat"),
        ({"precision": "int4"}, "ARGUMENTS.precision: found 'int4'; allowed: float32, bfloat16"),
        ({"engine": "oracle"}, "ARGUMENTS.engine: found 'oracle'; allowed: transformers, vllm"),
        ({"samples": "many"}, "ARGUMENTS.samples: found 'many'; allowed: a whole number above 0"),
        ({"samples": "0"}, "ARGUMENTS.samples: found 0; allowed: a whole number above 0"),
        ({"samples": "20"}, "samples: 20 at temperature 0 are all the same"),
        ({"temperature": "nan"}, r"ARGUMENTS\.temperature: found \.nan; allowed: a number from 0"),
        ({"temperature": "-1"}, "ARGUMENTS.temperature: "),
        ({"strip_prompt": "maybe"}, "ARGUMENTS.strip_prompt: "),
        ({"split": "instruct"}, "split: instruct needs a chat model"),
        ({"mode": "chat", "strip_prompt": "true"}, "strip_prompt: true has no effect in mode chat"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(typed: dict[str, str], told: str) -> None:
    with pytest.raises(ParameterError, match=told):
        settings_from_text(typed, {})


def test_a_result_names_the_settings_that_have_an_effect() -> None:
    base, chat = settings().described(), settings(mode="chat").described()
    assert base.keys() - chat.keys() == {"strip_prompt"}
    assert chat.keys() - base.keys() == {"split"}
    assert "engine" not in base
    assert settings(engine="vllm").described() == base | {"engine": "vllm"}
    assert settings(likelihood_window_tokens=256).described() == base | {"likelihood_window_tokens": 256}


def test_results_of_different_modes_have_different_names() -> None:
    modes = [settings(), settings(mode="chat"), settings(mode="chat", split="instruct")]
    assert [one.suffix() for one in modes] == ["", ".chat", ".chat.instruct"]
