"""Reads BigCodeBench (Zhuo et al. 2024, arXiv 2406.15877): 1,140 problems that use libraries, tested by unittest.

Read in the published schema (on the hub bigcode/bigcodebench, split v0.1.4; releases of bigcode-project/bigcodebench-annotation): JSON
lines with task_id, complete_prompt (imports, signature, docstring), instruct_prompt, code_prompt (imports and signature),
canonical_solution (the body), test (a unittest.TestCase named TestCases) and entry_point.
"""

from pathlib import Path
from typing import Any

from snowcoder.benchmarks.pinned_file import PinnedSource, text_field
from snowcoder.benchmarks.problem import Problem

VERSION = "v0.1.4"
RELEASE = f"https://github.com/bigcode-project/bigcodebench-annotation/releases/download/{VERSION}/BigCodeBench.jsonl.gz"
ORIGIN = PinnedSource(("BigCodeBench.jsonl.gz", "BigCodeBench.jsonl"), RELEASE, "bigcode/bigcodebench", VERSION)


def parse_bigcodebench(records: list[dict[str, Any]], path: Path) -> list[Problem]:
    """The problems; a solution is calibrated as the official tool does it: see evaluation/benchmark_prompts.py.

    Raises SourceError naming the field.
    """
    return [
        Problem(
            benchmark="bigcodebench",
            problem_id=text_field(record, "task_id", path),
            prompt=text_field(record, "complete_prompt", path),
            canonical_solution=text_field(record, "canonical_solution", path),
            test=text_field(record, "test", path),
            entry_point=text_field(record, "entry_point", path),
            grader="unittest",
            inputs=text_field(record, "code_prompt", path),
            instruction=text_field(record, "instruct_prompt", path),
        )
        for record in records
    ]
