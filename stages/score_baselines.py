"""score_baselines: scores of the pool's files that any annotator has to beat: heuristics, hashed n-grams, perplexity under `general`.

in: data/embed_files (which train files are the pool), data/split_files, data/fetch_positives, models/pretrain/general
out: data/score_baselines (a column per score), metrics/score_baselines.json:
  rank_correlation    of each pair of scores, ranks within language; `shortest` is length, shortest first
  variance_of_scores  of each score: its share between and within repositories
  files               of the pool
"""

from functools import partial
from pathlib import Path

import pyarrow as pa

from snowcoder.baselines.baseline_params import BASELINES, ScoreBaselinesParams
from snowcoder.baselines.scoring import BASELINE_SCHEMA, SHARD_SCHEMA, find_pool, fit_ngram_models, read_files, score_shard, with_bands
from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import Metrics, StageRun, command_line, run_stage
from snowcoder.selection.recipe_agreement import rank_correlations, repository_variances
from snowcoder.storage.shards import list_shards, read_table, write_table

EMBEDDINGS = Path("data/embed_files")
FILES = Path("data/split_files")
POSITIVES = Path("data/fetch_positives")
MODEL = Path("models/pretrain/general")


def main() -> None:
    params = load_section("score_baselines", ScoreBaselinesParams)

    def build(run: StageRun) -> Metrics:
        files, shards = read_files(EMBEDDINGS), list_shards(FILES)
        pool = find_pool(files, params)
        models = fit_ngram_models(files, pool, shards + list_shards(POSITIVES), params)
        score = partial(score_shard, pool=pool, models=models, model=MODEL, params=params.perplexity)
        scored = run.state / "scores"
        run.map_shards(score, shards, {"scores": (scored, SHARD_SCHEMA)}, threads_per_worker=params.perplexity.cpu_threads)
        table = with_bands(read_table(scored))
        write_table(run.output, [table], BASELINE_SCHEMA)
        return describe(table)

    run_stage("score_baselines", [params], [EMBEDDINGS, FILES, POSITIVES, MODEL], build)


def describe(table: pa.Table) -> Metrics:
    """The metrics above."""
    scores = {name: table.append_column("score", table[name]) for name in BASELINES}
    return {"files": len(table), "rank_correlation": rank_correlations(scores), "variance_of_scores": repository_variances(scores)}


if __name__ == "__main__":
    command_line(main)
