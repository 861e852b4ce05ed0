"""Probes what an annotator reacts to: scores before and after one change to each file: `python tools/probe_annotators.py`.

A correlation between a score and, say, docstrings does not show that docstrings cause the score: well documented files also differ in other
ways. So the same Python files of the train split are scored as they are and with a licence header put before them, their docstrings,
comments or imports taken out, or cut to their beginning. A shift is given in standard deviations of the recipe's scores on unchanged files.
A score here is the mean over the heads of all folds. Needs the output of train_annotator.
"""

import argparse
import ast
from collections.abc import Callable
from pathlib import Path

import numpy as np

from snowcoder.annotator.scoring import score_other_texts
from snowcoder.embedding.encoder_source import EmbedParams
from snowcoder.exercises.names import parse
from snowcoder.pipeline.params import item_names, load_section
from snowcoder.pipeline.stage import run_tool
from snowcoder.seeding import unit_hash
from snowcoder.storage.shards import read_table

LICENCE = "".join(
    f"# {line}\n"
    for line in (
        "Copyright 2024 The Authors. All rights reserved.",
        "Licensed under the Apache License, Version 2.0; you may not use this file except in compliance with the License.",
        "Distributed on an AS IS BASIS, WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.",
    )
)
MIN_BYTES = 400


def without_docstrings(content: str) -> str:
    """Every docstring replaced by nothing; a body that held nothing else gets `pass`."""
    tree = parse(content)
    lines = content.splitlines(keepends=True)
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(node) is not None:
            text = node.body[0]
            indent = lines[text.lineno - 1][: text.col_offset]
            lines[text.lineno - 1 : text.end_lineno] = [""] * ((text.end_lineno or text.lineno) - text.lineno + 1)
            if len(node.body) == 1 and not isinstance(node, ast.Module):
                lines[text.lineno - 1] = f"{indent}pass\n"
    return "".join(lines)


def without_comments(content: str) -> str:
    """Lines that are a comment alone are dropped."""
    return "".join(line for line in content.splitlines(keepends=True) if not line.lstrip().startswith("#"))


def without_imports(content: str) -> str:
    """Import statements are dropped, wherever they are."""
    tree = parse(content)
    lines = content.splitlines(keepends=True)
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Import | ast.ImportFrom):
            lines[node.lineno - 1 : node.end_lineno] = [""] * ((node.end_lineno or node.lineno) - node.lineno + 1)
    return "".join(lines)


CHANGES: dict[str, Callable[[str], str]] = {
    "licence header added": lambda content: LICENCE + content,
    "docstrings taken out": without_docstrings,
    "comments taken out": without_comments,
    "imports taken out": without_imports,
    "only the first 1,000 characters": lambda content: content[:1000],
}


def main() -> None:
    """Print one row per change: the mean shift of each recipe's score, in standard deviations."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100, help="number of Python files of the train split, in the order of their hash")
    arguments = parser.parse_args()
    if arguments.files < 1:
        parser.error(f"--files: found {arguments.files}; allowed: 1 or more")
    rows = [row for row in read_table(Path("data/split_files")).to_pylist() if row["language"] == "python" and row["split"] == "train"]
    rows = sorted((row for row in rows if row["n_bytes"] >= MIN_BYTES), key=lambda row: unit_hash(1, "probe", row["content_sha256"]))
    rows = rows[: arguments.files]
    before = _scores(rows)
    spread = {recipe: float(scores.std()) for recipe, scores in before.items()}
    print(f"{len(rows)} files; mean shift of the score, in standard deviations; in brackets the number of files that change")
    print("| change | " + " | ".join(before) + " |\n| :--- |" + " ---: |" * len(before))
    for name, change in CHANGES.items():
        touched = [row for row in rows if change(row["content"]) != row["content"] and change(row["content"]).strip()]
        if not touched:
            continue
        places = {row["file_id"]: place for place, row in enumerate(rows)}
        own = np.array([places[row["file_id"]] for row in touched])
        after = _scores([row | {"content": change(row["content"])} for row in touched])
        shifts = [float((after[recipe] - before[recipe][own]).mean()) / spread[recipe] for recipe in before]
        print(f"| {name} ({len(touched)}) | " + " | ".join(f"{shift:+.2f}" for shift in shifts) + " |", flush=True)


def _scores(rows: list[dict[str, object]]) -> dict[str, np.ndarray]:
    """recipe -> score of each file, in their order."""
    models = {recipe: Path(f"models/train_annotator/{recipe}") for recipe in item_names("train_annotator")}
    return score_other_texts([str(row["content"]) for row in rows], models, load_section("embed_files", EmbedParams))


if __name__ == "__main__":
    run_tool(main)
