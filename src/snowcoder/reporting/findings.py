"""States what the numbers say, in sentences computed from them: which data make a model better, and how far to trust that?

A run whose models do not beat a trigram of their own tokens says so first, and its other sentences are marked as measured, not claimed.
"""

from collections.abc import Sequence
from itertools import pairwise

from snowcoder.reporting.comparisons import (
    Comparison,
    beats_every_trigram,
    compare,
    comparisons,
    trigram_comparisons,
)
from snowcoder.reporting.experiment_words import comparison_findings, list_words
from snowcoder.reporting.report_params import ladder
from snowcoder.reporting.results import Results, benchmark_names, set_names, teacher_name
from snowcoder.reporting.titles import NO_CLAIM, TRIGRAM_IN_WORDS, benchmark_title, set_title
from snowcoder.reporting.training_scale import scale_finding
from snowcoder.words import INITIAL

MEASURED = "Measured, not a claim: "
WHERE_TO_ASK = "`make experiment` trains a model for longer and compares ways of choosing data with it (docs/experiments.md)."


def findings(results: Results) -> list[str]:
    """The sentences at the top of the report, on the set that choices are made on (the first) and on the benchmarks."""
    first, against_trigrams = set_names(results)[0], trigram_comparisons(results, ladder(results.params))
    measured = [ladder_finding(results, first)]
    measured += [control_finding(compare(results, variant, control, first)) for variant, control in results.params.controls]
    may_claim = beats_every_trigram(against_trigrams)
    compared, scale = comparison_findings(results.comparison, may_claim), scale_finding(results)
    if may_claim:
        said = [*compared, trigram_finding(against_trigrams), gain_finding(results), *measured, scale]
    else:
        said = [trigram_finding(against_trigrams), scale, WHERE_TO_ASK, *compared, *(MEASURED + finding for finding in measured)]
    said += [score_finding(results, benchmark) for benchmark in benchmark_names(results)]
    return said + [finding for finding in [length_finding(results), stand_in_finding(results)] if finding]


def trigram_finding(against_trigrams: Sequence[Comparison]) -> str:
    """Whether claims about data may rest on these models; where they may not, the first sentence of the report.

    against_trigrams: models on sets, each against the trigram of its own tokens; those of one set are neighbours.
    """
    nearest = max(against_trigrams, key=lambda one: one.difference)
    said = f"{nearest.variant} on {set_title(nearest.set_name)}, {nearest.difference:+.3f} bits per byte"
    if beats_every_trigram(against_trigrams):
        return (
            f"Every model beats a trigram of its own training tokens ({TRIGRAM_IN_WORDS}) on every set, so that differences between models "
            f"can say more than such counts do (nearest to its trigram: {said}, {_interval_words(nearest)})."
        )
    behind = [one for one in against_trigrams if not one.is_better]
    sets = list_words([set_title(name) for name in dict.fromkeys(one.set_name for one in behind)])
    return (
        f"{NO_CLAIM}: this run cannot say which data help, as a trigram of a model's own training tokens ({TRIGRAM_IN_WORDS}) predicts "
        f"as well as the model or better in {len(behind)} of {len(against_trigrams)} comparisons, on {sets} (farthest above: {said})."
    )


def ladder_finding(results: Results, set_name: str) -> str:
    """Does every phase lower the bits per byte?"""
    steps = [INITIAL, *ladder(results.params)]
    said = ", ".join(f"{step} {results.bits[step](set_name, 'bits_per_byte'):.3f}" for step in steps)
    compared = [compare(results, after, before, set_name) for before, after in pairwise(steps)]
    failing = [
        f"{one.variant} {'needs more bits than' if one.is_worse else 'cannot be distinguished from'} {one.control} "
        f"({one.difference:+.3f}, {_interval_words(one)})"
        for one in compared
        if not one.is_better
    ]
    if not failing:
        verdict = "holds: every phase needs fewer bits than the one before"
    else:
        verdict = f"{'does not hold' if any(one.is_worse for one in compared) else 'is not shown to hold'}: {' and '.join(failing)}"
    return f"The ladder on {set_title(set_name)} {verdict} (bits per byte: {said})."


def control_finding(comparison: Comparison) -> str:
    """Better or worse than the control, by how much, with the interval and what it is over."""
    on, change = set_title(comparison.set_name), f"{100 * comparison.relative:+.1f}%"
    direction = "fewer" if comparison.difference < 0 else "more"
    return (
        f"{comparison.variant} needs {abs(comparison.difference):.3f} bits per byte {direction} than its control {comparison.control} "
        f"({comparison.value:.3f} against {comparison.control_value:.3f}, {change}) on {on} "
        f"({_interval_words(comparison)})."
    )


def gain_finding(results: Results) -> str:
    """The gain over a control that is clearest: largest against the width of its interval. It is found by looking at all of them."""
    tried = comparisons(results)
    gains = [one for one in tried if one.is_better]
    if not gains:
        return "On no set does a model need fewer bits than its control by an interval over texts that leaves out 0."
    clearest = control_finding(min(gains, key=_against_its_width))
    return f"The clearest gain over a control of {len(tried)}: {clearest}"


def score_finding(results: Results, benchmark: str) -> str:
    """How many problems the models solve, and what may be concluded."""
    solved = {variant: scores(benchmark, "passed") for variant, scores in results.scores.items()}
    total = next(iter(results.scores.values()))(benchmark, "total")
    said, title = ", ".join(f"{variant} {count}" for variant, count in solved.items()), benchmark_title(benchmark)
    if not any(solved.values()):
        return f"No model solves any of the {total} {title} problems: at this size only bits per byte distinguish the models."
    return f"{title} problems solved, of {total}: {said}."


def length_finding(results: Results) -> str:
    """Which annotators recognise positives of unseen repositories no better than the length of a file does; empty if none."""
    names = ("roc_auc", "roc_auc_of_length_alone")
    areas = {recipe: [round(annotator(name), 3) for name in names] for recipe, annotator in results.annotators.items()}
    beaten = [f"{recipe} ({ours:.3f} against {length:.3f})" for recipe, (ours, length) in areas.items() if ours <= length]
    if not beaten:
        return ""
    return f"On repositories that the heads have not seen, file length alone has at least the ROC-AUC of {', '.join(beaten)}."


def stand_in_finding(results: Results) -> str:
    """What this run has in the place of a large language model; empty if nothing."""
    said = []
    if any(annotator("labeller") == "rubric" for annotator in results.annotators.values()):
        said.append("educational labels by a written rubric")
    if teacher_name(results) == "extractive":
        said.append("synthetic documents by the extractive teacher")
    return f"Stand-ins for a large language model in this run: {' and '.join(said)}." if said else ""


def _interval_words(comparison: Comparison) -> str:
    over = f"95% interval over texts only, {comparison.unit}: "
    if comparison.interval is None:
        return f"{over}none"
    low, high = comparison.interval
    return f"{over}{low:+.3f} to {high:+.3f}{'' if comparison.leaves_out_zero else ', which holds 0'}"


def _against_its_width(comparison: Comparison) -> float:
    assert comparison.interval is not None
    return comparison.difference / (comparison.interval[1] - comparison.interval[0])
