"""Reads HumanEval+ v0.1.10 and MBPP+ v0.2.0 (Liu et al. 2023, arXiv 2305.01210) in either format that EvalPlus publishes.

`HumanEvalPlus.jsonl.gz`, `MbppPlus.jsonl.gz` hold inputs (base_input, plus_input) and a reference solution as the standard: grader
`evalplus`, verdicts for base and plus. `*-OriginFmt.jsonl.gz` (the hub's format too) hold one test program per problem: grader `program`,
one verdict; they need numpy, and the program of HumanEval/32 is wrong: it refuses right solutions, its reference among them.

Problem.inputs: JSON {"family": "humaneval" | "mbpp", "atol": number, "base": [arguments of a call, …], "plus": [...]}, as in the file:
mbpp_inputs.py turns MBPP's into the tuples, sets and complex numbers that JSON has no words for.
"""

import ast
import json
import re
import warnings
from pathlib import Path
from typing import Any

from snowcoder.benchmarks.human_eval import parse_human_eval
from snowcoder.benchmarks.mbpp_inputs import restore_inputs
from snowcoder.benchmarks.pinned_file import PinnedSource, list_field, text_field
from snowcoder.benchmarks.problem import Problem
from snowcoder.errors import SourceError

RELEASES = "https://github.com/evalplus/{}_release/releases/download/{}/{}.jsonl.gz"
HUMANEVAL_PLUS = PinnedSource(
    ("HumanEvalPlus.jsonl.gz", "HumanEvalPlus-OriginFmt.jsonl.gz"),
    RELEASES.format("humanevalplus", "v0.1.10", "HumanEvalPlus"),
    "evalplus/humanevalplus",
    "test",
)
MBPP_PLUS = PinnedSource(
    ("MbppPlus.jsonl.gz", "MbppPlus-OriginFmt.jsonl.gz"), RELEASES.format("mbppplus", "v0.2.0", "MbppPlus"), "evalplus/mbppplus", "test"
)
MAX_ATOL = 1.0  # a larger one would take nearly any number for right
# MBPP+'s test programs assert at module level; a problem's test defines `check` in every benchmark.
EMPTY_CHECK = "\n\ndef check(candidate):\n    pass\n"


def parse_humaneval_plus(records: list[dict[str, Any]], path: Path) -> list[Problem]:
    """The problems of HumanEval+, of either format. Raises SourceError naming problem and field."""
    if _has_inputs(records):
        return [_differential(record, path, "humaneval_plus", "humaneval") for record in records]
    return parse_human_eval(records, path, "humaneval_plus")


def parse_mbpp_plus(records: list[dict[str, Any]], path: Path) -> list[Problem]:
    """The problems of MBPP+, of either format; the prompt is EvalPlus' docstring. Raises SourceError naming problem and field."""
    if _has_inputs(records):
        return [_differential(record, path, "mbpp_plus", "mbpp") for record in records]
    return [_mbpp_program(record, path) for record in records]


def _has_inputs(records: list[dict[str, Any]]) -> bool:
    """Whether a file is of the format with inputs. One record with them says so: those without are then faults, not another format."""
    return any("base_input" in record or "plus_input" in record for record in records)


def _differential(record: dict[str, Any], path: Path, benchmark: str, family: str) -> Problem:
    atol = record.get("atol")
    if isinstance(atol, bool) or not isinstance(atol, int | float) or not 0 <= atol <= MAX_ATOL:
        allowed = f"a number from 0 to {MAX_ATOL}, the difference from the right result that counts as none"
        raise SourceError(f"{path}: problem {record.get('task_id')!r}: field atol: found {atol!r:.40}; allowed: {allowed}")
    base = list_field(record, "base_input", path)
    # Mbpp/793 as published has {} here: no further inputs
    plus = [] if record.get("plus_input") == {} else list_field(record, "plus_input", path)
    problem_id = text_field(record, "task_id", path)
    if family == "mbpp":
        _check_restored(problem_id, {"base_input": base, "plus_input": plus}, path)
    return Problem(
        benchmark=benchmark,
        problem_id=problem_id,
        prompt=text_field(record, "prompt", path),
        canonical_solution=text_field(record, "canonical_solution", path),
        test="",
        entry_point=text_field(record, "entry_point", path),
        grader="evalplus",
        inputs=json.dumps({"family": family, "atol": atol, "base": base, "plus": plus}),
    )


def _check_restored(problem_id: str, inputs: dict[str, list[Any]], path: Path) -> None:
    """Raises SourceError if the inputs do not have the shapes that the problem's types are restored from."""
    if not re.fullmatch(r"Mbpp/[0-9]{1,6}", problem_id):
        raise SourceError(f"{path}: problem {problem_id!r:.80}: field task_id: allowed: Mbpp/ and a number; fetch the file again")
    for field, values in inputs.items():
        try:
            restore_inputs(problem_id, values)
        except (TypeError, ValueError, OverflowError, IndexError, KeyError, AttributeError) as error:
            reason = f"found inputs of other shapes ({type(error).__name__}: {error}); allowed: those that EvalPlus publishes"
            raise SourceError(f"{path}: problem {problem_id!r}: field {field}: {reason}; fetch the file again") from error


def _mbpp_program(record: dict[str, Any], path: Path) -> Problem:
    assertions = list_field(record, "test_list", path)
    if not isinstance(assertions[0], str):
        raise SourceError(f"{path}: problem {record.get('task_id')!r}: field test_list: found {assertions[0]!r:.40}; allowed: texts")
    code = text_field(record, "code", path)
    return Problem(
        benchmark="mbpp_plus",
        problem_id=f"Mbpp/{record.get('task_id')}",
        # EvalPlus' prompt: the task and its first assertion as a docstring
        prompt=f'"""\n{text_field(record, "prompt", path)}\n{assertions[0]}\n"""\n',
        canonical_solution=code,
        test=text_field(record, "test", path) + EMPTY_CHECK,
        entry_point=_called_function(code, assertions[0], path),
    )


def _called_function(code: str, assertion: str, path: Path) -> str:
    """The function of `code` that the assertion calls; parsed, never run."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of invalid escapes in the benchmark's own text
            tree = ast.parse(code)
        defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        calls = [node.func.id for node in ast.walk(ast.parse(assertion)) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:  # also NUL, and what is nested too deeply for the parser
        raise SourceError(f"{path}: a solution or assertion is not Python: {error}") from error
    for name in calls:
        if name in defined:
            return name
    raise SourceError(f"{path}: assertion {assertion!r} calls none of the solution's functions: {', '.join(sorted(defined))}")
