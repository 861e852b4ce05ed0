"""States what the numbers say, in sentences computed from them: does each phase help, and does it help more than its control?

An interval is 95% over the texts of a set, for one trained model: it does not hold how much another seed would differ. Two models are
compared text by text, as what makes a text hard for both says nothing about a difference.
"""

from dataclasses import dataclass
from itertools import pairwise

from snowcoder.errors import SnowcoderError
from snowcoder.reporting.report_params import ladder
from snowcoder.reporting.results import TEXT_BITS, Results, benchmark_names, set_names, teacher_name
from snowcoder.statistics.paired import compare_ratios
from snowcoder.words import INITIAL

SEED = 1  # of the resampling

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
    """Bits per byte of a model against its control on one set; difference below zero is better than the control.

    interval: 95%, of the difference, texts resampled in pairs.
    """

    variant: str
    control: str
    set_name: str
    value: float
    control_value: float
    difference: float
    interval: tuple[float, float]

    @property
    def is_noise(self) -> bool:
        """Whether the interval holds 0."""
        return self.interval[0] <= 0 <= self.interval[1]

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
    """One comparison, on the texts that both were measured on. Raises SnowcoderError if those are not the same."""
    (bits, n_bytes), (control_bits, control_n_bytes) = (results.text_bits[name].get(set_name, ([], [])) for name in (variant, control))
    if n_bytes != control_n_bytes or not n_bytes:
        raise SnowcoderError(
            f"{TEXT_BITS}: {variant} and {control} were measured on other texts of {set_name} ({len(n_bytes)} and {len(control_n_bytes)}); "
            "run `dvc repro` of measure_bits_per_byte"
        )
    filled = [index for index, n in enumerate(n_bytes) if n]
    first, second, weights = ([values[index] for index in filled] for values in (bits, control_bits, n_bytes))
    difference, interval = compare_ratios(first, second, weights, SEED)
    ours, theirs = (results.bits[name](set_name, "bits_per_byte") for name in (variant, control))
    return Comparison(variant, control, set_name, ours, theirs, difference, interval)


def comparisons(results: Results) -> list[Comparison]:
    """Every model with a control, on every set."""
    pairs = results.params.controls
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
    """Better or worse than the control, by how much, and whether that is beyond noise."""
    on, change = set_title(comparison.set_name), f"{100 * comparison.relative:+.1f}%"
    direction = "fewer" if comparison.difference < 0 else "more"
    low, high = comparison.interval
    noise = "within noise" if comparison.is_noise else "beyond the noise of the choice of texts"
    return (
        f"{comparison.variant} needs {abs(comparison.difference):.3f} bits per byte {direction} than its control {comparison.control} "
        f"({comparison.value:.3f} against {comparison.control_value:.3f}, {change}) on {on}: {noise} "
        f"(95% interval of the difference {low:+.3f} to {high:+.3f})."
    )


def gain_finding(results: Results) -> str:
    """The gain over a control that is clearest: largest against the width of its interval."""
    gains = [one for one in comparisons(results) if one.difference < 0 and not one.is_noise]
    if not gains:
        return "No model is better than its control beyond noise, on any set."
    clearest = max(gains, key=lambda one: -one.difference / (one.interval[1] - one.interval[0]))
    return f"The clearest gain over a control: {control_finding(clearest)}"


def score_finding(results: Results, benchmark: str) -> str:
    """How many problems the models solve, and what may be concluded."""
    solved = {variant: scores(benchmark, "passed") for variant, scores in results.scores.items()}
    total = next(iter(results.scores.values()))(benchmark, "total")
    told, title = ", ".join(f"{variant} {count}" for variant, count in solved.items()), benchmark_title(benchmark)
    if not any(solved.values()):
        return f"No model solves any of the {total} {title} problems: at this size only bits per byte distinguish the models."
    return f"{title} problems solved, of {total}: {told}."


def findings(results: Results) -> list[str]:
    """The sentences at the top of the report, on the set that choices are made on (the first) and on the benchmarks."""
    first = set_names(results)[0]
    told = [ladder_finding(results, first), gain_finding(results)]
    told += [control_finding(compare(results, variant, control, first)) for variant, control in results.params.controls]
    told += [score_finding(results, benchmark) for benchmark in benchmark_names(results)]
    return told + [finding for finding in [length_finding(results), stand_in_finding(results)] if finding]


def length_finding(results: Results) -> str:
    """Which annotators tell positives of unseen repositories apart no better than the length of a file does; empty if none."""
    names = ("roc_auc", "roc_auc_of_length_alone")
    areas = {recipe: [round(annotator(name), 3) for name in names] for recipe, annotator in results.annotators.items()}
    beaten = [f"{recipe} ({ours:.3f} against {length:.3f})" for recipe, (ours, length) in areas.items() if ours <= length]
    if not beaten:
        return ""
    return f"On repositories that the heads have not seen, file length alone has at least the ROC-AUC of {', '.join(beaten)}."


def stand_in_finding(results: Results) -> str:
    """What this run has in the place of a large language model; empty if nothing."""
    told = []
    if any(annotator("labeller") == "rubric" for annotator in results.annotators.values()):
        told.append("educational labels by a written rubric")
    if teacher_name(results) == "extractive":
        told.append("synthetic documents by the extractive teacher")
    return f"Stand-ins for a large language model in this run: {' and '.join(told)}." if told else ""
