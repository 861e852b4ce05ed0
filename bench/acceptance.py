"""Measures documents per second of acceptance without execution: screening, overlap with the corpus, near duplicates, tokens.

Reads data/{synthesize_documents,split_files,fetch_benchmarks,train_tokenizer} of a finished `dvc repro`. The documents are taken COPIES
times with other identifiers, so that the fixed cost of reading the corpus does not hide the cost of a document.
`python -m bench.acceptance` prints the seconds of each step and, last, `rate <documents per second>`.
"""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from snowcoder.benchmarks.problem import read_problems
from snowcoder.decontamination.decontamination_params import DecontaminationParams
from snowcoder.decontamination.screen import BenchmarkScreen
from snowcoder.deduplication.deduplication_params import DeduplicationParams
from snowcoder.exercises.function_shapes import held_out_shapes
from snowcoder.pipeline.execution import worker_count
from snowcoder.pipeline.params import load_section
from snowcoder.storage.shards import iterate_rows, list_shards, read_table
from snowcoder.synthesis.acceptance import find_repetitions
from snowcoder.synthesis.corpus_overlap import measure_overlaps
from snowcoder.synthesis.static_checks import screen_documents
from snowcoder.tokenization.tokenized_files import tokenize_contents
from snowcoder.tokenization.tokenizer import load_tokenizer

COPIES = 8
DATA = Path("data")


def renamed(row: dict[str, Any], copy: int) -> dict[str, Any]:
    """The document with other identifiers: no near duplicate of the first, of the same size and kind."""
    content = re.sub(r"\b([a-z]{4,})\b", rf"\1_{copy}", row["content"]) if copy else row["content"]
    return row | {"document_id": f"{row['document_id']}{copy}", "content": content}


def main() -> None:
    """Time each step once."""
    deduplication = load_section("deduplicate_files", DeduplicationParams)
    screen = BenchmarkScreen(read_problems(DATA / "fetch_benchmarks"), load_section("decontaminate_files", DecontaminationParams))
    rows = iterate_rows(DATA / "split_files", ["content", "split", "language"])
    held_out = held_out_shapes(row["content"] for row in rows if row["split"] == "held_out" and row["language"] == "python")
    documents = [renamed(row, copy) for copy in range(COPIES) for row in read_table(DATA / "synthesize_documents").to_pylist()]
    tokenizer = load_tokenizer(DATA / "train_tokenizer")
    steps: dict[str, Callable[[], object]] = {
        "screen": lambda: screen_documents(documents, screen, held_out),
        "corpus overlap": lambda: measure_overlaps(documents, list_shards(DATA / "split_files"), deduplication),
        "repetitions": lambda: find_repetitions(documents, deduplication),
        "tokens": lambda: tokenize_contents(tokenizer, [row["content"] for row in documents]),
    }
    total = 0.0
    for name, step in steps.items():
        started = time.perf_counter()
        step()
        seconds = time.perf_counter() - started
        total += seconds
        print(f"{name}: {seconds:.2f} s")
    print(f"{len(documents)} documents, {worker_count()} workers")
    print(f"rate {len(documents) / total:.0f}")


if __name__ == "__main__":
    main()
