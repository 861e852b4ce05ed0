"""label_files: educational labels 0-5 for a sample of the train files, by the written rubric or by an LLM.

in: data/split_files
out: data/label_files (file_id, label, labeller), metrics/label_files.json (labels by language; answers of an LLM that were refused)
"""

from functools import partial
from pathlib import Path

from snowcoder.inference.engines.engine_params import model_identity
from snowcoder.labels.labelling import (
    LABEL_SCHEMA,
    LabelParams,
    label_shard,
    last_sampled,
    read_sample,
    summarise_judged,
    summarise_labels,
)
from snowcoder.labels.llm_labelling import JudgeParams, judge_files, label_rows
from snowcoder.pipeline.console import say
from snowcoder.pipeline.execution import map_shards
from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import StageRun, command_line, run_stage, work_dir
from snowcoder.storage.metrics import write_metrics
from snowcoder.storage.shards import list_shards, write_table

SOURCE = Path("data/split_files")
OUTPUT = Path("data/label_files")
METRICS = Path("metrics/label_files.json")


def build(run: StageRun, params: LabelParams) -> None:
    """Draw the sample, then label it shard by shard."""
    shards = list_shards(SOURCE)
    last = last_sampled(shards, params.sample_files, params.seed)
    if params.judge is not None:
        _ask(run, params, params.judge)
        return
    outputs = {"labels": (run.out(OUTPUT), LABEL_SCHEMA)}
    summaries = map_shards(partial(label_shard, last=last, seed=params.seed), shards, outputs, run.state, "label_files")
    write_metrics(run.out(METRICS), summarise_labels(summaries))


def _ask(run: StageRun, params: LabelParams, judge: JudgeParams) -> None:
    """Labels by an engine: one request per file of the sample that no earlier run has asked for."""
    shards = list_shards(SOURCE)
    parts = read_sample(shards, last_sampled(shards, params.sample_files, params.seed), params.seed)
    files, labeller = [row for part in parts for row in part], model_identity(judge.engine)
    judged = judge_files(files, judge, work_dir() / "responses" / f"{run.stage}.jsonl")
    say(f"label_files: {judged.asked} answers by {labeller}, {judged.reused} from earlier runs")
    write_table(run.out(OUTPUT), [label_rows(part, judged.labels, labeller) for part in parts], LABEL_SCHEMA)
    write_metrics(run.out(METRICS), summarise_judged(files, judged, labeller))


def main() -> None:
    """Run the stage."""
    params = load_section("label_files", LabelParams)
    run_stage("label_files", [params], inputs=[SOURCE], outputs=[OUTPUT, METRICS], build=partial(build, params=params))


if __name__ == "__main__":
    command_line(main)
