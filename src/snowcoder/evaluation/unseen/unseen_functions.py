"""Cuts the documented functions out of distributions that no stage trains on.

in: files of the distributions   out: UnseenFunction records in the order of their hash; why files and functions were dropped
"""

import ast
import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from snowcoder.evaluation.unseen.unseen_params import UnseenFunctionRules
from snowcoder.exercises.function_shapes import function_shapes
from snowcoder.exercises.functions import DocumentedFunction, extract_functions
from snowcoder.exercises.library_paths import refuse_path
from snowcoder.pipeline.execution import map_items
from snowcoder.seeding import unit_hash
from snowcoder.source_files.records import SourceFile


@dataclass(frozen=True)
class UnseenFunction:
    """One documented top-level function.

    prompt: the imports that it needs, signature, docstring. body: the rest, as its author wrote it.
    content_sha256: of prompt + body. source: decorators to last line. shape: see function_shapes.
    """

    repository: str
    path: str
    name: str
    prompt: str
    body: str
    content_sha256: str
    source: str
    shape: str


@dataclass
class Candidates:
    """n_files, n_functions: seen. dropped_files, dropped_functions: by reason."""

    n_files: int = 0
    n_functions: int = 0
    functions: list[UnseenFunction] = field(default_factory=list)
    dropped_files: Counter[str] = field(default_factory=Counter)
    dropped_functions: Counter[str] = field(default_factory=Counter)


def gather_functions(files: Iterable[SourceFile], trained_on: frozenset[str], rules: UnseenFunctionRules) -> Candidates:
    """The functions that fit the rules. trained_on: canonical names of repositories whose files are left out.

    Dropped files: not_python, trained_on, is_a_test, setup_file. Dropped functions: is_async, few_statements, too_large, repeated.
    """
    found = Candidates()
    kept: dict[str, UnseenFunction] = {}
    library = _library_files(files, trained_on, found)
    extracted = map_items(extract_functions, [file.content for file in library], "fetch_unseen: functions")
    for file, functions in zip(library, extracted, strict=True):
        for function in functions:
            found.n_functions += 1
            reason = _refuse_function(function, rules)
            if reason:
                found.dropped_functions[reason] += 1
                continue
            candidate = _unseen(file, function)
            found.dropped_functions["repeated"] += candidate.shape in kept
            kept[candidate.shape] = min(candidate, kept.get(candidate.shape, candidate), key=order)
    found.functions = sorted(kept.values(), key=order)
    return found


def order(function: UnseenFunction) -> tuple[float, str, str]:
    """The order in which functions are taken: random, and the same wherever the function stands."""
    return unit_hash(0, "unseen", function.content_sha256), function.repository, function.path


def _library_files(files: Iterable[SourceFile], trained_on: frozenset[str], found: Candidates) -> list[SourceFile]:
    kept = []
    for file in files:
        found.n_files += 1
        reason = _refuse_file(file, trained_on)
        if reason:
            found.dropped_files[reason] += 1
        else:
            kept.append(file)
    return kept


def _refuse_file(file: SourceFile, trained_on: frozenset[str]) -> str:
    if file.language != "python":
        return "not_python"
    return "trained_on" if file.repository in trained_on else refuse_path(file.path)


def _refuse_function(function: DocumentedFunction, rules: UnseenFunctionRules) -> str:
    node = ast.parse(function.source).body[0]
    if not isinstance(node, ast.FunctionDef):
        return "is_async"
    if len(node.body) - 1 < rules.min_statements:
        return "few_statements"
    return "too_large" if len((function.prompt + function.body).encode()) > rules.max_function_bytes else ""


def _unseen(file: SourceFile, function: DocumentedFunction) -> UnseenFunction:
    digest = hashlib.sha256((function.prompt + function.body).encode()).hexdigest()
    shape = max(function_shapes(function.source, function.name), key=len)  # a function inside it may have its name
    return UnseenFunction(file.repository, file.path, function.name, function.prompt, function.body, digest, function.source, shape)
