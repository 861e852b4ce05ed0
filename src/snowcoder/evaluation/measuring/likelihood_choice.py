"""Measures how often a model finds the right solution more likely than a wrong one, and by how many bits.

in: reference solutions given their prompts, a model
out: {share, ci95, margin_bits, margin_ci95, n, n_mutants, shares: {problem: share}, margins: {problem: bits}}; a coin gives a share of 0.5

For each problem the reference solution is compared with copies in which one operator, constant or comparison is changed (mutation.py), all
given the prompt; the model chooses the one to which it gives fewer bits. They differ in a token or two, so that length plays no part. Each
problem counts once, by the mean over its mutants, and intervals are over problems.

share: of mutants to which the model gives more bits than to the reference. margin_bits: how many more it gives, in the mean; it still moves
where the choice does not, but a few mutants that no program would hold can carry it.

What it means: the model distinguishes a plausible program from a slightly wrong one, a necessary condition of writing the right one; it
moves at scales where nothing is solved. What it does not mean: that the model could write either. A mutant may be a right program too, or
an unnatural one that betrays itself without its meaning being understood: `x - 1` for `x + 1` is rarer in all code. So compare models with
each other, on the same problems, and not with 1.0.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from snowcoder.evaluation.measuring.mutation import mutate
from snowcoder.evaluation.measuring.text_sets import ScoredText
from snowcoder.inference.local.model_folder import LoadedModel
from snowcoder.likelihood.bits_per_byte import score_texts
from snowcoder.seeding import derive_seed
from snowcoder.statistics.intervals import bootstrap_ratio_interval, share_interval

BATCH_TOKENS = 2048
MAX_MUTANTS_PER_PROBLEM = 8  # gives 817 of HumanEval+ in place of 149 at one a problem


def choose_by_likelihood(
    loaded: LoadedModel, texts: Sequence[ScoredText], seed: int, window_tokens: int, workers: int = 1
) -> dict[str, Any]:
    """texts: one per problem, its cluster. Problems without a place to change are left out, and not counted in n. Equal likelihoods count
    as wrong. margin_ci95 is null for fewer than two problems."""
    changed = [(text, mutate(text.prompt, text.text, seed, MAX_MUTANTS_PER_PROBLEM)) for text in texts]
    compared = [(text, wrong) for text, wrong in changed if wrong]
    pairs = [(text.prompt, body) for text, wrong in compared for body in (text.text, *wrong)]
    n_mutants = sum(len(wrong) for _, wrong in compared)
    found: dict[str, Any] = {"n": len(compared), "n_mutants": n_mutants}
    if not compared:
        return found | {"share": None, "ci95": None, "margin_bits": None, "margin_ci95": None, "shares": {}, "margins": {}}
    bits = score_texts(loaded.model, loaded.tokenizer, pairs, BATCH_TOKENS, window_tokens, workers, loaded.first_id).bits
    shares, margins = {}, {}
    place = 0
    for text, wrong in compared:
        right, *others = bits[place : place + 1 + len(wrong)]
        shares[text.cluster] = float(np.mean([other > right for other in others]))
        margins[text.cluster] = float(np.mean(others) - right)
        place += 1 + len(wrong)
    found |= {"share": float(np.mean(list(shares.values()))), "ci95": share_interval(list(shares.values()), derive_seed(seed, "share"))}
    return found | _margin(margins, seed) | {"shares": shares, "margins": margins}


def _margin(margins: dict[str, float], seed: int) -> dict[str, Any]:
    values = list(margins.values())
    interval = bootstrap_ratio_interval(values, np.ones(len(values)), derive_seed(seed, "margin")) if len(values) > 1 else None
    return {"margin_bits": float(np.mean(values)), "margin_ci95": interval}
