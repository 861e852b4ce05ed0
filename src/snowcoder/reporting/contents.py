"""Assembles the report: findings, models, ways of choosing data, data, synthetic documents, annotators, ours next to the paper's."""

from snowcoder.reporting import data_tables, synthetic_tables
from snowcoder.reporting.annotator_tables import agreement_table, alignment_table, annotator_table, extremes_listings, variance_table
from snowcoder.reporting.deduplication_tables import cluster_table, deduplication_paragraph, has_wipe_outs, wipe_out_table
from snowcoder.reporting.document import Block, Document, Figure, Section, megabytes, number
from snowcoder.reporting.experiment_page import comparison_section
from snowcoder.reporting.findings import findings
from snowcoder.reporting.language_mixes import mix_findings, mix_table
from snowcoder.reporting.model_tables import bits_table, comparison_table, paper_table, scale_table, score_table, trigram_table
from snowcoder.reporting.results import TRIGRAM, Results, set_names, teacher_name
from snowcoder.reporting.titles import set_title
from snowcoder.words import INITIAL

FIGURE_NAMES = ("ladder", "arms", "learning_curves", "funnel", "annotators")


def compose(results: Results) -> Document:
    """The whole report."""
    return Document(
        "snowcoder: which data make the model better?",
        [*findings(results), *mix_findings(results)],
        [
            _models(results),
            comparison_section(results.comparison, "arms.png"),
            _training(results),
            _data(results),
            _synthetic(results),
            _annotators(results),
            _paper(results),
        ],
    )


def _models(results: Results) -> Section:
    n_parameters = number(results.stages["initialize_model"]("parameters", "total"))
    text = (
        f"A model of {n_parameters} parameters, trained in three phases. Bits per byte measure how well a model predicts unseen code: "
        "fewer are better, and unlike pass@1 they distinguish small models. A control (hollow, in its model's colour) had the same start, "
        "budget and schedule as its model, but different data."
    )
    caption = (
        "Bits per byte with 95% intervals. Above: from the untrained model. Below: the trained ones; a bar marks the trigram of a model's "
        "own tokens, and only a model to the left of its bar has learned more than its last two tokens say."
    )
    panels = "; ".join(_bits_in_words(results, name) for name in set_names(results))
    words = f"Bits per byte of every model, and of the trigram of its tokens. {panels}."
    figure = Figure("ladder.png", caption, words)
    return Section(
        "The models", [text], [figure, bits_table(results), trigram_table(results), comparison_table(results), score_table(results)]
    )


def _bits_in_words(results: Results, set_name: str) -> str:
    """A panel of the ladder in words."""
    said = [f"{INITIAL} {results.bits[INITIAL](set_name, 'bits_per_byte'):.3f}"]
    for variant in results.params.variants:
        trigram = results.floors(variant, TRIGRAM, set_name)
        said.append(f"{variant} {results.bits[variant](set_name, 'bits_per_byte'):.3f} (trigram {trigram:.3f})")
    return f"{set_title(set_name)}: {', '.join(said)}"


def _training(results: Results) -> Section:
    caption = (
        "Training loss and learning rate. Each phase starts where the one before ends; losses on different data are not comparable with "
        "each other."
    )
    ends = [f"{variant} {curve[-1]['train_loss']:.3f} after {number(curve[-1]['tokens'])}" for variant, curve in results.curves.items()]
    words = f"Training loss in nats per token against tokens; last values: {', '.join(ends)}."
    figure = Figure("learning_curves.png", caption, words)
    return Section("Training", [], [figure])


def _data(results: Results) -> Section:
    steps = [f"{step.step} {step.files:,} files, {megabytes(step.n_bytes)}" for step in data_tables.funnel(results)]
    words = f"What is left after each step: {'; '.join(steps)}."
    figure = Figure("funnel.png", "What remains after each step, by language.", words)
    blocks: list[Block] = [
        figure,
        data_tables.funnel_table(results),
        data_tables.language_table(results),
        data_tables.reason_table(results),
        data_tables.rule_table(results),
        cluster_table(results),
        *([wipe_out_table(results)] if has_wipe_outs(results) else []),
        data_tables.contamination_table(results),
        data_tables.selection_table(results),
        mix_table(results),
    ]
    return Section("The data", [deduplication_paragraph(results)], blocks)


def _synthetic(results: Results) -> Section:
    teacher = teacher_name(results)
    if teacher == "extractive":
        who = (
            "The synthetic documents are not written by a language model: their teacher, called extractive, cuts documented functions and "
            "classes out of top-scored files and turns them into exercises with tests. It is a stand-in for a model and adds no knowledge."
        )
    else:
        who = f"The synthetic documents are by {teacher}."
    blocks: list[Block] = [
        synthetic_tables.language_mix_table(results),
        synthetic_tables.seed_yield_table(results),
        synthetic_tables.prompt_yield_table(results),
        synthetic_tables.repository_share_table(results),
        synthetic_tables.refusal_table(results),
        synthetic_tables.rejection_table(results),
        *synthetic_tables.rejected_listings(results),
        *synthetic_tables.document_listings(results),
    ]
    return Section("The synthetic documents", [f"{who} {synthetic_tables.synthetic_paragraph(results)}"], blocks)


def _annotators(results: Results) -> Section:
    by_rubric = [recipe for recipe, metrics in results.annotators.items() if metrics("labeller") == "rubric"]
    text = (
        "An annotator is a set of linear heads on a frozen text encoder, one for each fold of the repositories; a file's score is the mean "
        "over its top, middle and bottom section, by the head that saw no file of its repository."
    )
    if by_rubric:
        text += (
            f" The educational labels behind {', '.join(by_rubric)} come from a written rubric, computed from syntax tree and text; "
            "the paper had them from a large language model. The rubric is a stand-in for one, not its equal."
        )
    areas = [f"{name} {one('roc_auc'):.3f} and {one('average_precision'):.3f}" for name, one in results.annotators.items()]
    words = f"Area under the ROC curve and average precision: {', '.join(areas)}."
    figure = Figure(
        "annotators.png", "ROC and precision-recall curves, each example scored by a head that saw no file of its repository.", words
    )
    tables = [annotator_table(results), variance_table(results), agreement_table(results), alignment_table(results)]
    return Section("The annotators", [text], [figure, *tables, *extremes_listings(results)])


def _paper(results: Results) -> Section:
    text = "Figures side by side, not a comparison: model, data and budgets differ, as the second table shows."
    return Section("Next to the paper", [text], [paper_table(results), scale_table(results)])
