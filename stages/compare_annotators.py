"""compare_annotators: agreement of the recipes, the files at either end, and a diagnostic that looks at the benchmarks.

in: data/score_files/<recipe>, models/train_annotator/<recipe>, data/tokenize_files, data/fetch_benchmarks
out: data/compare_annotators (the ten highest and lowest files of each recipe, to read), metrics/compare_annotators.json:
  variance_of_scores                  of each recipe: its share between and within repositories; where hardly any is left within, a warning
                                      is printed, for such a recipe sorts repositories, not files
  rank_correlation, selected_overlap  of each pair of recipes (ranks within language; tokens selected by both, of those by either)
  benchmark_roc_auc_diagnostic        the paper's Figure 2: reference solutions against held-out Python files. It looks at the benchmarks,
                                      and nothing may be chosen by it; `length` is what the length of a text alone would give
  extremes                            names of the files at either end
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snowcoder.annotator.head import mean_by_file, read_head
from snowcoder.annotator.tuned_encoder import encoder_of
from snowcoder.benchmarks.problem import Problem, read_problems
from snowcoder.embedding.embed_shard import embed_texts
from snowcoder.embedding.encoder_source import EmbedParams
from snowcoder.pipeline.console import say
from snowcoder.pipeline.params import item_names, load_item, load_section
from snowcoder.pipeline.stage import StageRun, command_line, run_stage
from snowcoder.selection.budgeted_selection import RuleParams, SelectionParams, candidates, select_files
from snowcoder.selection.recipe_agreement import (
    EXTREMES_SCHEMA,
    MIN_WITHIN_REPOSITORY_SHARE,
    describe_alignment,
    extremes,
    name_extremes,
    overlaps,
    rank_correlations,
    repository_variances,
    roc_auc,
)
from snowcoder.storage.metrics import write_metrics
from snowcoder.storage.shards import read_table, write_table

TOKENS = Path("data/tokenize_files")
PROBLEMS = Path("data/fetch_benchmarks")
OUTPUT = Path("data/compare_annotators")
METRICS = Path("metrics/compare_annotators.json")


def build(run: StageRun, params: EmbedParams, shared: SelectionParams, rule: RuleParams, recipes: Sequence[str]) -> None:
    """Compare the scores, then score the benchmarks' solutions."""
    scores = {recipe: read_table(Path(f"data/score_files/{recipe}")).sort_by("file_id") for recipe in recipes}
    train = {recipe: table.filter(pc.equal(table["split"], "train")) for recipe, table in scores.items()}
    tokens = read_table(TOKENS, ["file_id", "split", "n_tokens"])
    selections = {recipe: pa.concat_tables(select_files(candidates(table, tokens), shared, rule)[0]) for recipe, table in scores.items()}
    ends = extremes(train)
    write_table(run.out(OUTPUT), [ends], EXTREMES_SCHEMA)
    variances = repository_variances(train)
    for recipe in (recipe for recipe, shares in variances.items() if shares["sorts_repositories"]):
        found = f"{variances[recipe]['within_repositories']:.1%} of the variance of its scores lies within repositories"
        say(f"warning: {recipe} sorts repositories, not files: {found} (expected: at least {MIN_WITHIN_REPOSITORY_SHARE:.0%})")
    metrics = {
        "variance_of_scores": variances,
        "rank_correlation": rank_correlations(train),
        "selected_overlap": overlaps(selections),
        "extremes": name_extremes(ends),
        "benchmark_roc_auc_diagnostic": _alignment(scores, read_problems(PROBLEMS), params),
    }
    write_metrics(run.out(METRICS), metrics)


def _alignment(scores: dict[str, pa.Table], problems: list[Problem], params: EmbedParams) -> dict[str, Any]:
    texts = [problem.prompt + problem.canonical_solution for problem in problems]
    embedded: dict[Path, tuple[np.ndarray, np.ndarray]] = {}  # a frozen encoder serves all recipes
    benchmarks = np.array([problem.benchmark for problem in problems])
    unseen = {}
    solutions: dict[str, dict[str, np.ndarray]] = {}
    for recipe, table in scores.items():
        is_unseen = pc.and_(pc.equal(table["split"], "held_out"), pc.equal(table["language"], "python"))
        unseen[recipe] = table.filter(is_unseen)
        model = Path(f"models/train_annotator/{recipe}")
        encoder = encoder_of(model, params)
        if encoder.folder not in embedded:
            embedded[encoder.folder] = embed_texts(texts, encoder.params, encoder.folder)
        vectors, starts = embedded[encoder.folder]
        found = mean_by_file(read_head(model).score_sections(vectors), starts)
        solutions[recipe] = {name: found[benchmarks == name] for name in sorted(set(benchmarks.tolist()))}
    aligned = describe_alignment(solutions, {recipe: table["score"].to_numpy() for recipe, table in unseen.items()})
    lengths = np.array([len(text.encode()) for text in texts])
    others = next(iter(unseen.values()))["n_bytes"].to_numpy()
    shorter = {name: roc_auc(-lengths[benchmarks == name], -others) for name in sorted(set(benchmarks.tolist()))}
    return aligned | {"length": {name: max(area, 1 - area) for name, area in shorter.items()}, "unseen_files": len(others)}


def main() -> None:
    """Run the stage; its params are those of embed_files and of select_files' rule `selected`."""
    params = load_section("embed_files", EmbedParams)
    shared, rule = load_item("select_files", "selected", SelectionParams, RuleParams)
    recipes = item_names("train_annotator")
    inputs = [folder / recipe for folder in (Path("data/score_files"), Path("models/train_annotator")) for recipe in recipes]
    work = partial(build, params=params, shared=shared, rule=rule, recipes=recipes)
    run_stage("compare_annotators", [params, shared, rule], [*inputs, TOKENS, PROBLEMS], [OUTPUT, METRICS], work)


if __name__ == "__main__":
    command_line(main)
