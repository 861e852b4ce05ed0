"""Grades completions by running their tests in the sandbox.

in: rows of completions, problems
out: rows of GRADE_SCHEMA: benchmark, problem_id, sample, passed, outcome (a status of snowcoder.sandbox.program), detail
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from snowcoder.benchmarks.problem import Problem
from snowcoder.errors import ShardError
from snowcoder.evaluation.pass_at_k import mean_pass_at_k
from snowcoder.params import ParamsModel
from snowcoder.sandbox.program import SandboxLimits, run_programs
from snowcoder.statistics.intervals import wilson_interval

GRADE_SCHEMA = pa.schema(
    [
        ("benchmark", pa.string()),
        ("problem_id", pa.string()),
        ("sample", pa.int32()),
        ("passed", pa.bool_()),
        ("outcome", pa.string()),
        ("detail", pa.string()),
    ]
)


class ExecuteCompletionsParams(ParamsModel):
    """limits: what one program (solution and tests) may use."""

    limits: SandboxLimits


def build_program(prompt: str, completion: str, problem: Problem) -> str:
    """Prompt, completion, tests and their call: a program that ends without an exception if and only if the completion is right."""
    return f"{prompt}{completion}\n{problem.test}\ncheck({problem.entry_point})\n"


def grade_completions(rows: Sequence[dict[str, Any]], problems: Sequence[Problem], limits: SandboxLimits) -> list[dict[str, Any]]:
    """One graded row per completion, in their order. Raises ShardError unless exactly the problems given are completed."""
    known = {(problem.benchmark, problem.problem_id): problem for problem in problems}
    completed = {(row["benchmark"], row["problem_id"]) for row in rows}
    if completed != set(known):
        difference = sorted(completed ^ set(known))
        raise ShardError(
            f"completions and problems differ in {len(difference)} problems, such as {difference[0]}; run `dvc repro generate_completions`"
        )
    sources = [build_program(row["prompt"], row["completion"], known[row["benchmark"], row["problem_id"]]) for row in rows]
    outcomes = run_programs(sources, limits, "completions run")
    identity = ("benchmark", "problem_id", "sample")
    return [
        {name: row[name] for name in identity} | {"passed": outcome.passed, "outcome": outcome.status, "detail": outcome.detail}
        for row, outcome in zip(rows, outcomes, strict=True)
    ]


def summarise_grades(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """{benchmark: {passed, total, pass@1, ci95 (Wilson), outcomes: {outcome: n}}}; one greedy sample per problem."""
    metrics: dict[str, Any] = {}
    for benchmark in sorted({row["benchmark"] for row in rows}):
        chosen = [row for row in rows if row["benchmark"] == benchmark]
        passed = sum(row["passed"] for row in chosen)
        metrics[benchmark] = {
            "passed": passed,
            "total": len(chosen),
            "pass@1": mean_pass_at_k(((1, int(row["passed"])) for row in chosen), k=1),
            "ci95": wilson_interval(passed, len(chosen)),
            "outcomes": dict(sorted(Counter(row["outcome"] for row in chosen).items())),
        }
    return metrics
