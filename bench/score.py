"""Measures scored sections per second: snowcoder's encoder and head against transformers' text-classification pipeline.

    python -m bench.score [--quick] [--threads 2]

Ours runs twice: in one process with all threads, and in as many processes of one thread each, a share of the files in each.

The same files, sections, encoder, precision (bfloat16) and head on both sides. The pipeline gets the sections as text, tokenises them
again and runs a model whose classification head is ours (mean pooling, then one linear function), at the best of several batch sizes, in
the order of the corpus: it has no buckets. Ours cuts the sections, sorts them by length and forms batches by padded tokens; the
cutting is timed too. Sides take turns, so that other load falls on both alike; rates are medians. The annotator's ROC-AUC is computed from
the scores of both and of float32. Last line: `ratio <ours / pipeline>`.

Needs the outputs of split_files, fetch_positives and train_annotator (`dvc repro train_annotator`).
"""

import argparse
import logging
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import nn
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedModel, pipeline
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.utils import logging as transformers_logging

from snowcoder.annotator.folds import fold_folder
from snowcoder.annotator.head import Head, mean_by_file, read_head
from snowcoder.embedding.encoder import Encoder
from snowcoder.embedding.encoder_source import EmbedParams, find_encoder
from snowcoder.embedding.file_sections import SectionCutter
from snowcoder.pipeline.params import load_section
from snowcoder.seeding import unit_hash
from snowcoder.storage.shards import read_table

RECIPE = "HQINS"
BATCH_SIZES = (1, 8, 16, 32)
Files = list[dict[str, Any]]
Side = Callable[[int, int | None], np.ndarray]


class PooledClassifier(PreTrainedModel):
    """The encoder with mean pooling and our head, as a model that the pipeline can run. logits: [batch, 1]."""

    def __init__(self, folder: Path, head: Head) -> None:
        super().__init__(AutoConfig.from_pretrained(folder, num_labels=1))
        self.encoder = AutoModel.from_pretrained(folder, dtype=torch.float32)
        self.classifier = nn.Linear(len(head.weights), 1)
        self.classifier.weight.data = torch.tensor([head.weights])
        self.classifier.bias.data = torch.tensor([head.bias])
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Everything is loaded."""

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **_: Any) -> SequenceClassifierOutput:
        """As transformers' own classifiers."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        weights = attention_mask.unsqueeze(-1).to(hidden.dtype)
        pooled = (hidden * weights).sum(dim=1) / weights.sum(dim=1)
        return SequenceClassifierOutput(logits=self.classifier(nn.functional.normalize(pooled, dim=-1)))


