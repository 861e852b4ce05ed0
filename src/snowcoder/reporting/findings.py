"""What the numbers say, in sentences computed from them: does each phase help, and does it help more than its control?

An interval is 95% over the items of a set, for one trained model: it does not hold how much another seed would differ.
"""

from dataclasses import dataclass
from itertools import pairwise

from snowcoder.reporting.results import Results, benchmark_names, set_names, teacher_name
from snowcoder.reporting.settings import INITIAL, ladder

SET_TITLES = {
    "validation": "documented functions (validation)",
    "held_out": "held-out code",
    "humaneval": "HumanEval solutions",
    "humanevalplus": "HumanEval+ solutions",
    "mbppplus": "MBPP+ solutions",
}
BENCHMARK_TITLES = {"humaneval": "HumanEval", "humanevalplus": "HumanEval+", "mbppplus": "MBPP+"}


@dataclass(frozen=True)
class Comparison:
    """Bits per byte of a model against its control on one set; difference below zero is better than the control."""

    variant: str
    control: str
    set_name: str
    value: float
    control_value: float
    overlap: bool

    @property
    def difference(self) -> float:
        """Bits per byte, model minus control."""
        return self.value - self.control_value

    @property
    def relative(self) -> float:
        """The difference as a fraction of the control."""
        return self.difference / self.control_value


def set_title(name: str) -> str:
    """A set of texts in words."""
    return SET_TITLES.get(name, name)


def benchmark_title(name: str) -> str:
    """A benchmark as it is written."""
    return BENCHMARK_TITLES.get(name, name)


def compare(results: Results, variant: str, control: str, set_name: str) -> Comparison:
    """One comparison, from the metrics of both."""
    ours, theirs = results.bits[variant], results.bits[control]
    (low, high), (control_low, control_high) = ours(set_name, "ci95"), theirs(set_name, "ci95")
    values = ours(set_name, "bits_per_byte"), theirs(set_name, "bits_per_byte")
    return Comparison(variant, control, set_name, *values, overlap=low <= control_high and control_low <= high)


def comparisons(results: Results) -> list[Comparison]:
    """Every model with a control, on every set."""
    pairs = results.params.controls.items()
    return [compare(results, variant, control, set_name) for variant, control in pairs for set_name in set_names(results)]


def ladder_finding(results: Results, set_name: str) -> str:
    """Does every phase lower the bits per byte?"""
    steps = [INITIAL, *ladder(results.params)]
    values = {step: results.bits[step](set_name, "bits_per_byte") for step in steps}
    told = ", ".join(f"{step} {values[step]:.3f}" for step in steps)
    broken = [f"{after} is not below {before}" for before, after in pairwise(steps) if values[after] >= values[before]]
    verdict = "does not hold: " + " and ".join(broken) if broken else "holds: every phase needs fewer bits than the one before"
    return f"The ladder on {set_title(set_name)} {verdict} (bits per byte: {told})."


def control_finding(comparison: Comparison) -> str:
    """Better or worse than the control, by how much, and whether the intervals overlap."""
    on, change = set_title(comparison.set_name), f"{100 * comparison.relative:+.1f}%"
    direction = "fewer" if comparison.difference < 0 else "more"
    intervals = "overlap, so the difference may be noise" if comparison.overlap else "do not overlap"
    return (
        f"{comparison.variant} needs {abs(comparison.difference):.3f} bits per byte {direction} than its control {comparison.control} "
        f"({comparison.value:.3f} against {comparison.control_value:.3f}, {change}) on {on}; the 95% intervals {intervals}."
    )


def score_finding(results: Results, benchmark: str) -> str:
    """How many problems the models solve, and what may be concluded."""
    solved = {variant: scores(benchmark, "passed") for variant, scores in results.scores.items()}
    total = next(iter(results.scores.values()))(benchmark, "total")
    told, title = ", ".join(f"{variant} {count}" for variant, count in solved.items()), benchmark_title(benchmark)
    if not any(solved.values()):
        return f"No model solves any of the {total} {title} problems: at this size only bits per byte tell the models apart."
    return f"{title} problems solved, of {total}: {told}."


def findings(results: Results) -> list[str]:
    """The sentences at the top of the report, on the set that choices are made on (the first) and on the benchmarks."""
    first = set_names(results)[0]
    told = [ladder_finding(results, first)]
    told += [control_finding(compare(results, variant, control, first)) for variant, control in results.params.controls.items()]
    told += [score_finding(results, benchmark) for benchmark in benchmark_names(results)]
    return told + [finding for finding in [stand_in_finding(results)] if finding]


def stand_in_finding(results: Results) -> str:
    """What this run has in the place of a large language model; empty if nothing."""
    told = []
    if any(annotator("labeller") == "rubric" for annotator in results.annotators.values()):
        told.append("educational labels by a written rubric")
    if teacher_name(results) == "extractive":
        told.append("synthetic documents by the extractive teacher")
    return f"Stand-ins for a large language model in this run: {' and '.join(told)}." if told else ""
