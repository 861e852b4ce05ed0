"""compare_annotators: agreement of the recipes, the files with extreme scores, and a diagnostic that looks at the benchmarks.

in: data/score_files/<recipe>, models/train_annotator/<recipe>, data/tokenize_files, data/fetch_benchmarks
out: data/compare_annotators (the ten highest and lowest files of each recipe, to read), metrics/compare_annotators.json:
  variance_of_scores                  of each recipe: its share between and within repositories; if hardly any is left within, a warning
                                      is printed, for such a recipe sorts repositories, not files
  rank_correlation, selected_overlap  of each pair of recipes (ranks within language; tokens selected by both, of those by either)
  benchmark_roc_auc_diagnostic        the paper's Figure 2: reference solutions against held-out Python files. It looks at the benchmarks,
                                      and nothing may be chosen by it; `length` is what the length of a text alone would give
  extremes                            names of the files at either end
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snowcoder.annotator.scoring import score_other_texts
from snowcoder.benchmarks.problem import read_problems
from snowcoder.embedding.encoder_source import EmbedParams
from snowcoder.pipeline.console import say
from snowcoder.pipeline.params import item_names, load_item, load_section
from snowcoder.pipeline.stage import Metrics, StageRun, command_line, run_stage
from snowcoder.selection.budgeted_selection import RuleParams, SelectionParams, candidates, select_files
from snowcoder.selection.recipe_agreement import (
    EXTREMES_SCHEMA,
    align_with_benchmarks,
    extremes,
    name_extremes,
    overlaps,
    rank_correlations,
    repository_variances,
    repository_warnings,
)
from snowcoder.storage.shards import read_table, write_table

TOKENS = Path("data/tokenize_files")
PROBLEMS = Path("data/fetch_benchmarks")


def main() -> None:
    embed = load_section("embed_files", EmbedParams)
    shared, rule = load_item("select_files", "selected", SelectionParams, RuleParams)
    recipes = item_names("train_annotator")
    scored = {recipe: Path(f"data/score_files/{recipe}") for recipe in recipes}
    models = {recipe: Path(f"models/train_annotator/{recipe}") for recipe in recipes}

    def build(run: StageRun) -> Metrics:
        scores = {recipe: read_table(folder).sort_by("file_id") for recipe, folder in scored.items()}
        train = {recipe: table.filter(pc.equal(table["split"], "train")) for recipe, table in scores.items()}
        tokens = read_table(TOKENS, ["file_id", "split", "n_tokens"])
        selected = {recipe: pa.concat_tables(select_files(candidates(table, tokens), shared, rule)[0]) for recipe, table in scores.items()}
        ends, variances = extremes(train), repository_variances(train)
        write_table(run.output, [ends], EXTREMES_SCHEMA)
        for warning in repository_warnings(variances):
            say(warning)
        problems = read_problems(PROBLEMS)
        texts = [problem.prompt + problem.canonical_solution for problem in problems]
        solutions, n_bytes = score_other_texts(texts, models, embed), np.array([len(text.encode()) for text in texts])
        benchmarks = np.array([problem.benchmark for problem in problems])
        return {
            "variance_of_scores": variances,
            "rank_correlation": rank_correlations(train),
            "selected_overlap": overlaps(selected),
            "extremes": name_extremes(ends),
            "benchmark_roc_auc_diagnostic": align_with_benchmarks(scores, solutions, benchmarks, n_bytes),
        }

    inputs = [*scored.values(), *models.values(), TOKENS, PROBLEMS]
    run_stage("compare_annotators", [embed, shared, rule], inputs, build)


if __name__ == "__main__":
    command_line(main)
