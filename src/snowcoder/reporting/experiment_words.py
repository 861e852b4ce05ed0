"""Puts arms, rates and the conclusions of a comparison of data into plain words, no stronger than the numbers.

in: Analysis   out: sentences; only a claim that survives the correction for all claims says `better` or `worse`
"""

from snowcoder.experiment.analysis import Analysis
from snowcoder.experiment.claims import SIGNIFICANCE, ClaimResult, Decomposition
from snowcoder.experiment.ranking import rank_arms
from snowcoder.reporting.document import NOTHING
from snowcoder.reporting.titles import NO_CLAIM, TRIGRAM_IN_WORDS, set_title
from snowcoder.selection.arms import RANDOM, ArmParams
from snowcoder.statistics.block_model import Difference

CHOSEN_BY = {
    "shortest": "the shortest files",
    "loops": "the most loops and arithmetic per line",
    "docstrings": "the largest share of docstrings and comments",
    "dsir": "word n-grams most like those of the positives (DSIR)",
    "hashed_ngrams": "a linear classifier of word n-grams, trained on the positives",
    "perplexity_low": "code that alpha predicts best",
    "perplexity_middle": "code that alpha predicts neither well nor badly",
    "perplexity_high": "code that alpha predicts worst",
}
MATCHED = {"repository": "from each repository", "length": "of each length"}
PARTS = {"repository": ("choice of files", "subject"), "length": ("beyond length", "length")}
NAMES_SHOWN = 5


def describe_arm(arm: ArmParams) -> str:
    """How its files are chosen."""
    if arm.matched_to and arm.match:
        said = f"random files, as many tokens {MATCHED[arm.match]} as {arm.matched_to} chose"
    elif arm.by == RANDOM:
        said = "random files"
    else:
        said = CHOSEN_BY.get(arm.by, f"the highest scores of the annotator {arm.by}")
    return said if arm.repeats == 1 else f"{said}; each token seen {arm.repeats} times"


def signed(value: float) -> str:
    """A difference in bits per byte."""
    return f"{value:+.4f}"


def interval_text(interval: tuple[float, float] | None) -> str:
    """`-0.0123 to +0.0045`."""
    return NOTHING if interval is None else f"{signed(interval[0])} to {signed(interval[1])}"


def correlation_text(value: float | None) -> str:
    """Two digits, or that it is not known."""
    return "not measurable" if value is None else f"{value:.2f}"


def list_words(words: list[str]) -> str:
    """`a, b and c`."""
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def verdict_text(claim: ClaimResult, may_claim: bool) -> str:
    """The cell of the table of claims."""
    if claim.verdict == "not run":
        return "not run"
    if not may_claim:
        return "no claim"
    return {"better": "better", "worse": "worse, against the claim", "open": "not shown"}[claim.verdict]


def experiment_findings(analysis: Analysis) -> list[str]:
    """The sentences at the top: which data are better; how far to trust that; whether the arms are ranked; subject or choice of files.

    A demonstration says nothing about what data do, nor does an unfinished experiment.
    """
    elsewhere = _elsewhere(analysis) if analysis.may_claim else []
    said = [*_missing(analysis), _verdict(analysis), *elsewhere, _trust(analysis), _ranking(analysis)]
    if analysis.may_claim:
        said += [*(_parts(one) for one in analysis.decompositions if one.match == "repository"), *_lexical(analysis)]
    return said


def comparison_findings(analysis: Analysis, may_claim: bool) -> list[str]:
    """The sentences for a page that has other findings too. may_claim: whether that page claims anything; else only what is missing."""
    said = [_verdict(analysis), _trust(analysis), _ranking(analysis)] if may_claim and analysis.may_claim else []
    return [*_missing(analysis), *said]


def _missing(analysis: Analysis) -> list[str]:
    if not analysis.missing:
        return []
    names = [branch.name for branch in analysis.missing]
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    told = f"{'; '.join(names[:NAMES_SHOWN])}{more}"
    return [f"Not finished: {len(names)} of the planned trainings are missing ({told}); nothing is claimed before."]


def _verdict(analysis: Analysis) -> str:
    if analysis.is_demonstration:
        sets = list_words([set_title(name) for name in analysis.sets_behind_trigram])
        return (
            f"{NO_CLAIM}: this run cannot say which data help, as on {sets} the model that every arm starts from is not shown to predict "
            f"code better than a trigram of its own training tokens does ({TRIGRAM_IN_WORDS})."
        )
    if analysis.missing:
        return "No claim about data: the planned comparisons are judged once, when every training is there."
    if not analysis.claims:
        return "No comparison was planned, so that none is claimed."
    shown = [one for one in analysis.claims if one.verdict in ("better", "worse")]
    on = list_words([set_title(name) for name in analysis.params.endpoint])
    compared = f"{len(analysis.claims)} planned comparisons"
    if not shown:
        return f"On {on} none of the {compared} shows one way of choosing data to be better than another."
    said = list_words([_claim(one) for one in shown])
    rest = "; ".join(_not_shown(one) for one in analysis.claims if one not in shown)
    told = f"On {on} {len(shown)} of {compared} show a difference, in bits per byte, of which fewer are better: {said}."
    return f"{told} Not shown: {rest}." if rest else told


