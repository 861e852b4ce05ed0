"""Chooses the part of a seed file that a model sees: consecutive lines (as OSS-Instruct, arXiv 2312.02120), a function, or all of it.

in: a file's text   out: a passage, the same for the same text and seed, whatever its place in the corpus
"""

import ast
import hashlib
from typing import Literal

from snowcoder.exercises.names import parse
from snowcoder.seeding import generator

SeedUnit = Literal["lines", "function", "file"]
MAX_LINES = 15


def seed_passage(content: str, language: str, unit: SeedUnit, max_bytes: int, seed: int) -> str:
    """1 to 15 consecutive lines, not all blank, from a random start; or a top-level function or class (of a file without one, or in
    another language than Python: lines); or all of it. Whole lines, `max_bytes` at most.
    """
    random = generator(seed, "passage", unit, hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest())
    lines = content.splitlines()
    if unit == "file":
        return _fit(lines, max_bytes)
    if unit == "function" and language == "python" and (spans := _definitions(content)):
        start, end = spans[int(random.integers(len(spans)))]
        return _fit(lines[start:end], max_bytes)
    filled = [number for number, line in enumerate(lines) if line.strip()]
    if not filled:
        return ""
    start = filled[int(random.integers(len(filled)))]
    return _fit(lines[start : start + int(random.integers(1, MAX_LINES + 1))], max_bytes)


def _definitions(content: str) -> list[tuple[int, int]]:
    tree = parse(content)
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)] if tree else []
    firsts = [min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]) for node in found]
    return [(first - 1, node.end_lineno or first) for first, node in zip(firsts, found, strict=True)]


def _fit(lines: list[str], max_bytes: int) -> str:
    kept: list[str] = []
    room = max_bytes
    for line in lines:
        room -= len(line.encode("utf-8", "surrogatepass")) + 1
        if room < 0:
            break
        kept.append(line)
    return "\n".join(kept).strip("\n")
