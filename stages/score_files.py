"""score_files: the score of every corpus file by one recipe's head; a file's score is the mean of its sections' scores.

in: data/embed_files, models/train_annotator/<recipe>
out: data/score_files/<recipe>, metrics/score_files/<recipe>.json (how the scores of the train split spread, by language,
     length, licence, repository)
"""

from functools import partial
from pathlib import Path

from snowcoder.annotator.head import read_head
from snowcoder.annotator.scoring import SCORE_SCHEMA, describe_scores, score_shard
from snowcoder.execution import map_shards
from snowcoder.metrics import write_metrics
from snowcoder.shards import list_shards, read_table
from snowcoder.stage import StageRun, command_line, run_stage

EMBEDDINGS = Path("data/embed_files")


def build(run: StageRun, model: Path, output: Path, metrics: Path) -> None:
    """Score every shard."""
    outputs = {"scores": (run.out(output), SCORE_SCHEMA)}
    map_shards(partial(score_shard, head=read_head(model)), list_shards(EMBEDDINGS), outputs, run.state, run.label)
    write_metrics(run.out(metrics), describe_scores(read_table(run.out(output))))


def main(item: str) -> None:
    """Run the stage for one recipe; it has no params of its own."""
    model, output = Path(f"models/train_annotator/{item}"), Path(f"data/score_files/{item}")
    metrics = Path(f"metrics/score_files/{item}.json")
    work = partial(build, model=model, output=output, metrics=metrics)
    run_stage("score_files", [], inputs=[EMBEDDINGS, model], outputs=[output, metrics], build=work, item=item)


if __name__ == "__main__":
    command_line(main)
