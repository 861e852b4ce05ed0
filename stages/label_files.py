"""label_files: educational labels 0-5 for a sample of the train files, by the written rubric.

in: data/split_files
out: data/label_files (file_id, label, labeller), metrics/label_files.json (labels by language)
"""

from functools import partial
from pathlib import Path

from snowcoder.annotator.labelling import LABEL_SCHEMA, LabelParams, label_shard, last_sampled, summarise_labels
from snowcoder.execution import map_shards
from snowcoder.metrics import write_metrics
from snowcoder.params import load_section
from snowcoder.shards import list_shards
from snowcoder.stage import StageRun, command_line, run_stage

SOURCE = Path("data/split_files")
OUTPUT = Path("data/label_files")
METRICS = Path("metrics/label_files.json")


def build(run: StageRun, params: LabelParams) -> None:
    """Draw the sample, then label it shard by shard."""
    shards = list_shards(SOURCE)
    last = last_sampled(shards, params.sample_files, params.seed)
    outputs = {"labels": (run.out(OUTPUT), LABEL_SCHEMA)}
    summaries = map_shards(partial(label_shard, last=last, seed=params.seed), shards, outputs, run.state, "label_files")
    write_metrics(run.out(METRICS), summarise_labels(summaries))


def main() -> None:
    """Run the stage."""
    params = load_section("label_files", LabelParams)
    run_stage("label_files", [params], inputs=[SOURCE], outputs=[OUTPUT, METRICS], build=partial(build, params=params))


if __name__ == "__main__":
    command_line(main)
