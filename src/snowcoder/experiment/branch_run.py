"""Trains and measures every branch of a plan, resumable at every branch and within it.

in: the plan, the choices of its arms, a trainer and a measuring   out: a shard of BRANCH_SCHEMA per branch, the parent's first

A shard that is there is a finished branch. While one is at work its packed tokens and checkpoints are in the folder `state`, so that a kill
costs the steps since its last checkpoint; they go when its shard is written. So the shards are the same bytes whatever interrupted them.
"""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from snowcoder.experiment.branch_measuring import BranchMeasuring, count_phase
from snowcoder.experiment.branch_params import BranchesParams
from snowcoder.experiment.branch_progress import BranchProgress, FirstSteps, Report
from snowcoder.experiment.branch_rows import BRANCH_SCHEMA
from snowcoder.experiment.branch_training import BranchTrainer
from snowcoder.experiment.branches import PARENT, Branch, phase_of
from snowcoder.experiment.choices import Choices
from snowcoder.likelihood.ngram_counts import NgramCounts
from snowcoder.pretraining.watch.watcher import Watcher
from snowcoder.storage.shards import shard_name, write_manifest, write_shard
from snowcoder.tokenization.mixing import unmixed
from snowcoder.tokenization.packing import PackingParams, pack
from snowcoder.tokenization.token_shards import INDEX

NgramBits = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class ChoicePacking:
    """Packs choices as pack_tokens would. catalogue: of all train files; byte_lengths: see tokenizer.token_byte_lengths."""

    catalogue: pa.Table
    byte_lengths: np.ndarray
    params: PackingParams

    def pack(self, chosen: pa.Table, folder: Path, label: str) -> None:
        """Pack the files of a choice, unless they are there. Raises EmptyResultError if they do not fill a sequence."""
        if not (folder / INDEX).exists():
            files = self.catalogue.filter(pc.is_in(self.catalogue["file_id"], chosen["file_id"].combine_chunks()))
            pack(unmixed(files), self.byte_lengths, self.params, folder, label, in_process=True)


@dataclass(frozen=True)
class BranchRun:
    """What all branches share. parent_counts: n-grams of the tokens that the parent was trained on."""

    params: BranchesParams
    choices: Choices
    packing: ChoicePacking
    trainer: BranchTrainer
    measuring: BranchMeasuring
    parent_counts: NgramCounts

    def run(self, plan: Sequence[Branch], output: Path, state: Path, report: Report) -> None:
        """Write one shard per branch to `output`, and the manifest. report: called with metrics and the number of finished branches."""
        shards = {branch: output / shard_name(index) for index, branch in enumerate([PARENT, *plan])}
        progress = BranchProgress(plan, self.params, report)
        pending = [branch for branch in plan if not shards[branch].exists()]
        progress.tell_plan(len(plan) - len(pending))
        if not shards[PARENT].exists():
            bits = self.measuring.model_bits(self.trainer.parent_weights)
            write_shard(shards[PARENT], self.measuring.rows(PARENT, bits, self.measuring.ngram_bits(self.parent_counts)), BRANCH_SCHEMA)
        ngrams: dict[tuple[str, int], NgramBits] = {}
        for branch in [PARENT, *plan]:
            began_s = time.monotonic()
            if branch in pending:
                watchers = [FirstSteps(len(pending) * self.params.tokens)] if branch == pending[0] else []
                rows = self._train_and_measure(branch, state / shards[branch].stem, ngrams, watchers)
                write_shard(shards[branch], rows, BRANCH_SCHEMA)
            shutil.rmtree(state / shards[branch].stem, ignore_errors=True)
            progress.take(branch, _read(shards[branch]))
            if branch in pending:
                progress.tell(branch, time.monotonic() - began_s)
        write_manifest(output, BRANCH_SCHEMA)

    def _train_and_measure(
        self, branch: Branch, folder: Path, ngrams: dict[tuple[str, int], NgramBits], watchers: Sequence[Watcher]
    ) -> pa.Table:
        """ngrams: bits of the choice whose branches come one after the other."""
        choice, packed, phase = (branch.arm, branch.draw), folder / "packed", phase_of(branch, self.params)
        self.packing.pack(self.choices[choice], packed, f"train_branches: {branch.name}")
        weights = self.trainer.train(packed, phase, folder / "training", watchers)
        if choice not in ngrams:
            ngrams.clear()
            ngrams[choice] = self.measuring.ngram_bits(self.parent_counts + count_phase(packed, phase, self.parent_counts.vocab_size))
        return self.measuring.rows(branch, self.measuring.model_bits(weights), ngrams[choice])


def _read(shard: Path) -> pa.Table:
    with pq.ParquetFile(shard) as file:
        return file.read()