def _not_shown(claim: ClaimResult) -> str:
    known = "not run" if claim.difference is None else f"{claim.difference.value:+.3f}, {_short(claim.difference)}"
    return f"{claim.better} better than {claim.worse} ({known})"


def _claim(claim: ClaimResult) -> str:
    if claim.difference is None:
        raise AssertionError(f"{claim.better} against {claim.worse}: a verdict without a difference")
    return f"{claim.better} is {claim.verdict} than {claim.worse} ({claim.difference.value:+.3f})"


def _short(difference: Difference) -> str:
    return "unknown" if difference.interval is None else f"{difference.interval[0]:+.3f} to {difference.interval[1]:+.3f}"


def _ranking(analysis: Analysis) -> str:
    halves = correlation_text(analysis.rank_correlation_halves)
    rates = [f"{correlation_text(value)} at the learning rate {rate:g}" for rate, value in analysis.rank_correlation_rates.items()]
    said = f"between two halves of the draws {halves}, {list_words(rates) or 'at another learning rate not tried'}"
    if analysis.is_ranking_claimed:
        order = ", ".join(one.arm for one in analysis.ranked)
        return (
            f"Arms from the fewest to the most bits per byte: {order}. Other trainings rank all but neighbours the same way (rank "
            f"correlation {said})."
        )
    if not analysis.may_claim:
        return f"No ranking of the arms is claimed (rank correlation {said})."
    least = analysis.params.min_rank_correlation
    return (
        f"No ranking of the arms is claimed, as other trainings do not rank them alike enough: rank correlation {said}; needed: {least:g}."
    )


def _elsewhere(analysis: Analysis) -> list[str]:
    """What the arms of shown claims do on the sets outside of the endpoint: good data for one kind of code can be bad for another."""
    arms = dict.fromkeys(one.better for one in analysis.claims if one.verdict == "better")
    said = []
    for arm in arms:
        others = [one for one in analysis.by_set if one.arm == arm and one.set_name not in analysis.params.endpoint]
        if others:
            told = "; ".join(f"{set_title(one.set_name)} {one.draws.value:+.3f} ({_short(one.draws)})" for one in others)
            said.append(f"On the other sets, {arm} less {others[0].control}: {told}, with intervals of one comparison each.")
    return said


def _parts(one: Decomposition) -> str:
    return (
        f"{one.chosen} less {one.control} is {one.within.value + one.between.value:+.3f} bits per byte: {one.between.value:+.3f} "
        f"({_short(one.between)}) for its subject, which are random files of the repositories that it chose; {one.within.value:+.3f} "
        f"({_short(one.within)}) for which files of them it chose."
    )


def _lexical(analysis: Analysis) -> list[str]:
    gains = [one for one in analysis.ranked if one.control and one.difference]
    if not gains:
        return []
    first, rests = gains[0], rank_arms(analysis.less_trigram, analysis.values, analysis.params)
    rest = next(one.difference for one in rests if one.arm == first.arm)
    if first.difference is None or rest is None:
        return []
    whole = first.difference
    return [
        f"{first.arm}, of all compared arms the one with the fewest bits, differs from {first.control} by {whole.value:+.3f} bits per byte "
        f"({_short(whole)}, for all arms at once), a trigram of the same tokens by {whole.value - rest.value:+.3f}; the rest, "
        f"{rest.value:+.3f} ({_short(rest)}), is what that trigram does not show; some of it may still be words."
    ]


def _trust(analysis: Analysis) -> str:
    """How likely a wrong verdict is, and how small a difference these trainings would have found."""
    least = analysis.smallest_detectable
    if not analysis.claims:
        return "Without a planned comparison there is no smallest difference to tell."
    if least is None:
        return "There are too few trainings to say how small a difference they could have shown."
    power = f"a true difference of {least:.3f} would be found in four of five experiments."
    if not analysis.may_claim:
        return f"In these trainings {power}"
    chance = (
        f"if no way of choosing differed from another, at most {SIGNIFICANCE:.0%} of such experiments would show one "
        "(from the same files, at equal spreads)"
    )
    return f"How far to trust that: {chance}; {power}"
