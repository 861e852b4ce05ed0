from functools import partial
from pathlib import Path

import pytest

from snowcoder.benchmarks.problem import Problem
from snowcoder.errors import ParameterError
from snowcoder.evaluation.benchmark_prompts import Asking, base_prompt
from snowcoder.evaluation.generating.completions import GenerateCompletionsParams, complete_problems, summarise_completions
from snowcoder.evaluation.variants import variant_folder
from snowcoder.inference.engine import Sampling
from snowcoder.inference.engines.scripted_engine import ScriptedEngine
from snowcoder.pipeline.params import read_yaml, validate

ROOT = Path(__file__).resolve().parents[3]
PROBLEM = Problem("humaneval", "HumanEval/0", 'def f(x):\n    """x."""\n\n', "    return x\n", "def check(c):\n    assert c(1) == 1\n", "f")


@pytest.mark.parametrize(("strip", "prompt"), [(True, 'def f(x):\n    """x."""'), (False, 'def f(x):\n    """x."""\n')])
def test_rows_hold_the_prompt_as_it_was_given(strip: bool, prompt: str) -> None:
    engine = ScriptedEngine({prompt: "\n    return x\ndef g():"})
    [row] = complete_problems(engine, [PROBLEM], Sampling(100, ("\ndef ",)), partial(base_prompt, strip_prompt=strip))
    assert row == {
        "benchmark": "humaneval",
        "problem_id": "HumanEval/0",
        "sample": 0,
        "prompt": prompt,
        "completion": "\n    return x",
        "finish_reason": "stop",
    }


@pytest.mark.parametrize("end", ["<|endoftext|>", "</s>", "<|endofmask|>"])
def test_an_end_token_that_is_written_as_text_ends_a_completion_of_the_graph(end: str) -> None:
    stop = tuple(read_yaml(ROOT / "params.yaml")["generate_completions"]["stop"])
    engine = ScriptedEngine({'def f(x):\n    """x."""\n': f"    return x{end}import"})
    [row] = complete_problems(engine, [PROBLEM], Sampling(100, stop), partial(base_prompt, strip_prompt=False))
    assert row["completion"] == "    return x"


def test_summary_counts_reasons_and_empty_completions() -> None:
    rows = [{"benchmark": "b", "completion": text, "finish_reason": reason} for text, reason in [("ab", "stop"), ("\n ", "length")]]
    assert summarise_completions(rows) == {"b": {"problems": 2, "finish_reasons": {"length": 1, "stop": 1}, "empty": 1, "mean_bytes": 2.0}}


def test_folders_of_variants() -> None:
    assert str(variant_folder("continued_random")) == "models/pretrain/continued_random"
    assert str(variant_folder("initial")) == "models/initialize_model"


def test_params_refuse_an_unknown_precision() -> None:
    raw = {"engine": "transformers", "max_new_tokens": 16, "batch_size": 8, "precision": "float32", "cpu_threads": 1, "strip_prompt": True}
    assert validate(raw | {"stop": ["\ndef "]}, GenerateCompletionsParams, "generate_completions").sampling() == Sampling(16, ("\ndef ",))
    with pytest.raises(ParameterError, match=r"generate_completions\.precision: found 'int4'; allowed: float32, bfloat16"):
        validate(raw | {"stop": ["\ndef "], "precision": "int4"}, GenerateCompletionsParams, "generate_completions")


def test_several_samples_are_asked_for_together_and_numbered() -> None:
    engine = ScriptedEngine({'def f(x):\n    """x."""': "    return x"})
    rows = complete_problems(engine, [PROBLEM], Sampling(100, temperature=0.5), Asking(strip_prompt=True).prompt, n_samples=3)
    assert [row["sample"] for row in rows] == [0, 1, 2]
    with pytest.raises(ValueError, match="3 samples at temperature 0 are all the same"):
        complete_problems(engine, [PROBLEM], Sampling(100), Asking().prompt, n_samples=3)
