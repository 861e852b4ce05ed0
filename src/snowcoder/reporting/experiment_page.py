"""The page of a comparison of data, the section that the report has of it, and its numbers for other programs.

in: Analysis, RunFacts   out: a Document; a Section; rows of experiment.csv; metrics of experiment.json
"""

from typing import Any, NamedTuple

from snowcoder.experiment.analysis import Analysis
from snowcoder.experiment.branch_params import PARENT_ARM
from snowcoder.experiment.branch_table import BranchBits
from snowcoder.experiment.overlap import overlap_factor
from snowcoder.reporting.document import Document, Figure, Section, number
from snowcoder.reporting.experiment_figure import describe_figure
from snowcoder.reporting.experiment_tables import arm_table, claim_table, floor_table, parts_table, rate_table, set_table
from snowcoder.reporting.experiment_words import correlation_text, experiment_findings, list_words
from snowcoder.reporting.titles import set_title

CSV_COLUMNS = ("arm", "draw", "learning_rate", "set", "bits_per_byte")


class RunFacts(NamedTuple):
    """What a page says of the run. commit: of the code and params; n_parameters, parent_tokens: of the model that all arms start from."""

    command: str
    profile: str
    commit: str
    n_parameters: int
    parent_tokens: int


def experiment_document(analysis: Analysis, facts: RunFacts, figure_name: str) -> Document:
    """The whole page."""
    sections = [
        comparison_section(analysis, figure_name),
        Section("Learning rates and halves of the draws", [_rates_text(analysis)], [rate_table(analysis)]),
        Section("The model and n-grams of the same tokens", [_floors_text(analysis)], [floor_table(analysis)]),
        Section("Every set", [], [set_table(analysis)]),
        Section("What the intervals hold, and what they leave out", _limits(analysis)),
        Section("Again", _again(analysis, facts)),
    ]
    return Document("Which data make the model better?", experiment_findings(analysis), sections)


def comparison_section(analysis: Analysis, figure_name: str) -> Section:
    """Arms, claims, subject and choice of files; also part of the report."""
    caption = (
        "Each arm less random files, of as many unique tokens: a dot with a 95% interval that holds for all arms at once; a stroke is one "
        "draw. Left of 0 are fewer bits than random files. Hollow: random files too, but matched to another arm's choice."
    )
    figure = Figure(figure_name, caption, describe_figure(analysis))
    tables = [arm_table(analysis), claim_table(analysis), *([parts_table(analysis)] if analysis.decompositions else [])]
    return Section("Ways of choosing data, compared", [_design_text(analysis)], [figure, *tables])


def experiment_metrics(analysis: Analysis) -> dict[str, Any]:
    """metrics/experiment.json."""
    alpha = analysis.floors[PARENT_ARM]
    return {
        "endpoint": analysis.params.endpoint,
        "alpha": {name: values.model for name, values in alpha.items()},
        "floors": {floor: {name: getattr(values, floor) for name, values in alpha.items()} for floor in ("bigram", "trigram")},
        "is_demonstration": analysis.is_demonstration,
        "is_ranking_claimed": analysis.is_ranking_claimed,
        "rank_correlation_halves": analysis.rank_correlation_halves,
        "rank_correlation_rates": {f"{rate:g}": value for rate, value in analysis.rank_correlation_rates.items()},
        "smallest_detectable": analysis.smallest_detectable,
        "spread_of_a_training": analysis.fit.spread,
        "degrees_of_freedom": analysis.fit.design.degrees_of_freedom,
        "trainings": len(analysis.values),
        "missing": [branch.name for branch in analysis.missing],
        "arms": {
            one.arm: {"endpoint": one.level, "control": one.control} | ({"difference": one.difference.value} if one.difference else {})
            for one in analysis.ranked
        },
        "claims": [
            {"better": one.better, "worse": one.worse, "holm_p": one.holm_p, "detectable": one.detectable, "verdict": one.verdict}
            | ({"difference": one.difference.value} if one.difference else {})
            for one in analysis.claims
        ],
    }


def experiment_rows(branches: BranchBits) -> list[tuple[str, int, float, str, str]]:
    """Rows of experiment.csv under CSV_COLUMNS, alpha among them."""
    return [
        (branch.arm, branch.draw, branch.learning_rate, name, f"{texts.bits_per_byte():.6f}")
        for branch, sets in sorted(branches.items())
        for name, texts in sorted(sets.items())
    ]


