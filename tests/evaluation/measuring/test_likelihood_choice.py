import ast

import pytest
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from snowcoder.benchmarks.loading import load_benchmark
from snowcoder.benchmarks.problem import Problem
from snowcoder.evaluation.measuring.likelihood_choice import choose_by_likelihood
from snowcoder.evaluation.measuring.mutation import mutate
from tests.inference.tiny_llama import WINDOW, as_loaded


def problem(body: str, number: int = 0) -> Problem:
    return Problem("b", f"b/{number}", "def f(x, y):\n", body, "", "f")


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        ("    return x  <  y\n", {"    return x  <=  y\n"}),
        ("    return (x) and (y)\n", {"    return (x) or (y)\n"}),
        ("    return x + 1\n", {"    return x - 1\n", "    return x + 2\n"}),
        ("    return True\n", {"    return False\n"}),
        ("    return 'é' if x == 'é' else y\n", {"    return 'é' if x != 'é' else y\n"}),
        ("    return x\n", {None}),
        ("    return (\n", {None}),
    ],
)
def test_one_place_is_changed_and_nothing_else(body: str, changed: set[str | None]) -> None:
    assert {mutate(problem(body), seed) for seed in range(12)} == changed


def test_the_prompt_is_never_changed_and_humaneval_nearly_always_has_a_place() -> None:
    problems = load_benchmark("humaneval")
    found = [mutate(one, seed=1) for one in problems]
    assert sum(text is None for text in found) <= 20
    for one, text in zip(problems, found, strict=True):
        if text is not None:
            assert text != one.canonical_solution
            ast.parse(one.prompt + text)


def test_a_share_with_its_interval(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    problems = [problem(f"    return x + {number}\n", number) for number in range(20)] + [problem("    return x\n", 20)]
    found = choose_by_likelihood(as_loaded(model, tokenizer), problems, 1, WINDOW)
    assert found["n"] == 20
    assert found["ci95"][0] <= found["share"] <= found["ci95"][1]
    assert choose_by_likelihood(as_loaded(model, tokenizer), problems[-1:], 1, WINDOW) == {"share": None, "n": 0, "ci95": None}


def test_the_likelier_text_is_chosen(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    # the same pairs with reference and mutant exchanged: what was chosen before is not chosen now
    originals = [problem(f"    return {number} < x\n", number) for number in range(10)]
    swapped = [problem(mutate(one, 1) or "", number) for number, one in enumerate(originals)]
    back = [mutate(one, 1) == original.canonical_solution for one, original in zip(swapped, originals, strict=True)]
    kept = [index for index, same in enumerate(back) if same]
    if kept:
        first = choose_by_likelihood(as_loaded(model, tokenizer), [originals[index] for index in kept], 1, WINDOW)["share"]
        second = choose_by_likelihood(as_loaded(model, tokenizer), [swapped[index] for index in kept], 1, WINDOW)["share"]
        assert first + second == pytest.approx(1.0)
