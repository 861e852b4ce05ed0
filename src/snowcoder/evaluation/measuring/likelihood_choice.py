"""Measures how often a model finds the right solution more likely than a wrong one.

in: problems, a model   out: {share, n, ci95 (Wilson)}; 0.5 is what a coin gives

For each problem the reference solution is compared with a copy in which one operator, constant or comparison is changed (mutation.py), both
given the prompt; the model chooses the one to which it gives fewer bits. Both differ in a token or two, so that length plays no part.

What it means: the model distinguishes a plausible program from a slightly wrong one, a necessary condition of writing the right one; it
moves at scales where nothing is solved. What it does not mean: that the model could write either. A mutant may be a right program too, or
an unnatural one that betrays itself without its meaning being understood: `x - 1` for `x + 1` is rarer in all code. So compare models with
each other, on the same problems, and not with 1.0.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from snowcoder.benchmarks.problem import Problem
from snowcoder.evaluation.measuring.mutation import mutate
from snowcoder.inference.local.model_folder import LoadedModel
from snowcoder.likelihood.bits_per_byte import score_texts
from snowcoder.statistics.intervals import wilson_interval

BATCH_TOKENS = 2048


def choose_by_likelihood(
    loaded: LoadedModel, problems: Sequence[Problem], seed: int, window_tokens: int, workers: int = 1
) -> dict[str, Any]:
    """Problems without a place to change are left out, and not counted in n. Equal likelihoods count as wrong."""
    changed = [(problem, mutate(problem, seed)) for problem in problems]
    pairs = [(problem.prompt, problem.canonical_solution, wrong) for problem, wrong in changed if wrong is not None]
    texts = [(prompt, text) for prompt, right, wrong in pairs for text in (right, wrong)]
    if not texts:
        return {"share": None, "n": 0, "ci95": None}
    bits = score_texts(loaded.model, loaded.tokenizer, texts, BATCH_TOKENS, window_tokens, workers, loaded.first_id).bits
    right = int(np.sum(bits[0::2] < bits[1::2]))
    return {"share": right / len(pairs), "n": len(pairs), "ci95": wilson_interval(right, len(pairs))}
