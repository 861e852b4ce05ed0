"""A small experiment of real parts: a corpus of two languages and four repositories, a parent of 30 thousand parameters, two sets."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from snowcoder.evaluation.measuring.bits_per_byte_params import HeldOutSetParams, MeasureBitsPerByteParams, ValidationSetParams
from snowcoder.evaluation.measuring.text_sets import ScoredText
from snowcoder.evaluation.variants import load_variant
from snowcoder.experiment.branch_measuring import TRIGRAM, BranchMeasuring
from snowcoder.experiment.branch_params import BranchesParams
from snowcoder.experiment.branch_run import BranchRun, ChoicePacking
from snowcoder.experiment.branch_training import BranchTrainer
from snowcoder.experiment.branches import plan_branches
from snowcoder.experiment.choices import choose_all
from snowcoder.likelihood.ngram_counts import count_ngrams
from snowcoder.pretraining.model import ModelParams, initialize, save_model
from snowcoder.pretraining.training_params import TrainingParams
from snowcoder.seeding import generator
from snowcoder.storage.shards import write_table
from snowcoder.tokenization.catalogue import read_catalogue
from snowcoder.tokenization.packing import PackingParams
from snowcoder.tokenization.token_shards import TOKEN_DTYPE
from snowcoder.tokenization.tokenized_files import TOKENIZED_FILE_SCHEMA
from snowcoder.tokenization.tokenizer import save_tokenizer, token_byte_lengths
from tests.inference.tiny_llama import make_tokenizer
from tests.pretraining.test_loop import SHARED as SHARED_OF_TESTS

LENGTH, N_FILES = 16, 60
PACKING = PackingParams(sequence_length=LENGTH, group_by="language_then_repository", sequences_per_shard=32, seed=1)
SHARED = SHARED_OF_TESTS.model_copy(update={"weight_decay": 0.1})
MEASURING = MeasureBitsPerByteParams(
    seed=1,
    precision="float32",
    cpu_threads=1,
    batch_tokens=256,
    window_tokens=32,
    resamples=10,
    validation=ValidationSetParams(max_functions=1, max_functions_per_repository=1, max_functions_per_file=1),
    held_out=HeldOutSetParams(max_bytes=1, max_bytes_per_file=1),
)
SECTION = {
    "parent": "models/pretrain/general",
    "tokens": 12 * 4 * LENGTH,
    "batch_tokens": 4 * LENGTH,
    "pool_fraction": 0.6,
    "seed": 1,
    "draws": 2,
    "schedule": {"kind": "linear", "final_fraction": 0.1, "warmup_steps": 2},
    "learning_rates": [0.003, 0.0001],
    "sensitivity_draws": 1,
    "arms": {
        "random": {"by": "random", "draws": 3},
        "best": {"by": "quality"},
        "matched": {"by": "random", "match": "repository", "matched_to": "best"},
    },
    "endpoint": ["solutions"],
    "claims": [["best", "random"], ["best", "matched"]],
    "min_rank_correlation": 0.9,
}
PARAMS = BranchesParams.model_validate(SECTION)
SETS = {
    "solutions": [
        ScoredText("def add(a, b):\n", "    return a + b\n", "add"),
        ScoredText("def is_even(n):\n", "    return n % 2 == 0\n", "is_even"),
    ],
    "held_out": [ScoredText("", "class Stack:\n    def push(self, item):\n        self.items.append(item)\n", "collections")],
}


def write_tokens(folder: Path) -> Path:
    """Train files of TOKENIZED_FILE_SCHEMA, in two shards."""
    draws = generator(1, "corpus")
    rows = []
    for number in range(N_FILES):
        ids = np.append(draws.integers(1, 300, size=20 + number % 13), 0).astype(TOKEN_DTYPE)
        rows.append(
            {
                "file_id": f"{number:02d}",
                "repository": f"r{number % 4}",
                "path": f"{number}.py",
                "language": "python" if number % 3 else "c",
                "split": "train",
                "n_bytes": len(ids),
                "n_tokens": len(ids),
                "tokens": ids.tobytes(),
            }
        )
    write_table(folder, [pa.Table.from_pylist(part, TOKENIZED_FILE_SCHEMA) for part in (rows[::2], rows[1::2])], TOKENIZED_FILE_SCHEMA)
    return folder


def pool_of(tokens: Path) -> pa.Table:
    """The table that arms choose from, with a score that ranks files by a hash."""
    files = read_catalogue(tokens, tokens)
    digests = [hashlib.sha256(name.encode()).hexdigest() for name in files["file_id"].to_pylist()]
    scores = pa.array([int(digest[:8], 16) / 2**32 for digest in reversed(digests)], pa.float64())
    columns = {"content_sha256": pa.array(digests), "n_bytes": files["n_tokens"].cast(pa.int64()), "quality": scores}
    for name, column in columns.items():
        files = files.append_column(name, column)
    return files


def write_parent(folder: Path) -> Path:
    """Seeded weights, with a tokenizer of 300 ids."""
    tokenizer = make_tokenizer()
    save_tokenizer(tokenizer, folder.with_name("tokenizer"), 64)
    shape = ModelParams(
        vocab_size=300, hidden_size=32, ffn_size=48, layers=2, heads=2, kv_heads=2, max_positions=64, rope_base=10000.0, seed=3
    )
    save_model(initialize(shape), folder.with_name("tokenizer"), folder)
    return folder


def open_experiment(folder: Path, params: BranchesParams = PARAMS, shared: TrainingParams = SHARED) -> BranchRun:
    """As the stage opens it, in a process that has just started. folder: made by the first call."""
    parent, tokens = folder / "parent", folder / "tokens"
    if not parent.exists():
        write_tokens(tokens)
        write_parent(parent)
    loaded = load_variant(parent, MEASURING.precision, MEASURING.cpu_threads)
    catalogue = read_catalogue(tokens, tokens)
    seen_by_parent: Sequence[Sequence[int]] = generator(2, "parent").integers(0, 300, size=(20, LENGTH)).tolist()
    return BranchRun(
        params=params,
        choices=choose_all(plan_branches(params), params, pool_of(tokens)),
        packing=ChoicePacking(catalogue, token_byte_lengths(loaded.tokenizer), PACKING),
        trainer=BranchTrainer(parent, shared),
        measuring=BranchMeasuring(loaded, SETS, MEASURING),
        parent_counts=count_ngrams(np.array(seen_by_parent), 300, TRIGRAM),
    )
