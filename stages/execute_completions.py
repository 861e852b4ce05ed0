"""execute_completions: runs every problem's tests on its completion in the sandbox; pass@1 with its interval.

in: data/generate_completions/<variant>, data/fetch_benchmarks
out: data/execute_completions/<variant> (benchmark, problem_id, sample, passed, outcome, detail), metrics/execute_completions/<variant>.json
"""

from pathlib import Path

import pyarrow as pa

from snowcoder.benchmarks.problem import read_problems
from snowcoder.evaluation.grading.grade_completions import GRADE_SCHEMA, ExecuteCompletionsParams, grade_completions, summarise_grades
from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import Metrics, StageRun, command_line, run_stage
from snowcoder.sandbox.program import check_sandbox
from snowcoder.storage.shards import iterate_rows, write_table
from snowcoder.tracking.record import track_run

PROBLEMS = Path("data/fetch_benchmarks")


def main(item: str) -> None:
    params = load_section("execute_completions", ExecuteCompletionsParams)
    completions = Path(f"data/generate_completions/{item}")

    def build(run: StageRun) -> Metrics:
        check_sandbox()
        with track_run(run, also=[Path(f"models/pretrain/{item}")]) as record:
            completed = list(iterate_rows(completions))
            rows = grade_completions(completed, read_problems(PROBLEMS), params.limits)
            metrics = summarise_grades(rows, completed)
            record.log({f"eval/{benchmark}/pass_at_1": values["pass@1"] for benchmark, values in metrics.items()})
        write_table(run.output, [pa.Table.from_pylist(rows, GRADE_SCHEMA)], GRADE_SCHEMA)
        return metrics

    run_stage("execute_completions", [params], [completions, PROBLEMS], build, item)


if __name__ == "__main__":
    command_line(main)
