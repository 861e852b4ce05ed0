"""score_files: the score of every corpus file by one recipe's annotator; a file's score is the mean of its sections' scores.

in: models/train_annotator/<recipe>; data/embed_files, or data/split_files where the annotator has its own tuned encoder
out: data/score_files/<recipe>, metrics/score_files/<recipe>.json (how the scores of the train split spread, by language,
     length, licence, repository)
"""

from functools import partial
from pathlib import Path

from snowcoder.annotator.head import read_head
from snowcoder.annotator.scoring import SCORE_SCHEMA, describe_scores, score_shard
from snowcoder.annotator.tuned_encoder import is_tuned, read_tuned
from snowcoder.pipeline.stage import Metrics, StageRun, command_line, run_stage
from snowcoder.storage.shards import list_shards, read_table

EMBEDDINGS = Path("data/embed_files")
FILES = Path("data/split_files")


def main(item: str) -> None:
    model = Path(f"models/train_annotator/{item}")

    def build(run: StageRun) -> Metrics:
        outputs, head = {"scores": (run.output, SCORE_SCHEMA)}, read_head(model)
        if is_tuned(model):
            from snowcoder.annotator.scoring import embed_and_score_shard  # torch: a frozen encoder does without

            encoder = read_tuned(model)
            score, threads = partial(embed_and_score_shard, encoder=encoder, head=head), encoder.params.threads_per_worker
            run.map_shards(score, list_shards(FILES), outputs, threads_per_worker=threads)
        else:
            run.map_shards(partial(score_shard, head=head), list_shards(EMBEDDINGS), outputs)
        return describe_scores(read_table(run.output))

    run_stage("score_files", [], [FILES if is_tuned(model) else EMBEDDINGS, model], build, item)


if __name__ == "__main__":
    command_line(main)
