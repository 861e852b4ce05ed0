"""Three problems in EvalPlus' format, a right solution of each, and files of samples."""

import gzip
import json
from pathlib import Path

from snowcoder.benchmarks.loading import load_benchmark
from snowcoder.benchmarks.problem import Problem

RIGHT = "def last(numbers):\n    return numbers[-1]\n"


def write_lines(path: Path, *rows: object) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def write_benchmark(folder: Path) -> list[Problem]:
    """HumanEval/0 to HumanEval/2, also as a file in `folder`, which $SNOWCODER_BENCHMARKS_DIR must name."""
    rows = [
        {
            "task_id": f"HumanEval/{number}",
            "prompt": "def last(numbers):\n",
            "entry_point": "last",
            "canonical_solution": "    return numbers[-1]\n",
            "base_input": [[[1, 2]]],
            "plus_input": [[[2, 1]]],
            "atol": 0,
        }
        for number in range(3)
    ]
    (folder / "HumanEvalPlus.jsonl.gz").write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    return load_benchmark("humaneval_plus", accept_changed=True)
