"""score_files: the score of every corpus file by one recipe's annotator, by the head of its repository's fold, which saw no file of that
repository; a file's score is the mean of its sections' scores.

in: models/train_annotator/<recipe>; data/embed_files, or data/split_files where the annotator has its own tuned encoder
out: data/score_files/<recipe>, metrics/score_files/<recipe>.json (how the scores of the train split spread, by language,
     length, licence, repository, fold; whether the folds' scores are on one scale)
"""

from functools import partial
from pathlib import Path

from snowcoder.annotator.folds import fold_folder, fold_folders
from snowcoder.annotator.scoring import SCORE_SCHEMA, describe_scores, read_annotator, score_shard
from snowcoder.annotator.tuned_encoder import is_tuned, read_tuned
from snowcoder.pipeline.stage import Metrics, StageRun, command_line, run_stage
from snowcoder.storage.shards import list_shards, read_table

EMBEDDINGS = Path("data/embed_files")
FILES = Path("data/split_files")


def main(item: str) -> None:
    model = Path(f"models/train_annotator/{item}")
    tuned = is_tuned(fold_folder(model, 0))

    def build(run: StageRun) -> Metrics:
        outputs, annotator = {"scores": (run.output, SCORE_SCHEMA)}, read_annotator(model)
        if tuned:
            from snowcoder.annotator.scoring import embed_and_score_shard  # torch: a frozen encoder does without

            encoders = [read_tuned(folder) for folder in fold_folders(model)]
            score = partial(embed_and_score_shard, annotator=annotator, encoders=encoders)
            run.map_shards(score, list_shards(FILES), outputs, threads_per_worker=encoders[0].params.threads_per_worker)
        else:
            run.map_shards(partial(score_shard, annotator=annotator), list_shards(EMBEDDINGS), outputs)
        return describe_scores(read_table(run.output), annotator.folds)

    run_stage("score_files", [], [FILES if tuned else EMBEDDINGS, model], build, item)


if __name__ == "__main__":
    command_line(main)
