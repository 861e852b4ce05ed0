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
from snowcoder.evaluation.variants import model_folder
from snowcoder.inference.engine import Engine
from snowcoder.inference.engines.transformers_engine import TransformersEngine
from snowcoder.inference.local.model_folder import choose_window, load_model
from snowcoder.pipeline.execution import worker_count
from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import StageRun, command_line, run_stage
from snowcoder.storage.metrics import write_metrics
from snowcoder.storage.shards import write_table
from snowcoder.tokenization.tokenizer import EOS_ID, load_tokenizer
from snowcoder.tracking.record import track

PROBLEMS = Path("data/fetch_benchmarks")


def build(params: GenerateCompletionsParams, folder: Path, run: StageRun) -> None:
    """Load the model, complete, write the table."""
    engine = load_engine(params, folder)
    with track(run.stage, run.item, run.fingerprint, run.inputs) as record:
        rows = complete_problems(engine, read_problems(PROBLEMS), params.sampling(), partial(base_prompt, strip_prompt=params.strip_prompt))
        metrics = summarise_completions(rows)
        for benchmark, values in metrics.items():
            record.log({f"eval/{benchmark}/stopped": values["finish_reasons"].get("stop", 0) / values["problems"]})
    write_table(run.out(f"data/generate_completions/{run.item}"), [pa.Table.from_pylist(rows, COMPLETION_SCHEMA)], COMPLETION_SCHEMA)
    write_metrics(run.out(f"metrics/generate_completions/{run.item}.json"), metrics)


def load_engine(params: GenerateCompletionsParams, folder: Path) -> Engine:
    """The variant's model; documents start with EOS_ID in whatever engine."""
    if params.engine == "vllm":
        from snowcoder.inference.engines.vllm_engine import load_vllm_engine

        return load_vllm_engine(folder, params.precision, params.window_tokens, [EOS_ID])
    model = load_model(folder, params.precision, params.cpu_threads)
    window = choose_window(model, params.window_tokens, "generate_completions.window_tokens")
    return TransformersEngine(model, load_tokenizer(folder), EOS_ID, params.batch_size, window, worker_count())


def main(item: str) -> None:
    """Run the stage for one variant."""
    params = load_section("generate_completions", GenerateCompletionsParams)
    folder = model_folder(item)
    outputs = [Path(f"data/generate_completions/{item}"), Path(f"metrics/generate_completions/{item}.json")]
    run_stage("generate_completions", [params], [folder, PROBLEMS], outputs, partial(build, params, folder), item)


if __name__ == "__main__":
    command_line(main)
