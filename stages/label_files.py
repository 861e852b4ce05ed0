"""label_files: educational labels 0-5 for a sample of the train files of the pool, by the written rubric or by an LLM.

in: data/split_files
out: data/label_files (file_id, label, labeller), metrics/label_files.json (labels by language; answers of an LLM that were refused)
"""

from functools import partial
from pathlib import Path

from snowcoder.labels.labelling import (
    LABEL_SCHEMA,
    LabelParams,
    judge_sample,
    label_shard,
    last_sampled,
    read_sample,
    summarise_labels,
)
from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import Metrics, StageRun, command_line, run_stage, work_dir
from snowcoder.storage.shards import list_shards

FILES = Path("data/split_files")


def main() -> None:
    params = load_section("label_files", LabelParams)

    def build(run: StageRun) -> Metrics:
        shards = list_shards(FILES)
        last = last_sampled(shards, params)
        if params.judge is not None:
            sample = read_sample(shards, last, params)
            return judge_sample(sample, params.judge, work_dir() / "responses/label_files.jsonl", run.output)
        outputs = {"labels": (run.output, LABEL_SCHEMA)}
        return summarise_labels(run.map_shards(partial(label_shard, last=last, params=params), shards, outputs))

    run_stage("label_files", [params], [FILES], build)


if __name__ == "__main__":
    command_line(main)
