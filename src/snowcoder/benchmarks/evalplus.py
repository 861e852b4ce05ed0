"""HumanEval+ and MBPP+ (Liu et al. 2023, arXiv 2305.01210) as EvalPlus publishes them with one self-contained test program per problem.

The files (`HumanEvalPlus-OriginFmt.jsonl.gz`, `MbppPlus-OriginFmt.jsonl.gz`) are read from the folder that SNOWCODER_BENCHMARKS_DIR names.
"""

import ast
import os
import warnings
from pathlib import Path
from typing import Any

from snowcoder.benchmarks.human_eval import parse_human_eval
from snowcoder.benchmarks.problem import Problem
from snowcoder.benchmarks.source_file import read_records, text_field
from snowcoder.errors import SourceError

FOLDER_VARIABLE = "SNOWCODER_BENCHMARKS_DIR"
HUMANEVAL_PLUS_FILE = "HumanEvalPlus-OriginFmt.jsonl.gz"
MBPP_PLUS_FILE = "MbppPlus-OriginFmt.jsonl.gz"
# MBPP+'s test programs assert at module level; a problem's test defines `check` in every benchmark.
EMPTY_CHECK = "\n\ndef check(candidate):\n    pass\n"


def load_humaneval_plus(sha256: str) -> list[Problem]:
    """The 164 problems of HumanEval+. Raises SourceError if the folder or the file is missing or changed."""
    return parse_human_eval(find_file(HUMANEVAL_PLUS_FILE, "humaneval_plus"), sha256, "humaneval_plus")


def load_mbpp_plus(sha256: str) -> list[Problem]:
    """The 378 problems of MBPP+. Raises SourceError if the folder or the file is missing or changed."""
    path = find_file(MBPP_PLUS_FILE, "mbpp_plus")
    return [_mbpp_problem(record, path) for record in read_records(path, "mbpp_plus", sha256)]


def find_file(name: str, benchmark: str) -> Path:
    """A file of the folder of benchmarks. Raises SourceError if the variable is unset or the file is not there."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        raise SourceError(f"benchmark {benchmark}: environment: {FOLDER_VARIABLE} is not set; set it to the folder that holds {name}")
    path = Path(folder) / name
    if not path.is_file():
        raise SourceError(f"{path}: benchmark {benchmark} is not there; download {name} from EvalPlus' releases into {folder}")
    return path


def _mbpp_problem(record: dict[str, Any], path: Path) -> Problem:
    assertions = record.get("test_list")
    if not isinstance(assertions, list) or not assertions:
        raise SourceError(f"{path}: field test_list: found {assertions!r}; allowed: a list of assertions")
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
    except SyntaxError as error:
        raise SourceError(f"{path}: a solution or assertion is not Python: {error}") from error
    for name in calls:
        if name in defined:
            return name
    raise SourceError(f"{path}: assertion {assertion!r} calls none of the solution's functions: {', '.join(sorted(defined))}")