def _design_text(analysis: Analysis) -> str:
    params = analysis.params
    on = list_words([set_title(name) for name in params.endpoint])
    return (
        f"Every arm continues the same model, {PARENT_ARM}, for {number(params.tokens)} tokens, on files chosen in its own way. It "
        f"does so in several draws: in each, all arms choose from the same random {params.pool_fraction:.0%} of the files and train in the "
        f"same order. They are judged by their bits per byte on {on}, each set weighing the same: fewer are better."
    )


def _rates_text(analysis: Analysis) -> str:
    rates = [f"{correlation_text(value)} at {rate:g}" for rate, value in analysis.rank_correlation_rates.items()]
    return (
        f"Rank correlation (Spearman) of the arms between two halves of the draws, averaged over all ways to halve them that leave every "
        f"arm in both: {correlation_text(analysis.rank_correlation_halves)}. With the order at the first learning rate: "
        f"{list_words(rates) or 'no other rate was tried'}. Small trainings at an ordinary learning rate can rank data otherwise than a "
        "large one would; at a very small rate they agree with it more often (arXiv 2512.24503). So a ranking is claimed only where all of "
        f"these are at least {analysis.params.min_rank_correlation:g}."
    )


def _floors_text(analysis: Analysis) -> str:
    behind = [set_title(name) for name in analysis.sets_behind_trigram]
    verdict = (
        f"It does not on {list_words(behind)}: nothing about data is claimed here."
        if behind
        else "It does, on every set that was measured."
    )
    return f"A model that does not beat a trigram of its own tokens may have learned which words are frequent, and nothing else. {verdict}"


def _limits(analysis: Analysis) -> list[str]:
    return [
        "The unit is a training. Intervals and tests hold the luck of the draw: which files were available, and their order. They are "
        f"pooled over all arms: an arm with a single draw is taken to vary as much as the others. {_degrees(analysis)}",
        "They leave out: another corpus, another size of model, another number of tokens, another alpha (there is one), another training "
        "of each annotator. Draws are parts of one corpus and overlap, so "
        f"that a new corpus would vary more. {_overlap(analysis)} The interval over texts (table of every set) is about "
        "other texts with the same trainings; the two are not combined.",
        "Why bits per byte of solutions, and not solved problems: small models solve none, and likelihood ranks data at a small fraction "
        "of the size at which accuracy does (arXiv 2504.11393, 2508.13144). Why whole repositories are resampled: arXiv 2411.00640. Why "
        "files that look good need not help on ordinary code: arXiv 2510.00866.",
    ]


def _overlap(analysis: Analysis) -> str:
    """What the overlap of draws leaves out, as a number, and which arms vary more than the pooled residual says."""
    params = analysis.params
    n_draws = max(one.n_draws for one in analysis.ranked)
    factor = overlap_factor(params.pool_fraction, n_draws)
    wider = f"{factor:.1f} times" if factor else "without limit more than"
    told = (
        f"Two draws of an arm that takes the highest scores share {params.pool_fraction:.0%} of its files: for new files from the same "
        f"source, the luck of its own files would vary {wider} as much as {n_draws} such draws show. Draws hold all repositories, so that "
        "the luck of the repositories is in no interval."
    )
    repeating = [name for name, arm in params.arms.items() if arm.repeats > 1]
    if repeating:
        told += f" {list_words(repeating)} have fewer different files and vary more than the others: their intervals are too narrow."
    return told


def _degrees(analysis: Analysis) -> str:
    df = analysis.fit.design.degrees_of_freedom
    return f"{df} trainings more than the model has unknowns are left to estimate that variation{' from: few' if df < 10 else ''}."


def _again(analysis: Analysis, facts: RunFacts) -> list[str]:
    tokens_per_parameter = facts.parent_tokens / facts.n_parameters
    return [
        f"`{facts.command}` at commit {facts.commit[:10]} repeats it; it resumes at the training it had reached.",
        f"Profile {facts.profile}: {PARENT_ARM} has {number(facts.n_parameters)} parameters and saw {number(facts.parent_tokens)} tokens "
        f"({tokens_per_parameter:.2f} a parameter); then {len(analysis.values)} trainings of {number(analysis.params.tokens)} tokens each. "
        "Arms, endpoint and claims are in the section train_branches of params.yaml.",
        "experiment.csv has every training on every set; metrics/experiment.json the figures of this page.",
    ]
