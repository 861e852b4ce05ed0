"""One run of one stage: published whole or not at all, resumable, never twice at the same time."""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from snowcoder.errors import SnowcoderError
from snowcoder.pipeline.params import ParamsModel
from snowcoder.pipeline.stage import Metrics, StageRun, metrics_path, output_path, run_stage, work_dir
from snowcoder.storage.metrics import read_metrics

STAGE = "split_files"  # any stage whose script exists: its code is part of the fingerprint


class Params(ParamsModel):
    value: int


def go(build: object, value: int = 1, source: str = "in.txt") -> None:
    run_stage(STAGE, [Params(value=value)], [Path(source)], build)  # type: ignore[arg-type]


def build_outputs(run: StageRun) -> Metrics:
    run.output.mkdir(exist_ok=True)
    (run.output / "rows.txt").write_text(run.fingerprint)
    return {"rows": 1}


@pytest.fixture(autouse=True)
def _workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in.txt").write_text("input")


def states() -> list[Path]:
    return [path for path in (work_dir() / "state").rglob("*") if path.is_dir() and path.parent.name == STAGE]


def test_outputs_are_published_and_state_is_removed() -> None:
    go(build_outputs)
    assert Path("data/split_files/rows.txt").exists()
    assert read_metrics(Path("metrics/split_files.json")) == {"rows": 1}
    assert states() == []
    assert (work_dir() / "times" / f"{STAGE}.json").exists()


def test_a_failed_build_publishes_nothing_and_keeps_its_state() -> None:
    def fail(run: StageRun) -> Metrics:
        build_outputs(run)
        (run.state / "progress").write_text("half")
        raise SnowcoderError("broken")

    with pytest.raises(SnowcoderError):
        go(fail)
    assert not Path("data").exists()

    def go_on(run: StageRun) -> Metrics:
        assert (run.state / "progress").read_text() == "half"
        return build_outputs(run)

    go(go_on)
    assert Path("data/split_files/rows.txt").exists()


def test_state_of_other_params_or_inputs_is_not_taken_up() -> None:
    def leave_state(run: StageRun) -> Metrics:
        (run.state / "progress").write_text("old")
        raise SnowcoderError("stop")

    with pytest.raises(SnowcoderError):
        go(leave_state)

    def expect_fresh(run: StageRun) -> Metrics:
        assert not (run.state / "progress").exists()
        return build_outputs(run)

    go(expect_fresh, value=2)
    Path("in.txt").write_text("changed")
    go(expect_fresh)


def test_an_output_that_was_not_built_is_an_error() -> None:
    with pytest.raises(SnowcoderError, match=r"data/split_files: was not built"):
        go(lambda run: None)


@pytest.mark.parametrize(
    ("stage", "item", "output", "metrics"),
    [
        ("split_files", None, "data/split_files", "metrics/split_files.json"),
        ("initialize_model", None, "models/initialize_model", "metrics/initialize_model.json"),
        ("pack_tokens", "general", "data/pack_tokens/general", "metrics/pack_tokens/general.json"),
        ("pretrain", "general", "models/pretrain/general", "metrics/pretrain/general.json"),
    ],
)
def test_paths_follow_from_the_name(stage: str, item: str | None, output: str, metrics: str) -> None:
    assert output_path(stage, item) == Path(output)
    assert metrics_path(stage, item) == Path(metrics)


def test_outputs_of_another_name_are_published() -> None:
    page = Path("results/page.md")

    def build(run: StageRun) -> None:
        run.out(page).write_text("page")

    run_stage(STAGE, [], [], build, outputs=[page])
    assert page.read_text() == "page"
    assert not Path("data").exists()


def slow_build(run: StageRun) -> Metrics:
    with Path("builds.log").open("a") as log:
        log.write("built\n")
    time.sleep(1.0)
    return build_outputs(run)


def test_a_second_process_waits_and_uses_the_finished_result() -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=go, args=(slow_build,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert Path("builds.log").read_text() == "built\n"


def hang(run: StageRun) -> None:
    (run.state / "progress").write_text("half")
    time.sleep(60)


def test_after_kill_9_the_next_run_takes_over() -> None:
    worker = multiprocessing.get_context("fork").Process(target=go, args=(hang,))
    worker.start()
    while not any((state / "progress").exists() for state in states()):
        time.sleep(0.02)
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()

    def go_on(run: StageRun) -> Metrics:
        assert (run.state / "progress").read_text() == "half"
        return build_outputs(run)

    go(go_on)
    assert states() == []
