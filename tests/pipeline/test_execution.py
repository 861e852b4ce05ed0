"""Run.map_shards: the same bytes on every backend, every finished shard survives a kill."""

import os
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from snowcoder.errors import ParameterError
from snowcoder.pipeline.execution import Run, ShardResult, map_items
from snowcoder.storage.shards import list_shards, read_table, write_table

SCHEMA = pa.schema([("value", pa.int64())])


def double(factor: int, calls: Path, table: pa.Table) -> ShardResult:
    """Even values times `factor`, and the odd ones apart; leaves a trace of each call."""
    (calls / f"{table['value'][0]}").touch()
    even = pc.equal(pc.bit_wise_and(table["value"], 1), 0)
    kept = table.filter(even)
    kept = kept.set_column(0, "value", pc.multiply(kept["value"], factor))
    return ShardResult({"kept": kept, "odd": table.filter(pc.invert(even))}, {"rows_in": table.num_rows})


def fail_on_second(calls: Path, table: pa.Table) -> ShardResult:
    if table["value"][0].as_py() == 10:
        raise KeyboardInterrupt
    return double(2, calls, table)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    write_table(tmp_path / "in", [pa.table({"value": range(start, start + 10)}, schema=SCHEMA) for start in (0, 10, 20)], SCHEMA)
    (tmp_path / "calls").mkdir()
    return tmp_path / "in"


def run(function: object, source: Path, out: Path, state: Path) -> list[dict[str, int]]:
    outputs = {"kept": (out, SCHEMA), "odd": (out / "odd", SCHEMA)}
    return Run(state, "test").map_shards(function, list_shards(source), outputs)  # type: ignore[arg-type]


def test_same_bytes_on_every_backend(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = []
    for executor, workers in (("serial", "1"), ("processes", "1"), ("processes", "2")):
        monkeypatch.setenv("SNOWCODER_EXECUTOR", executor)
        monkeypatch.setenv("SNOWCODER_WORKERS", workers)
        out = tmp_path / f"out-{executor}-{workers}"
        summaries = run(partial(double, 3, tmp_path / "calls"), source, out, tmp_path / f"state-{executor}-{workers}")
        assert summaries == [{"rows_in": 10}] * 3
        results.append({str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()})
    assert results[0] == results[1] == results[2]
    assert read_table(out)["value"].to_pylist()[:3] == [0, 6, 12]


def test_finished_shards_are_not_computed_again(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWCODER_EXECUTOR", "serial")
    calls = tmp_path / "calls"
    with pytest.raises(KeyboardInterrupt):
        run(partial(fail_on_second, calls), source, tmp_path / "out", tmp_path / "state")
    for trace in calls.iterdir():
        trace.unlink()
    run(partial(double, 2, calls), source, tmp_path / "out", tmp_path / "state")
    assert sorted(path.name for path in calls.iterdir()) == ["10", "20"]
    assert read_table(tmp_path / "out").num_rows == 15


def leave_process_id(traces: Path, table: pa.Table) -> ShardResult:
    (traces / str(os.getpid())).touch()
    return ShardResult({"kept": table, "odd": table})


@pytest.mark.parametrize(("threads", "executor", "apart"), [(4, "processes", False), (2, "processes", True), (2, "serial", False)])
def test_a_function_with_threads_of_its_own_shares_the_processors(
    threads: int, executor: str, apart: bool, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNOWCODER_EXECUTOR", executor)
    monkeypatch.setenv("SNOWCODER_WORKERS", "4")
    outputs = {"kept": (tmp_path / "out", SCHEMA), "odd": (tmp_path / "out/odd", SCHEMA)}
    work = partial(leave_process_id, tmp_path / "calls")
    Run(tmp_path / "state", "test").map_shards(work, list_shards(source), outputs, threads_per_worker=threads)
    processes = {int(path.name) for path in (tmp_path / "calls").iterdir()}
    assert (os.getpid() not in processes) == apart
    assert len(processes) <= 2


def test_unknown_backend_and_bad_worker_count_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWCODER_EXECUTOR", "threads")
    with pytest.raises(ParameterError, match="SNOWCODER_EXECUTOR: found 'threads'; allowed: serial, processes"):
        map_items(abs, [1, 2], "test")
    monkeypatch.setenv("SNOWCODER_EXECUTOR", "processes")
    monkeypatch.setenv("SNOWCODER_WORKERS", "0")
    with pytest.raises(ParameterError, match="SNOWCODER_WORKERS: found '0'"):
        map_items(abs, [1, 2], "test")


def test_map_items_keeps_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWCODER_EXECUTOR", "processes")
    monkeypatch.setenv("SNOWCODER_WORKERS", "2")
    assert map_items(abs, list(range(-20, 0)), "test") == list(range(20, 0, -1))


def process_id(_: int) -> int:
    return os.getpid()


def test_functions_that_release_the_lock_run_in_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWCODER_EXECUTOR", "processes")
    monkeypatch.setenv("SNOWCODER_WORKERS", "2")
    assert set(map_items(process_id, range(8), "test", releases_gil=True)) == {os.getpid()}
    assert map_items(abs, list(range(-20, 0)), "test", releases_gil=True) == list(range(20, 0, -1))
    with pytest.raises(TypeError):
        map_items(abs, [1, "one", 2], "test", releases_gil=True)
