"""Chooses the texts whose bits per byte are measured.

in: problems; rows of data/split_files and of data/fetch_unseen
out: {set: ScoredTexts}: `validation` (bodies of documented held-out functions, given signature and docstring), `held_out` (beginnings of
     held-out files, given nothing), `unseen` (as validation, of packages that are there for evaluation alone), and by benchmark its
     reference solutions, given their prompts

Bodies and solutions are in the one layout of layout.py; prompts and beginnings of files are as they were written. What is taken is decided
by hashes of content: the same files give the same texts in whatever order they come.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.compute as compute

from snowcoder.benchmarks.problem import Problem
from snowcoder.errors import EmptyResultError
from snowcoder.evaluation.measuring.bits_per_byte_params import HeldOutSetParams, MeasureBitsPerByteParams, ValidationSetParams
from snowcoder.evaluation.measuring.layout import normalise_body
from snowcoder.exercises.functions import extract_functions
from snowcoder.seeding import unit_hash
from snowcoder.storage.shards import iterate_rows, list_shards, read_shard
from snowcoder.words import HELD_OUT

COLUMNS = ("repository", "language", "content", "content_sha256")
UNSEEN_COLUMNS = ("repository", "path", "name", "prompt", "body", "content_sha256")


class ScoredText(NamedTuple):
    """text: what is paid for, given prompt. cluster: what an interval draws as a whole: the repository, or the problem of a benchmark."""

    prompt: str
    text: str
    cluster: str

    @property
    def pair(self) -> tuple[str, str]:
        """(prompt, text), as likelihoods are measured."""
        return self.prompt, self.text


def text_sets(
    problems: Sequence[Problem],
    held_out_rows: Sequence[dict[str, Any]],
    unseen_rows: Sequence[dict[str, Any]],
    params: MeasureBitsPerByteParams,
) -> dict[str, list[ScoredText]]:
    """All sets; `unseen` only where it has rows. held_out_rows: with COLUMNS; unseen_rows: with UNSEEN_COLUMNS.

    Raises EmptyResultError for no documented held-out function.
    """
    sets = {
        "validation": documented_functions(held_out_rows, params.validation, params.seed),
        "held_out": held_out_texts(held_out_rows, params.held_out, params.seed),
        "unseen": unseen_functions(unseen_rows),
    }
    return reference_solutions(problems) | {name: texts for name, texts in sets.items() if texts}


def reference_solutions(problems: Sequence[Problem]) -> dict[str, list[ScoredText]]:
    """{benchmark: prompts with canonical solutions}, in the order of the problems."""
    sets: dict[str, list[ScoredText]] = {}
    for problem in problems:
        text = _in_one_layout(problem.prompt, problem.canonical_solution, problem.problem_id)
        sets.setdefault(problem.benchmark, []).append(text)
    return sets


def count_as_written(texts: Iterable[ScoredText]) -> int:
    """Texts whose layout is still their author's, as they could not be written in the one layout."""
    return sum(normalise_body(text.prompt, text.text) is None for text in texts)


def read_held_out(folder: Path) -> list[dict[str, Any]]:
    """The held-out rows of data/split_files, with COLUMNS. Raises EmptyResultError if there is none."""
    rows = [row for path in list_shards(folder) for row in _rows_of(path, HELD_OUT, COLUMNS)]
    if not rows:
        raise EmptyResultError(f"{folder}: no row has split {HELD_OUT!r}; raise split_files.held_out_fraction in params.yaml")
    return rows


def read_unseen(folder: Path) -> list[dict[str, Any]]:
    """The rows of data/fetch_unseen, with UNSEEN_COLUMNS."""
    return list(iterate_rows(folder, UNSEEN_COLUMNS))


def documented_functions(rows: Iterable[dict[str, Any]], params: ValidationSetParams, seed: int) -> list[ScoredText]:
    """Signature and docstring, body. Files come in the order of their hash; a function that occurs twice is taken once."""
    taken: dict[tuple[str, str], ScoredText] = {}
    per_repository: Counter[str] = Counter()
    for row in _by_hash((row for row in rows if row["language"] == "python"), seed, "validation"):
        repository = row["repository"]
        room = min(params.max_functions_per_file, params.max_functions_per_repository - per_repository[repository])
        if room <= 0:
            continue
        found = {text.pair: text for text in _functions(row["content"], repository)}
        new = sorted(found.keys() - taken.keys(), key=lambda pair: unit_hash(seed, "function", *pair))[:room]
        per_repository[repository] += len(new)
        taken |= {pair: found[pair] for pair in new}
        if len(taken) >= params.max_functions:
            break
    if not taken:
        raise EmptyResultError("data/split_files: no documented Python function in the held-out files; hold out more repositories")
    return list(taken.values())[: params.max_functions]


def unseen_functions(rows: Iterable[dict[str, Any]]) -> list[ScoredText]:
    """Signature and docstring, body, of every row; a function that occurs twice is taken once."""
    ordered = sorted(rows, key=lambda row: tuple(row[name] for name in UNSEEN_COLUMNS))
    taken: dict[tuple[str, str], ScoredText] = {}
    for row in ordered:
        text = _in_one_layout(row["prompt"], row["body"], row["repository"])
        taken.setdefault(text.pair, text)
    return list(taken.values())


def held_out_texts(rows: Iterable[dict[str, Any]], params: HeldOutSetParams, seed: int) -> list[ScoredText]:
    """Beginnings of files, files in the order of their hash, until max_bytes are full (the last text is cut to fit)."""
    texts: list[ScoredText] = []
    room = params.max_bytes
    for row in _by_hash(rows, seed, HELD_OUT):
        # the longest beginning that fits and ends between characters
        text = row["content"].encode()[: min(room, params.max_bytes_per_file)].decode(errors="ignore")
        if text:
            texts.append(ScoredText("", text, row["repository"]))
            room -= len(text.encode())
        if room <= 0:
            break
    return texts


def _functions(content: str, repository: str) -> Iterator[ScoredText]:
    for function in extract_functions(content):
        yield _in_one_layout(function.prompt, function.body, repository)


def _in_one_layout(prompt: str, body: str, cluster: str) -> ScoredText:
    """The body as it was written where it has no other form; count_as_written counts those."""
    normal = normalise_body(prompt, body)
    return ScoredText(prompt, body if normal is None else normal, cluster)


def _rows_of(path: Path, split: str, columns: Sequence[str]) -> list[dict[str, Any]]:
    table = read_shard(path, (*columns, "split"))
    return table.filter(compute.equal(table["split"], split)).select(list(columns)).to_pylist()


def _by_hash(rows: Iterable[dict[str, Any]], seed: int, name: str) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (unit_hash(seed, name, row["content_sha256"]), row["repository"]))
