"""The words in which pages name sets of texts and benchmarks, and in which they say that nothing is claimed."""

NO_CLAIM = "Pipeline demonstration, no claim about data"  # how a page begins whose models do not beat their trigrams

TRIGRAM_IN_WORDS = "counts of which token follows which two"

SET_TITLES = {
    "validation": "documented functions (validation)",
    "held_out": "held-out code",
    "unseen": "functions of evaluation-only packages",
    "humaneval": "HumanEval solutions",
    "humaneval_plus": "HumanEval+ solutions",
    "mbpp_plus": "MBPP+ solutions",
}
BENCHMARK_TITLES = {"humaneval": "HumanEval", "humaneval_plus": "HumanEval+", "mbpp_plus": "MBPP+"}


def set_title(name: str) -> str:
    """A set of texts in words."""
    return SET_TITLES.get(name, name)


def benchmark_title(name: str) -> str:
    """A benchmark as it is written."""
    return BENCHMARK_TITLES.get(name, name)
