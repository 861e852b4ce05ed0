"""Finds the evaluation-only functions that a file of the corpus or of the positives holds: whole, renamed, or in good part.

A function is found if one file holds a function of its shape (see function_shapes), or more than a share of the token n-grams of its body.
The first is blind to edits, the second to none but of comments and layout inside the n-grams; both are exact.
"""

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from snowcoder.deduplication.shared_ngrams import NgramIndex, index_ngrams
from snowcoder.deduplication.shingles import shingle
from snowcoder.evaluation.unseen.unseen_functions import UnseenFunction
from snowcoder.exercises.function_shapes import function_shapes
from snowcoder.pipeline.execution import map_items
from snowcoder.storage.shards import read_shard

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class WantedFunctions:
    """What is looked for.

    words: the identifiers of each function. by_word: its longest one -> numbers of the functions: a file that lacks one of a function's
    identifiers holds no copy, so that few files are parsed.
    """

    ngrams: NgramIndex
    ngram_tokens: int
    shapes: tuple[str, ...]
    words: tuple[frozenset[str], ...]
    by_word: dict[str, list[int]]

    def copied_by(self, content: str, max_containment: float) -> set[int]:
        """Numbers of the functions that a Python file holds."""
        shared = self.ngrams.shared_with(shingle(content, self.ngram_tokens))
        found = set(np.flatnonzero(shared > max_containment * self.ngrams.sizes).tolist())
        known = set(_WORD.findall(content))
        likely = [number for word in known & self.by_word.keys() for number in self.by_word[word] if self.words[number] <= known]
        shapes = function_shapes(content) if set(likely) - found else set[str]()
        return found | {number for number in likely if self.shapes[number] in shapes}


def find_copies(
    functions: Sequence[UnseenFunction], shards: Sequence[Path], ngram_tokens: int, max_containment: float, label: str
) -> frozenset[int]:
    """Numbers of the functions that a Python file of `shards` (SourceFile rows) holds."""
    if not functions:
        return frozenset()
    search = partial(_copies_in_shard, wanted=_wanted(functions, ngram_tokens), max_containment=max_containment)
    return frozenset().union(*map_items(search, shards, label))


def _copies_in_shard(path: Path, wanted: WantedFunctions, max_containment: float) -> set[int]:
    rows = read_shard(path, ["language", "content"]).to_pylist()
    return set[int]().union(*(wanted.copied_by(row["content"], max_containment) for row in rows if row["language"] == "python"))


def _wanted(functions: Sequence[UnseenFunction], ngram_tokens: int) -> WantedFunctions:
    words = tuple(_identifiers(function.source) for function in functions)
    by_word: dict[str, list[int]] = {}
    for number, names in enumerate(words):
        by_word.setdefault(max(names, key=lambda name: (len(name), name)), []).append(number)
    ngrams = index_ngrams([function.body for function in functions], ngram_tokens)
    return WantedFunctions(ngrams, ngram_tokens, tuple(function.shape for function in functions), words, by_word)


def _identifiers(source: str) -> frozenset[str]:
    """Names that any copy of a function has too: of arguments, variables and attributes. `def` stands for a function without any."""
    names = {"def"}
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef), source
    for node in (inner for part in [function.args, *function.body] for inner in ast.walk(part)):
        names |= {getattr(node, field) for field in ("id", "arg", "attr") if isinstance(getattr(node, field, None), str)}
    return frozenset(names)
