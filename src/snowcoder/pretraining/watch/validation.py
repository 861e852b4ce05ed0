"""Measures bits per byte of held-out files, by language, while a model trains.

in:  data/split_files (rows of split `held_out`), the tokenizer in the parent model's folder
out: {"validation/bits_per_byte/<language>", "validation/bits_per_byte/all"} at steps that follow from counts alone, so that runs compare

It only observes: no gradient, no random number, no state of the model; weights are the same bit for bit with it and without (tested). So it
has no parameter, is not a dependency of the stage, and is left out of fingerprints; if the held-out files are missing, training says so.

The sample is packed as training data are: of every language the beginnings of files, in the order of their content hash, each after a
document start token, in rows of the training's length, so that a language costs one pass of the training's own objective. Scored are
all tokens but a row's first; bytes are those of the scored tokens. (Whole sets, with intervals: measure_bits_per_byte.)
"""

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.compute as pc
import torch
from tokenizers import Tokenizer

from snowcoder.errors import SnowcoderError
from snowcoder.pipeline.console import say
from snowcoder.pretraining.watch.watcher import MeanLoss, Step
from snowcoder.storage.shards import list_shards, read_shard
from snowcoder.tokenization.tokenizer import encode_batch, load_tokenizer, token_byte_lengths
from snowcoder.words import EOS_ID

ROWS_PER_LANGUAGE = 2
READ_SHARDS = 8  # a large corpus is not read whole for a few files
MAX_CHARACTERS_PER_TOKEN = 16  # of a file's beginning, before it is tokenised
MAX_COST = 0.01  # share of the training's arithmetic
PASS_COST = 1 / 3  # of a token's cost in training: the forward pass (0.31 of the processor time of a step of the nano profile)
STEP_MULTIPLE = 20

Report = Callable[[Mapping[str, float], int], None]


class HeldOutRows(NamedTuple):
    """token_ids: uint16 [rows, tokens]; n_bytes: of all tokens but each row's first."""

    token_ids: np.ndarray
    n_bytes: int

    @property
    def n_charged(self) -> int:
        """Tokens that are predicted."""
        return self.token_ids[:, 1:].size


class Validation:
    """A Watcher: measures a fixed sample every so many steps, and after the last. report: called with the metrics and the step."""

    def __init__(self, samples: Mapping[str, HeldOutRows], batch_tokens: int, report: Report) -> None:
        self._samples = samples
        self._report = report
        n_tokens = sum(sample.token_ids.size for sample in samples.values())
        self.every_steps = interval_steps(n_tokens, batch_tokens)

    def see(self, step: Step) -> None:
        """After every so many steps, and the last one."""
        if self._samples and (step.number % self.every_steps == 0 or step.number == step.n_steps):
            self._report(bits_per_byte(self._samples, step.objective, step.device), step.number)


def interval_steps(sample_tokens: int, batch_tokens: int) -> int:
    """The fewest steps, in multiples of STEP_MULTIPLE, between two passes over the sample that keep them below MAX_COST."""
    steps = sample_tokens * PASS_COST / (MAX_COST * batch_tokens)
    return STEP_MULTIPLE * max(1, math.ceil(steps / STEP_MULTIPLE))


@torch.no_grad()
def bits_per_byte(samples: Mapping[str, HeldOutRows], objective: MeanLoss, device: torch.device) -> dict[str, float]:
    """Metrics by language, and of all languages together (sum of bits / sum of bytes)."""
    bits: dict[str, float] = {}
    with _uncompiled():
        for language, sample in samples.items():
            token_ids = torch.from_numpy(sample.token_ids.astype(np.int64)).to(device)
            bits[language] = float(objective(token_ids)) * sample.n_charged / math.log(2)
    found = {language: bits[language] / samples[language].n_bytes for language in samples}
    found["all"] = sum(bits.values()) / sum(sample.n_bytes for sample in samples.values())
    return {f"validation/bits_per_byte/{language}": value for language, value in found.items()}


def open_validation(files: Path, tokenizer_folder: Path, sequence_length: int, batch_tokens: int, report: Report) -> Validation:
    """The sample of `files`, an empty one, with a message, where they or the tokenizer cannot be read: training does not depend on them."""
    try:
        samples = read_held_out_rows(files, load_tokenizer(tokenizer_folder), sequence_length)
    except SnowcoderError as error:
        say(f"no bits per byte by language while training: {error}")
        samples = {}
    return Validation(samples, batch_tokens, report)


def read_held_out_rows(files: Path, tokenizer: Tokenizer, sequence_length: int) -> dict[str, HeldOutRows]:
    """{language: sample} of the held-out files in the first shards of `files`, languages sorted."""
    contents: dict[str, list[tuple[str, str]]] = {}
    for path in list_shards(files)[:READ_SHARDS]:
        table = read_shard(path, ("language", "content", "content_sha256", "split"))
        for row in table.filter(pc.equal(table["split"], "held_out")).to_pylist():
            contents.setdefault(row["language"], []).append((row["content_sha256"], row["content"]))
    lengths = token_byte_lengths(tokenizer)
    samples = {}
    for language, rows in sorted(contents.items()):
        sample = _pack([content for _, content in sorted(rows)], tokenizer, sequence_length, lengths)
        if sample.n_bytes:
            samples[language] = sample
    return samples


def _pack(texts: Sequence[str], tokenizer: Tokenizer, sequence_length: int, token_bytes: np.ndarray) -> HeldOutRows:
    wanted = ROWS_PER_LANGUAGE * sequence_length
    ids: list[int] = []
    for text in texts:
        beginning = text[: sequence_length * MAX_CHARACTERS_PER_TOKEN]
        ids += [EOS_ID, *encode_batch(tokenizer, [beginning])[0][: sequence_length - 1]]
        if len(ids) >= wanted:
            break
    row_tokens = min(len(ids), sequence_length)
    n_rows = min(len(ids), wanted) // row_tokens
    token_ids = np.array(ids[: n_rows * row_tokens], dtype=np.uint16).reshape(n_rows, row_tokens)
    return HeldOutRows(token_ids, int(token_bytes[token_ids[:, 1:]].sum()))


def _uncompiled() -> AbstractContextManager[object]:
    """Run layers that training compiled as they are: another shape, or no gradient, would compile them again."""
    if "torch._dynamo" not in sys.modules:
        return nullcontext()
    return torch.compiler.set_stance("force_eager")
