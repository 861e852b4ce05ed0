"""One run of one stage: published whole or not at all, resumable, never twice at once."""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from snowcoder.errors import SnowcoderError
from snowcoder.pipeline.params import ParamsModel
from snowcoder.pipeline.stage import StageRun, run_stage, work_dir

STAGE = "split_files"  # any stage whose script exists: its code is part of the fingerprint


class Params(ParamsModel):
    value: int


def go(build: object, value: int = 1, source: str = "in.txt") -> None:
    run_stage(STAGE, [Params(value=value)], [Path(source)], [Path("data/out"), Path("metrics/out.json")], build)  # type: ignore[arg-type]


def build_outputs(run: StageRun) -> None:
    run.out("data/out").mkdir(exist_ok=True)
    (run.out("data/out") / "rows.txt").write_text(run.fingerprint)
    run.out("metrics/out.json").write_text("{}")


@pytest.fixture(autouse=True)
def _workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in.txt").write_text("input")


def states() -> list[Path]:
    return [path for path in (work_dir() / "state").rglob("*") if path.is_dir() and path.parent.name == STAGE]


def test_outputs_are_published_and_state_is_removed() -> None:
    go(build_outputs)
    assert Path("data/out/rows.txt").exists()
    assert Path("metrics/out.json").exists()
    assert states() == []
    assert (work_dir() / "times" / f"{STAGE}.json").exists()


def test_a_failed_build_publishes_nothing_and_keeps_its_state() -> None:
    def fail(run: StageRun) -> None:
        build_outputs(run)
        (run.state / "progress").write_text("half")
        raise SnowcoderError("broken")

    with pytest.raises(SnowcoderError):
        go(fail)
    assert not Path("data").exists()

    def go_on(run: StageRun) -> None:
        assert (run.state / "progress").read_text() == "half"
        build_outputs(run)

    go(go_on)
    assert Path("data/out/rows.txt").exists()


def test_state_of_other_params_or_inputs_is_not_taken_up() -> None:
    def leave_state(run: StageRun) -> None:
        (run.state / "progress").write_text("old")
        raise SnowcoderError("stop")

    with pytest.raises(SnowcoderError):
        go(leave_state)

    def expect_fresh(run: StageRun) -> None:
        assert not (run.state / "progress").exists()
        build_outputs(run)

    go(expect_fresh, value=2)
    Path("in.txt").write_text("changed")
    go(expect_fresh)


def test_an_output_that_was_not_built_is_an_error() -> None:
    with pytest.raises(SnowcoderError, match=r"data/out: was not built"):
        go(lambda run: None)


def slow_build(run: StageRun) -> None:
    with Path("builds.log").open("a") as log:
        log.write("built\n")
    time.sleep(1.0)
    build_outputs(run)


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

    def go_on(run: StageRun) -> None:
        assert (run.state / "progress").read_text() == "half"
        build_outputs(run)

    go(go_on)
    assert states() == []
