"""Branches: the same bytes whatever interrupted them, whichever ran before, and as pretraining and measuring give them."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch
from torch._dynamo.utils import counters

from snowcoder.errors import SnowcoderError
from snowcoder.evaluation.measuring.bits_per_byte_sets import score_sets
from snowcoder.evaluation.variants import load_variant
from snowcoder.experiment.branch_rows import BRANCH_SCHEMA, endpoint_bits_per_byte
from snowcoder.experiment.branches import PARENT, Branch, phase_of, plan_branches
from snowcoder.pipeline.fingerprint import hash_path
from snowcoder.pretraining.model import save_model
from snowcoder.pretraining.phase_training import PhaseTraining
from snowcoder.pretraining.training_params import VariantParams
from snowcoder.storage.shards import list_shards, read_table
from tests.experiment.small_experiment import MEASURING, PARAMS, SETS, SHARED, open_experiment

PLAN = plan_branches(PARAMS)


def ignore(metrics: Mapping[str, float], step: int) -> None:
    """A report that nobody reads."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Corpus and parent, and in `whole` the results of an uninterrupted run."""
    folder = tmp_path_factory.mktemp("experiment")
    open_experiment(folder).run(PLAN, folder / "whole", folder / "state", ignore)
    return folder


class Killed(BaseException):
    """As a kill, nothing catches it."""


def test_every_branch_has_a_shard_with_every_text(world: Path) -> None:
    rows = read_table(world / "whole")
    assert rows.schema.equals(BRANCH_SCHEMA)
    assert len(list_shards(world / "whole")) == 1 + len(PLAN)
    found = [Branch(*key) for key in dict.fromkeys(zip(*(rows[name].to_pylist() for name in Branch._fields), strict=True))]
    assert found == [PARENT, *PLAN]
    assert len(rows) == (1 + len(PLAN)) * sum(len(texts) for texts in SETS.values())
    assert not list((world / "state").iterdir())


