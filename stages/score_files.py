"""score_files: the score of every corpus file by one recipe's annotator; a file's score is the mean of its sections' scores.

in: models/train_annotator/<recipe>; data/embed_files, or data/split_files where the annotator has a tuned encoder of its own
out: data/score_files/<recipe>, metrics/score_files/<recipe>.json (how the scores of the train split spread, by language,
     length, licence, repository)
"""

from functools import partial
from pathlib import Path

from snowcoder.annotator.head import read_head
from snowcoder.annotator.scoring import SCORE_SCHEMA, describe_scores, embed_and_score_shard, score_shard
from snowcoder.annotator.tuned_encoder import is_tuned, read_tuned
from snowcoder.pipeline.execution import map_shards
from snowcoder.pipeline.stage import StageRun, command_line, run_stage
from snowcoder.storage.metrics import write_metrics
from snowcoder.storage.shards import list_shards, read_table

EMBEDDINGS, FILES = Path("data/embed_files"), Path("data/split_files")


def build(run: StageRun, model: Path, output: Path, metrics: Path) -> None:
    """Score every shard; a tuned encoder embeds it first."""
    outputs, head = {"scores": (run.out(output), SCORE_SCHEMA)}, read_head(model)
    if is_tuned(model):
        encoder = read_tuned(model)
        work = partial(embed_and_score_shard, encoder=encoder, head=head)
        map_shards(work, list_shards(FILES), outputs, run.state, run.label, threads_per_worker=encoder.params.threads_per_worker)
    else:
        map_shards(partial(score_shard, head=head), list_shards(EMBEDDINGS), outputs, run.state, run.label)
    write_metrics(run.out(metrics), describe_scores(read_table(run.out(output))))


def main(item: str) -> None:
    """Run the stage for one recipe; it has no params of its own."""
    model, output = Path(f"models/train_annotator/{item}"), Path(f"data/score_files/{item}")
    metrics = Path(f"metrics/score_files/{item}.json")
    work = partial(build, model=model, output=output, metrics=metrics)
    inputs = [FILES if is_tuned(model) else EMBEDDINGS, model]
    run_stage("score_files", [], inputs=inputs, outputs=[output, metrics], build=work, item=item)


if __name__ == "__main__":
    command_line(main)
