"""Tables of the annotators: how good they are, how far they agree, how they rank benchmark solutions, which files are at either end."""

from itertools import combinations

from snowcoder.reporting.document import NOTHING, Listing, Table, percent
from snowcoder.reporting.paper_tables import TABLE_4_HUMANEVAL
from snowcoder.reporting.results import Results
from snowcoder.selection.recipe_agreement import MIN_WITHIN_REPOSITORY_SHARE


def annotator_table(results: Results) -> Table:
    """How well each annotator separates positives from random files of repositories it has not seen; how well the length of a file alone
    would do."""
    rows = []
    for recipe, metrics in results.annotators.items():
        theirs = TABLE_4_HUMANEVAL.get(recipe)
        judged = f"{metrics('n_positive'):,} / {metrics('n_negative'):,}"
        areas = [f"{metrics(name):.3f}" for name in ("roc_auc", "roc_auc_of_length_alone", "average_precision")]
        brier = f"{metrics('calibration', 'brier'):.3f}" if metrics("kind") == "classification" else NOTHING
        head = metrics("kind") + (", tuned encoder" if "encoder" in metrics.values else "")
        rows.append([recipe, head, labels_of(results, recipe), judged, *areas, brier, f"{theirs:.1f}" if theirs else NOTHING])
    caption = (
        "Cross-fitted: each example is scored by a head that saw no file of its repository. ROC-AUC: 0.5 is chance; an annotator that is "
        "not clearly better than the length of a file alone has learned length. Average precision: chance is the share of positives. Brier "
        "score: mean squared error of the calibrated probabilities, 0.25 is a coin. The last column is the HumanEval pass@1 (in percent) "
        "that the paper reports for a model trained on each annotator's choice (Table 4); the paper prints no ROC-AUC."
    )
    columns = ["annotator", "head", "labels by", "judged on: pos. / neg.", "ROC-AUC", "length alone", "average precision", "Brier score"]
    return Table([*columns, "paper: HumanEval"], rows, caption, text_columns=3)


def agreement_table(results: Results) -> Table:
    """Each pair of recipes: do they rank alike, do they select the same tokens?"""
    compared = results.stages["compare_annotators"]
    pairs = [f"{first} and {second}" for first, second in combinations(results.params.recipes, 2)]
    rows = [[pair, f"{compared('rank_correlation', pair):.2f}", percent(compared("selected_overlap", pair))] for pair in pairs]
    caption = (
        "Spearman's correlation of the ranks within each language, over the train split; share of the tokens that both select, of those "
        "that either selects at the configured budget."
    )
    return Table(["recipes", "rank correlation", "selected by both"], rows, caption)


def variance_table(results: Results) -> Table:
    """Does a recipe distinguish files, or only the repositories that they are from?"""
    variances = results.stages["compare_annotators"]("variance_of_scores")
    rows = []
    for recipe in results.params.recipes:
        shares = variances[recipe]
        cells = [NOTHING if shares[name] is None else percent(shares[name]) for name in ("between_repositories", "within_repositories")]
        folds = results.scored[recipe]("between_folds")
        said = NOTHING if folds["p_value"] is None else f"{percent(folds['explained_share'])} (p {folds['p_value']:.2f})"
        warning = "sorts repositories, not files" if shares["sorts_repositories"] else NOTHING
        rows.append([recipe, *cells, f"{shares['repositories']:,}", f"{shares['files']:,}", said, warning])
    caption = (
        "Where the variance of the scores comes from, over the train split, without each language's mean: adjusted R2 of the repository "
        f"(0 by chance), and the rest. Below {MIN_WITHIN_REPOSITORY_SHARE:.0%} within repositories a recipe is warned of: a list of good "
        "repositories would do nearly as well. Repositories of one file are left out. Folds are scored by different heads: their share is "
        "of the variance of the repositories' means (0 by chance), with the p-value of Kruskal and Wallis' test; a small one says that the "
        "heads' scores are not on one scale."
    )
    columns = ["annotator", "between repositories", "within", "repositories", "files", "between folds", "warning"]
    return Table(columns, rows, caption)


def alignment_table(results: Results) -> Table:
    """The paper's Figure 2, as a diagnostic."""
    areas = results.stages["compare_annotators"]("benchmark_roc_auc_diagnostic")
    benchmarks = sorted(areas["length"])
    rows = [[name, *(f"{areas[name][benchmark]:.3f}" for benchmark in benchmarks)] for name in [*results.params.recipes, "length"]]
    caption = (
        f"A diagnostic that looks at the benchmarks; no choice depends on it. ROC-AUC of reference solutions (with their prompts) against "
        f"{areas['unseen_files']:,} held-out Python files, as in the paper's Figure 2. Last row: the length of a text alone, in whichever "
        "direction separates better; solutions are short, files are not."
    )
    return Table(["scored by", *benchmarks], rows, caption)


def extremes_listings(results: Results) -> list[Listing]:
    """The files that each recipe puts first and last."""
    ends = results.stages["compare_annotators"]("extremes")
    listings = []
    for recipe in results.params.recipes:
        lines = [line for end in ("highest", "lowest") for line in [f"{end}:", *(f"  {name}" for name in ends[recipe][end])]]
        listings.append(Listing(f"{recipe}: files with the highest and lowest scores", "\n".join(lines), "text"))
    return listings


def labels_of(results: Results, recipe: str) -> str:
    """Who gave the educational labels that an annotator was trained with; a dash if it used none."""
    return str(results.annotators[recipe]("labeller") or NOTHING)