def test_killed_between_branches_and_within_them_gives_the_same_bytes(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWCODER_CHECKPOINT_INTERVAL_S", "0")
    for fatal in (1, 2, 5):  # finished branches, those of the runs before included

        def die(metrics: Mapping[str, float], finished: int, fatal: int = fatal) -> None:
            if finished >= fatal:
                raise Killed

        with pytest.raises(Killed):
            open_experiment(world).run(PLAN, tmp_path / "killed", tmp_path / "state", die)
    with pytest.raises(Killed):
        run_until_step(world, tmp_path, 7)
    assert [path.name for path in (tmp_path / "state").rglob("step-*-*.pt")]
    open_experiment(world).run(PLAN, tmp_path / "killed", tmp_path / "state", ignore)
    assert hash_path(tmp_path / "killed") == hash_path(world / "whole")


def run_until_step(world: Path, folder: Path, step: int) -> None:
    """Dies in the middle of the next branch."""
    experiment = open_experiment(world)
    train = experiment.trainer.train

    class Dying:
        def see(self, seen: object) -> None:
            if seen.number == step:  # type: ignore[attr-defined]
                raise Killed

    experiment.trainer.train = lambda *given: train(*given[:3], [*given[3], Dying()])  # type: ignore[method-assign]
    experiment.run(PLAN, folder / "killed", folder / "state", ignore)


def test_finished_branches_are_not_trained_again(world: Path, tmp_path: Path) -> None:
    experiment = open_experiment(world)
    experiment.run(PLAN[:2], tmp_path / "out", tmp_path / "state", ignore)
    trained: list[Path] = []
    train = experiment.trainer.train
    experiment.trainer.train = lambda *given: (trained.append(given[2]), train(*given))[1]  # type: ignore[method-assign]
    experiment.run(PLAN[:4], tmp_path / "out", tmp_path / "state", ignore)
    assert len(trained) == 2


def test_a_branch_does_not_depend_on_those_before_it(world: Path, tmp_path: Path) -> None:
    backwards = PLAN[:6][::-1]
    open_experiment(world).run(backwards, tmp_path / "out", tmp_path / "state", ignore)
    shards = dict(zip([PARENT, *PLAN], list_shards(world / "whole"), strict=True))
    for branch, path in zip([PARENT, *backwards], list_shards(tmp_path / "out"), strict=True):
        assert path.read_bytes() == shards[branch].read_bytes(), branch


def test_a_branch_is_what_pretrain_and_measure_bits_per_byte_give(world: Path, tmp_path: Path) -> None:
    branch = Branch("best", 2, 0.003)
    experiment = open_experiment(world)
    experiment.packing.pack(experiment.choices["best", 2], tmp_path / "packed", "test")
    variant = VariantParams(parent=str(world / "parent"), packs=None, **phase_of(branch, PARAMS).model_dump())
    training = PhaseTraining(SHARED, variant, tmp_path / "packed")
    training.train(tmp_path / "training", lambda *_: None)
    save_model(training.model, world / "parent", tmp_path / "model")
    scores = score_sets(load_variant(tmp_path / "model", "float32", 1), SETS, MEASURING.batch_tokens, 32)
    expected = np.concatenate([scores[name].bits for name in SETS])
    assert rows_of(world, branch)["bits"].to_numpy().tolist() == expected.tolist()


def test_training_and_its_tokens_matter(world: Path) -> None:
    """A test of the tests: branches that are compared differ."""
    values = {branch: endpoint_bits_per_byte(rows_of(world, branch), ["solutions"]) for branch in [PARENT, *PLAN]}
    assert len(set(values.values())) == len(values)
    by_choice = {(branch.arm, branch.draw): rows_of(world, branch)["trigram_bits"].to_pylist() for branch in PLAN}
    assert len({tuple(bits) for bits in by_choice.values()}) == len(by_choice)


def test_rates_of_a_choice_have_the_same_ngrams(world: Path) -> None:
    first, second = (rows_of(world, Branch("best", 1, rate)) for rate in (0.003, 0.0001))
    for name in ("bigram_bits", "trigram_bits"):
        assert first[name].equals(second[name])


def test_reports_hold_the_mean_over_draws_at_the_rate_of_the_claims(world: Path, tmp_path: Path) -> None:
    reports: list[tuple[Mapping[str, float], int]] = []
    shutil.copytree(world / "whole", tmp_path / "out")
    open_experiment(world).run(PLAN, tmp_path / "out", tmp_path / "state", lambda metrics, step: reports.append((dict(metrics), step)))
    metrics, finished = reports[-1]
    assert finished == len(PLAN)
    assert metrics.keys() == {"endpoint/alpha", "endpoint/random", "endpoint/best", "endpoint/matched"}
    draws = [endpoint_bits_per_byte(rows_of(world, Branch("random", draw, 0.003)), ["solutions"]) for draw in (1, 2, 3)]
    assert metrics["endpoint/random"] == pytest.approx(sum(draws) / 3)


def test_several_processes_are_refused(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(SnowcoderError, match="train_branches: found 2 processes; allowed: one"):
        open_experiment(world)


def test_what_is_told(world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    open_experiment(world).run(PLAN[:2], tmp_path / "out", tmp_path / "state", ignore)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "train_branches: 2 branches of 768 tokens, 1,536 in all, from models/pretrain/general; 0 finished"
    assert "tokens/s in the first steps" in lines[2]
    assert lines[3].startswith("branch 1/2: random, draw 1, rate 0.003: ")
    assert lines[4].endswith(" s, the last")


@pytest.mark.slow
def test_layers_are_compiled_once_and_branches_do_not_depend_on_those_before_them(world: Path, tmp_path: Path) -> None:
    compiled = SHARED.model_copy(update={"compile": True})
    graphs: list[int] = []

    def count(metrics: Mapping[str, float], finished: int) -> None:
        graphs.append(counters["stats"]["unique_graphs"])

    torch.compiler.reset()
    counters.clear()
    open_experiment(world, shared=compiled).run(PLAN[:3], tmp_path / "one", tmp_path / "state", count)
    assert graphs[1] > graphs[0] == 0
    assert graphs[1:] == [graphs[1]] * 3
    torch.compiler.reset()
    open_experiment(world, shared=compiled).run(PLAN[2:3], tmp_path / "other", tmp_path / "state", ignore)
    assert list_shards(tmp_path / "one")[3].read_bytes() == list_shards(tmp_path / "other")[1].read_bytes()


def rows_of(world: Path, branch: Branch) -> pa.Table:
    rows = read_table(world / "whole")
    for name, value in branch._asdict().items():
        rows = rows.filter(pc.equal(rows[name], value))
    return rows
