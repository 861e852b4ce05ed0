"""Chooses the texts whose bits per byte are measured.

in: problems; rows of data/split_files
out: pairs (prompt, text): reference solutions given their prompts; bodies of documented held-out functions given signature and docstring;
     beginnings of held-out files given nothing

What is taken is decided by hashes of content: the same files give the same texts in whatever order they come.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.compute as compute

from snowcoder.benchmarks.problem import Problem
from snowcoder.errors import EmptyResultError
from snowcoder.evaluation.measuring.bits_per_byte_params import HeldOutSetParams, ValidationSetParams
from snowcoder.exercises.functions import extract_functions
from snowcoder.seeding import unit_hash
from snowcoder.storage.shards import list_shards, read_shard
from snowcoder.words import HELD_OUT

COLUMNS = ("repository", "language", "content", "content_sha256")

Pair = tuple[str, str]


def reference_solutions(problems: Sequence[Problem]) -> dict[str, list[Pair]]:
    """{benchmark: pairs (prompt, canonical solution)}, in the order of the problems."""
    sets: dict[str, list[Pair]] = {}
    for problem in problems:
        sets.setdefault(problem.benchmark, []).append((problem.prompt, problem.canonical_solution))
    return sets


def read_held_out(folder: Path) -> list[dict[str, Any]]:
    """The held-out rows of data/split_files, with COLUMNS. Raises EmptyResultError if there is none."""
    rows = [row for path in list_shards(folder) for row in _rows_of(path, HELD_OUT, COLUMNS)]
    if not rows:
        raise EmptyResultError(f"{folder}: no row has split {HELD_OUT!r}; raise split_files.held_out_fraction in params.yaml")
    return rows


def documented_functions(rows: Iterable[dict[str, Any]], params: ValidationSetParams, seed: int) -> list[Pair]:
    """Pairs (signature and docstring, body). Files come in the order of their hash; a function that occurs twice is taken once."""
    taken: dict[Pair, None] = {}
    per_repository: Counter[str] = Counter()
    for row in _by_hash((row for row in rows if row["language"] == "python"), seed, "validation"):
        room = min(params.max_functions_per_file, params.max_functions_per_repository - per_repository[row["repository"]])
        if room <= 0:
            continue
        found = [(function.prompt, function.body) for function in extract_functions(row["content"])]
        found.sort(key=lambda pair: unit_hash(seed, "function", *pair))
        new = [pair for pair in dict.fromkeys(found) if pair not in taken][:room]
        per_repository[row["repository"]] += len(new)
        taken |= dict.fromkeys(new)
        if len(taken) >= params.max_functions:
            break
    if not taken:
        raise EmptyResultError("data/split_files: no documented Python function in the held-out files; hold out more repositories")
    return list(taken)[: params.max_functions]


def held_out_texts(rows: Iterable[dict[str, Any]], params: HeldOutSetParams, seed: int) -> list[Pair]:
    """Pairs ('', beginning of a file), files in the order of their hash, until max_bytes are full (the last text is cut to fit)."""
    pairs: list[Pair] = []
    room = params.max_bytes
    for row in _by_hash(rows, seed, HELD_OUT):
        # the longest beginning that fits and ends between characters
        text = row["content"].encode()[: min(room, params.max_bytes_per_file)].decode(errors="ignore")
        if text:
            pairs.append(("", text))
            room -= len(text.encode())
        if room <= 0:
            break
    return pairs


def _rows_of(path: Path, split: str, columns: Sequence[str]) -> list[dict[str, Any]]:
    table = read_shard(path, (*columns, "split"))
    return table.filter(compute.equal(table["split"], split)).select(list(columns)).to_pylist()


def _by_hash(rows: Iterable[dict[str, Any]], seed: int, name: str) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (unit_hash(seed, name, row["content_sha256"]), row["repository"]))