def main() -> None:
    """Take turns, print rates, areas and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="40 files of each class and two turns, instead of 150 and five")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    transformers_logging.set_verbosity(logging.CRITICAL)  # the pipeline names every model that it knows
    params = load_section("embed_files", EmbedParams)
    folder, head = find_encoder(params.encoder), read_head(fold_folder(Path(f"models/train_annotator/{RECIPE}"), 0))
    files, is_positive = read_examples(40 if arguments.quick else 150)
    contents = [row["content"] for row in files]
    sections = [
        [section.token_ids for section in group] for group in SectionCutter(folder / "tokenizer.json", params.section_tokens).cut(contents)
    ]
    sizes = np.array([len(group) for group in sections])
    starts = np.cumsum(sizes) - sizes
    n_tokens = [len(ids) for group in sections for ids in group]
    print(f"{len(files)} files, {len(n_tokens)} sections of {statistics.fmean(n_tokens):.0f} tokens on average")
    print(f"{arguments.threads} threads, load {os.getloadavg()[0]:.1f}")
    ours, exact, _ = our_side(folder, params, head, contents, arguments.threads)
    pool = worker_pool(folder, params, head, arguments.threads)
    apart = processes_side(pool, contents, arguments.threads)
    theirs = pipeline_side(folder, head, sections, params.section_tokens)
    batch_size = best_batch_size(theirs, len(n_tokens))
    scores: dict[str, np.ndarray] = {}
    sides = {"ours": ours, f"ours, {arguments.threads} processes": apart, "pipeline": lambda: theirs(batch_size, None)}
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(2 if arguments.quick else 5):
        for name, side in sides.items():
            seconds, scores[name] = timed(side)
            rates[name].append(len(n_tokens) / seconds)
    pool.shutdown()
    scores["float32, ours"] = exact()
    identical = scores["ours"].tobytes() == scores[f"ours, {arguments.threads} processes"].tobytes()
    print(f"one process and {arguments.threads}: {'the same bytes' if identical else 'other bytes'}")
    for name, values in scores.items():
        area = roc_auc_score(is_positive, mean_by_file(values, starts))
        rate = f"{statistics.median(rates[name]):8.1f} sections/s" if name in rates else ""
        print(f"{name:18} ROC-AUC {area:.4f} {rate}")
    print(f"load {os.getloadavg()[0]:.1f}; the pipeline's best batch size is {batch_size}")
    medians = {name: statistics.median(found) for name, found in rates.items()}
    print(f"ratio of one process {medians['ours'] / medians['pipeline']:.2f}")
    print(f"ratio {max(rate for name, rate in medians.items() if name != 'pipeline') / medians['pipeline']:.2f}")


def read_examples(n_files: int) -> tuple[Files, np.ndarray]:
    """(positives, then Python files of the train split, each in the order of a hash; which are positive)."""
    positives = read_table(Path("data/fetch_positives")).to_pylist()
    corpus = [row for row in read_table(Path("data/split_files")).to_pylist() if row["language"] == "python" and row["split"] == "train"]
    chosen = [sorted(rows, key=lambda row: unit_hash(1, "bench", row["content_sha256"]))[:n_files] for rows in (positives, corpus)]
    return chosen[0] + chosen[1], np.repeat([True, False], [len(chosen[0]), len(chosen[1])])


def our_side(
    folder: Path, params: EmbedParams, head: Head, contents: list[str], threads: int
) -> tuple[Callable[[], np.ndarray], Callable[[], np.ndarray], Callable[[list[str]], np.ndarray]]:
    """To score every section as embed_files does, and in float32; and to score other files as embed_files does."""
    cutter = SectionCutter(folder / "tokenizer.json", params.section_tokens)
    encoder = Encoder(folder, params.encoder.pooling, params.bf16, threads, "cpu")
    exact = Encoder(folder, params.encoder.pooling, False, threads, "cpu")

    def score(encoder: Encoder, contents: list[str]) -> np.ndarray:
        flat = [section.token_ids for group in cutter.cut(contents) for section in group]
        return head.score_sections(encoder.embed(flat, params.batch_tokens, "ours").astype(np.float64))

    return lambda: score(encoder, contents), lambda: score(exact, contents), lambda others: score(encoder, others)


def worker_pool(folder: Path, params: EmbedParams, head: Head, workers: int) -> ProcessPoolExecutor:
    """Processes that hold the encoder, one thread each, as the executor's do."""
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_load, initargs=(folder, params, head))
    list(pool.map(_score_part, [["x = 1\n"]] * workers))
    return pool


def processes_side(pool: ProcessPoolExecutor, contents: list[str], workers: int) -> Callable[[], np.ndarray]:
    """A run of neighbouring files for each worker, as a shard is."""
    bounds = np.linspace(0, len(contents), workers + 1).astype(int)
    parts = [contents[start:end] for start, end in pairwise(bounds.tolist())]
    return lambda: np.concatenate(list(pool.map(_score_part, parts)))


def _load(folder: Path, params: EmbedParams, head: Head) -> None:
    _loaded["score"] = our_side(folder, params, head, [], 1)[2]


def _score_part(contents: list[str]) -> np.ndarray:
    return _loaded["score"](contents)


_loaded: dict[str, Callable[[list[str]], np.ndarray]] = {}


def pipeline_side(folder: Path, head: Head, sections: list[list[list[int]]], section_tokens: int) -> Side:
    """f(batch size, how many sections; None for all) -> scores."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    # the tokens again give the text; WordPiece makes the same tokens of it, but for unknown characters
    texts = [tokenizer.decode(ids[1:-1], clean_up_tokenization_spaces=False) for group in sections for ids in group]
    model = PooledClassifier(folder, head).to(torch.bfloat16).eval()
    classify = pipeline("text-classification", model=model, tokenizer=tokenizer, device="cpu", function_to_apply="none")

    def score(batch_size: int, n_sections: int | None) -> np.ndarray:
        found = classify(texts[:n_sections], batch_size=batch_size, truncation=True, max_length=section_tokens)
        return np.array([row["score"] for row in found])

    return score


def best_batch_size(side: Side, n_sections: int) -> int:
    """The fastest on a part of the sections."""
    n_tried = min(n_sections, 64)
    side(8, 8)
    seconds = {batch_size: timed(lambda size=batch_size: side(size, n_tried))[0] for batch_size in BATCH_SIZES}
    print("pipeline, by batch size: " + ", ".join(f"{size}: {n_tried / taken:.1f} sections/s" for size, taken in seconds.items()))
    return min(seconds, key=lambda size: seconds[size])


def timed(work: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    """(seconds, result)."""
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


if __name__ == "__main__":
    main()
