"""Reads EvoEval (Xia et al. 2024, arXiv 2403.19114): HumanEval problems changed by a language model, five parts of 100 each.

Read in the published schema (evo-eval/evoeval, release v0.1.0; on the hub evoeval/EvoEval_<part>): JSON lines with task_id, prompt,
entry_point, canonical_solution and inputs, a list of texts, each the arguments of one call as Python writes them. The parts number their
problems alike (`EvoEval/0` …), so a problem_id here is `<part>/EvoEval/<number>`.

Problem.inputs: JSON {"part": name, "base": [text, …]}. The texts are evaluated in the sandbox.
"""

import json
from pathlib import Path
from typing import Any

from snowcoder.benchmarks.pinned_file import PinnedSource, list_field, text_field
from snowcoder.benchmarks.problem import Problem
from snowcoder.errors import SourceError

PARTS = ("difficult", "creative", "subtle", "combine", "tool_use")
RELEASE = "https://github.com/evo-eval/evoeval_release/releases/download/v0.1.0/EvoEval_{}.jsonl.gz"


def part_origin(part: str) -> PinnedSource:
    """Where the file of one part comes from."""
    return PinnedSource((f"EvoEval_{part}.jsonl.gz", f"EvoEval_{part}.jsonl"), RELEASE.format(part), f"evoeval/EvoEval_{part}", "test")


def parse_part(records: list[dict[str, Any]], path: Path, part: str) -> list[Problem]:
    """The problems of one part. Raises SourceError naming problem and field."""
    return [_problem(record, path, part) for record in records]


def _problem(record: dict[str, Any], path: Path, part: str) -> Problem:
    inputs = list_field(record, "inputs", path)
    if not all(isinstance(text, str) for text in inputs):
        raise SourceError(f"{path}: problem {record.get('task_id')!r}: field inputs: allowed: texts, the arguments of one call each")
    return Problem(
        benchmark=f"evoeval_{part}",
        problem_id=f"{part}/{text_field(record, 'task_id', path)}",
        # EvoEval itself joins them so
        prompt=text_field(record, "prompt", path) + "\n",
        canonical_solution=text_field(record, "canonical_solution", path),
        test="",
        entry_point=text_field(record, "entry_point", path),
        grader="evoeval",
        inputs=json.dumps({"part": part, "base": inputs}),
    )
