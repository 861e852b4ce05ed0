"""Reads samples of any model: a file of JSON lines with `task_id` and `solution` (a whole program) or `completion` (what follows the
prompt), as it is or compressed (gzip, zstd); or a folder of programs as EvalPlus has them, `HumanEval_0/0.py`.

in: path, problems   out: Samples in the order of the file; the problems that have none
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from snowcoder.benchmarks.problem import Problem
from snowcoder.errors import EmptyResultError, SourceError

# first bytes of a file -> how it is compressed
COMPRESSIONS = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
ALLOWED = "allowed: JSON lines with task_id and solution (or completion), plain or compressed by gzip or zstd"

# fields of a row that another tool writes -> the tool, and a program of jq that makes samples of its rows
OTHER_TOOLS = {
    ("doc", "resps"): ("lm-evaluation-harness", ".doc.task_id as $id | .resps[0][] | {task_id: $id, completion: .}"),
    ("eval", "hash"): ("EvalPlus's results", ".eval[][] | {task_id, solution}"),
}


@dataclass(frozen=True, slots=True)
class Sample:
    """index: number of the sample among those of its problem, from 0 in the order of the file. text: what the model wrote. start: what
    comes before it, the prompt for a completion.
    """

    problem: Problem
    index: int
    text: str
    start: str = ""

    @property
    def solution(self) -> str:
        """The whole program."""
        return self.start + self.text


def read_samples(path: Path, problems: Sequence[Problem]) -> list[Sample]:
    """All samples. A text that is not a program fails. Raises SourceError naming the line that is not a sample of these problems."""
    known = {problem.problem_id: problem for problem in problems}
    counts: Counter[str] = Counter()
    samples = []
    for problem, text, start in _programs(path, known) if path.is_dir() else _rows(path, known):
        samples.append(Sample(problem, counts[problem.problem_id], text, start))
        counts[problem.problem_id] += 1
    if not samples:
        raise EmptyResultError(f"{path}: no sample; {ALLOWED}; or a folder of programs such as {_folder_name(problems[0].problem_id)}/0.py")
    return samples


def problems_without_sample(samples: Sequence[Sample], problems: Sequence[Problem]) -> list[str]:
    """Their ids: each counts as failed."""
    sampled = {sample.problem.problem_id for sample in samples}
    return [problem.problem_id for problem in problems if problem.problem_id not in sampled]


def _rows(path: Path, known: dict[str, Problem]) -> Iterator[tuple[Problem, str, str]]:
    for number, line in enumerate(_content(path).split(b"\n"), start=1):
        if line.strip():
            try:
                yield _parse(line, f"{path}: line {number}", known)
            except RecursionError as error:  # of a value that could just be read, but not be shown
                raise SourceError(f"{path}: line {number}: its values are nested too deeply; {ALLOWED}") from error


def _content(path: Path) -> bytes:
    if path.is_char_device() or path.is_block_device():  # it may have no end; a pipe has, and a shell makes them of commands
        raise SourceError(f"{path}: found a device; {ALLOWED}")
    try:
        content = path.read_bytes()
        for magic, name in COMPRESSIONS.items():
            if content.startswith(magic):
                with pa.CompressedInputStream(pa.BufferReader(content), name) as stream:
                    content = stream.read()
    except OSError as error:
        raise SourceError(f"{path}: samples cannot be read: {error.strerror or error}; {ALLOWED}") from error
    if content.startswith(UTF_16):
        raise SourceError(f"{path}: found text in UTF-16; allowed: UTF-8; convert it by `iconv -f UTF-16 -t UTF-8`")
    return content.removeprefix(b"\xef\xbb\xbf")


def _parse(line: bytes, place: str, known: dict[str, Problem]) -> tuple[Problem, str, str]:
    row = _object(line, place)
    if "task_id" not in row:
        raise SourceError(f"{place}: field task_id: missing (fields found: {', '.join(sorted(row))}); {ALLOWED}{_of_another_tool(row)}")
    problem = _problem(row["task_id"], f"{place}: field task_id", known)
    starts = {"solution": "", "completion": problem.prompt}
    texts = [field for field in starts if isinstance(row.get(field), str)]
    if len(texts) > 1:
        raise SourceError(f"{place}: field completion: found text next to one in solution; allowed: one of them; remove the other")
    for field in texts:
        return problem, row[field], starts[field]
    found = ", ".join(f"{name}: {_kind(row[name])}" for name in sorted(row))
    raise SourceError(f"{place}: field solution: allowed: text in solution or completion, one sample a line (fields found: {found})")


def _object(line: bytes, place: str) -> dict[str, Any]:
    try:
        row: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        if not line.lstrip().startswith(b"["):
            over_lines = "; `jq -c .` makes one line of an object" if line.strip() == b"{" else ""
            raise SourceError(f"{place}: not JSON: {error}; {ALLOWED}{over_lines}") from error
        row = []
    if isinstance(row, dict):
        return row
    if isinstance(row, list) and row and not isinstance(row[0], dict):
        raise SourceError(
            f"{place}: found a JSON array of {_kind(row[0])}s, which do not say whose solutions they are (bigcode-evaluation-harness saves "
            f"generations so, in the order of its problems); allowed: one object a line, with its task_id and one solution"
        )
    raise SourceError(
        f"{place}: found a JSON {_kind(row)}; allowed: one object a line, with its task_id; `jq -c '.[]'` makes lines of an array"
    )


def _of_another_tool(row: dict[str, Any]) -> str:
    """How to make samples of it, if it is a row of a known tool."""
    for fields, (tool, program) in OTHER_TOOLS.items():
        if row.keys() >= set(fields):
            return f"; this is a row of {tool}: `jq -c '{program}' SAMPLES` makes samples of it"
    return ""


def _kind(value: Any) -> str:
    """What JSON calls it."""
    kinds = {list: "array", dict: "object", str: "text", bool: "boolean", int: "number", float: "number"}
    return kinds.get(type(value), "null")


def _problem(task_id: Any, place: str, known: dict[str, Problem]) -> Problem:
    if isinstance(task_id, str) and task_id in known:
        return known[task_id]
    asked = re.findall(r"[a-z]+|\d+", str(task_id).lower())
    alike = [name for name in known if asked and re.findall(r"[a-z]+|\d+", name.lower())[-len(asked) :] == asked]
    meant = f"; write {alike[0]!r}?" if len(alike) == 1 else ""
    benchmark = next(iter(known.values())).benchmark
    raise SourceError(
        f"{place}: found {task_id!r:.80}; allowed: the id of one of the {len(known)} problems of {benchmark}, as text, such as "
        f"{next(iter(known))!r}{meant}"
    )


def _programs(folder: Path, known: dict[str, Problem]) -> Iterator[tuple[Problem, str, str]]:
    """EvalPlus' folders (evalplus 0.3.1, data/utils.py): one per problem, its programs numbered from 0.py."""
    by_folder = {_folder_name(problem_id): problem for problem_id, problem in known.items()}
    for sub in sorted(path for path in folder.iterdir() if path.is_dir()):
        if sub.name not in by_folder:
            raise SourceError(f"{sub}: allowed: a folder for each problem, such as {next(iter(by_folder))}")
        for path in sorted(sub.glob("*.py"), key=lambda path: (not path.stem.isdecimal(), path.stem.zfill(9))):
            if not path.is_file():
                raise SourceError(f"{path}: found no regular file; allowed: a program; move it away")
            yield by_folder[sub.name], path.read_bytes().decode(errors="surrogateescape"), ""


def _folder_name(problem_id: str) -> str:
    return problem_id.replace("/", "_")
