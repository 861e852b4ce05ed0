"""Mutants by hand-written points; the choice by models whose preferences are known."""

import ast

import pytest
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from snowcoder.benchmarks.loading import load_benchmark
from snowcoder.evaluation.measuring.likelihood_choice import MAX_MUTANTS_PER_PROBLEM, choose_by_likelihood
from snowcoder.evaluation.measuring.mutation import mutate
from snowcoder.evaluation.measuring.text_sets import ScoredText
from snowcoder.likelihood.bits_per_byte import score_texts
from tests.inference.tiny_llama import WINDOW, as_loaded

PROMPT = "def f(x, y):\n"


def text_of(body: str, number: int = 0) -> ScoredText:
    return ScoredText(PROMPT, body, f"b/{number}")


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        ("    return x  <  y\n", ["    return x  <=  y\n"]),
        ("    return (x) and (y)\n", ["    return (x) or (y)\n"]),
        ("    return x + 1\n", ["    return x - 1\n", "    return x + 2\n"]),
        ("    return True\n", ["    return False\n"]),
        ("    return 'é' if x == 'é' else y\n", ["    return 'é' if x != 'é' else y\n"]),
        ("    return x\n", []),
        ("    return (\n", []),
    ],
)
def test_one_place_is_changed_and_nothing_else(body: str, changed: list[str]) -> None:
    assert mutate(PROMPT, body, 1, 8) == changed


def test_few_of_many_places_are_drawn_by_seed_and_text() -> None:
    body = "".join(f"    x = x + {number}\n" for number in range(10))
    every = mutate(PROMPT, body, 1, 99)
    assert len(every) == len(set(every)) == 20
    few = mutate(PROMPT, body, 1, 5)
    assert len(few) == 5
    assert [text for text in every if text in few] == few
    assert few == mutate(PROMPT, body, 1, 5)
    assert few != mutate(PROMPT, body, 2, 5)


def test_the_prompt_is_never_changed_and_humaneval_nearly_always_has_a_place() -> None:
    problems = load_benchmark("humaneval")
    found = [mutate(one.prompt, one.canonical_solution, 1, MAX_MUTANTS_PER_PROBLEM) for one in problems]
    assert sum(not wrong for wrong in found) <= 20
    assert sum(map(len, found)) > 4 * len(problems)
    for one, wrong in zip(problems, found, strict=True):
        assert one.canonical_solution not in wrong
        for text in wrong:
            ast.parse(one.prompt + text)


def test_problems_count_once_however_many_mutants_they_have(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    bodies = ["    return x + 1\n", "    return x < 3 and y < 4 and x != 5 * y\n", "    return x\n"]
    found = choose_by_likelihood(as_loaded(model, tokenizer), [text_of(body, number) for number, body in enumerate(bodies)], 1, WINDOW)
    shares, margins = {}, {}
    for number, body in enumerate(bodies[:2]):
        texts = [body, *mutate(PROMPT, body, 1, MAX_MUTANTS_PER_PROBLEM)]
        right, *wrong = score_texts(model, tokenizer, [(PROMPT, text) for text in texts], 2048, WINDOW).bits
        shares[f"b/{number}"] = sum(bits > right for bits in wrong) / len(wrong)
        margins[f"b/{number}"] = sum(wrong) / len(wrong) - right
    assert (found["n"], found["n_mutants"]) == (2, 2 + 8)
    assert found["shares"] == pytest.approx(shares)
    assert found["margins"] == pytest.approx(margins, abs=1e-4)
    assert found["share"] == pytest.approx(sum(shares.values()) / 2)
    assert found["margin_bits"] == pytest.approx(sum(margins.values()) / 2, abs=1e-4)


def test_intervals_hold_their_values_and_without_a_mutant_there_is_nothing(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    texts = [text_of(f"    return x + {number}\n", number) for number in range(20)] + [text_of("    return x\n", 20)]
    found = choose_by_likelihood(as_loaded(model, tokenizer), texts, 1, WINDOW)
    assert found["n"] == 20
    for value, interval in (("share", "ci95"), ("margin_bits", "margin_ci95")):
        assert found[interval][0] <= found[value] <= found[interval][1]
    nothing = choose_by_likelihood(as_loaded(model, tokenizer), texts[-1:], 1, WINDOW)
    assert (nothing["share"], nothing["n"], nothing["n_mutants"], nothing["ci95"]) == (None, 0, 0, None)


def test_the_likelier_text_is_chosen(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    # each pair with reference and mutant exchanged: what was chosen before is not chosen now
    first = [text_of(f"    return {'x' * number} < y\n", number) for number in range(1, 11)]
    second = [text_of(mutate(PROMPT, text.text, 1, 1)[0], number) for number, text in enumerate(first)]
    assert [mutate(PROMPT, text.text, 1, 1) for text in second] == [[text.text] for text in first]
    there, back = (choose_by_likelihood(as_loaded(model, tokenizer), texts, 1, WINDOW) for texts in (first, second))
    assert there["share"] + back["share"] == pytest.approx(1.0)
    assert there["margin_bits"] == pytest.approx(-back["margin_bits"], abs=1e-4)
