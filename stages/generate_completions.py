"""generate_completions: greedy completions of every problem by one variant's model.

in: models/pretrain/<variant>, data/fetch_benchmarks
out: data/generate_completions/<variant> (benchmark, problem_id, sample, prompt, completion, finish_reason),
     metrics/generate_completions/<variant>.json
"""

from functools import partial
from pathlib import Path

import pyarrow as pa

from snowcoder.benchmarks.problem import read_problems
from snowcoder.evaluation.benchmark_prompts import base_prompt
from snowcoder.evaluation.generating.completions import (
    COMPLETION_SCHEMA,
    GenerateCompletionsParams,
    complete_problems,
    summarise_completions,
)
from snowcoder.evaluation.generating.variant_engine import load_variant_engine
from snowcoder.evaluation.variants import variant_folder
from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import Metrics, StageRun, command_line, run_stage
from snowcoder.storage.shards import write_table
from snowcoder.tracking.record import track_run

PROBLEMS = Path("data/fetch_benchmarks")


def main(item: str) -> None:
    params = load_section("generate_completions", GenerateCompletionsParams)
    model = variant_folder(item)

    def build(run: StageRun) -> Metrics:
        engine = load_variant_engine(params, model)
        with track_run(run) as record:
            prompt = partial(base_prompt, strip_prompt=params.strip_prompt)
            rows = complete_problems(engine, read_problems(PROBLEMS), params.sampling(), prompt)
            metrics = summarise_completions(rows)
            for benchmark, values in metrics.items():
                record.log({f"eval/{benchmark}/stopped": values["finish_reasons"].get("stop", 0) / values["problems"]})
        write_table(run.output, [pa.Table.from_pylist(rows, COMPLETION_SCHEMA)], COMPLETION_SCHEMA)
        return metrics

    run_stage("generate_completions", [params], [model, PROBLEMS], build, item)


if __name__ == "__main__":
    command_line(main)
