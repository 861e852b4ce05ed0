"""The Ray backend on a real cluster of two nodes (three minutes): equal bytes, the death of a node, unchanged errors."""

import hashlib
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from snowcoder.errors import ExecutionError, ParameterError, SourceError
from snowcoder.pipeline.execution import Run, map_items
from snowcoder.storage.files import location
from snowcoder.storage.shards import list_shards, read_table, write_table
from tests.slow import ray_stages

ray = pytest.importorskip("ray", reason="needs the extra ray")
cluster_utils = pytest.importorskip("ray.cluster_utils", reason="needs the extra ray")

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]
NODE = {"num_cpus": 1, "object_store_memory": 10**8}
SCHEMA = pa.schema([("value", pa.int64())])


@pytest.fixture
def object_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A bucket on an S3-compatible server; nodes that start after it have the keys."""
    moto_server = pytest.importorskip("moto.server", reason="needs the extra dev: moto")
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://{}:{}".format(*server.get_host_and_port()))
    for name, value in (("ACCESS_KEY_ID", "test"), ("SECRET_ACCESS_KEY", "test"), ("DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    pytest.importorskip("s3fs", reason="needs the extra s3").S3FileSystem.clear_instance_cache()  # those of other servers
    made: Any = location(f"s3://bucket-{uuid.uuid4()}")
    made.fs.mkdir(made.path)
    yield made
    server.stop()


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator["cluster_utils.Cluster"]:
    """Two nodes of one processor each, named by RAY_ADDRESS."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    made = cluster_utils.Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
    made.add_node(**NODE)
    made.wait_for_nodes()
    monkeypatch.setenv("RAY_ADDRESS", made.address)
    monkeypatch.setenv("SNOWCODER_EXECUTOR", "ray")
    yield made
    ray.shutdown()
    made.shutdown()


def test_the_same_bytes_serial_in_processes_and_on_two_nodes(
    cluster: "cluster_utils.Cluster", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray_stages.write_corpus(tmp_path / "in")
    results, metrics = {}, {}
    for executor in ("serial", "processes", "ray"):
        monkeypatch.setenv("SNOWCODER_EXECUTOR", executor)
        metrics[executor] = ray_stages.run_stages(tmp_path / "in", tmp_path / executor)
        results[executor] = ray_stages.digests(tmp_path / executor)
    assert results["serial"] == results["processes"] == results["ray"]
    assert metrics["serial"] == metrics["processes"] == metrics["ray"]
    # every stage had something to do
    assert min(metrics["ray"]["deduplication"]["dropped"].values()) > 0
    assert metrics["ray"]["decontamination"]["rows_in"] > metrics["ray"]["decontamination"]["rows_out"] > 0
    assert read_table(tmp_path / "ray" / "filtered" / "rejected").num_rows > 0
    assert len(results["ray"]) > 6 * ray_stages.N_SHARDS


@pytest.mark.usefixtures("cluster")
def test_workers_of_both_nodes_get_code_folder_and_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SNOWCODER_BENCHMARKS_DIR", "/benchmarks")
    monkeypatch.setenv("A_SECRET_KEY", "not to be shown to everybody on the cluster")
    seen = map_items(ray_stages.describe_worker, range(64), "test")
    assert {(row["folder"], row["code"]) for row in seen} == {(str(tmp_path), str(Path(sys.modules["snowcoder"].__path__[0])))}
    assert {row["SNOWCODER_BENCHMARKS_DIR"] for row in seen} == {"/benchmarks"}
    assert {(row["OMP_NUM_THREADS"], row["SNOWCODER_EXECUTOR"], row["A_SECRET_KEY"]) for row in seen} == {("1", "serial", "")}
    assert os.getpid() not in {row["pid"] for row in seen}
    assert len({row["node"] for row in seen}) == 2


def test_the_death_of_a_node_in_the_middle_of_a_stage_costs_nothing(cluster: "cluster_utils.Cluster", tmp_path: Path) -> None:
    write_table(tmp_path / "in", (pa.table({"value": [10 * start, 1]}, schema=SCHEMA) for start in range(12)), SCHEMA)
    traces = tmp_path / "traces"
    traces.mkdir()
    doomed = cluster.worker_nodes.copy().pop()
    killed_at: list[float] = []

    def kill() -> None:
        while len(list(traces.iterdir())) < 4:  # both nodes are at work
            time.sleep(0.05)
        killed_at.append(time.monotonic())
        doomed.kill_raylet(check_alive=False)  # SIGKILL

    killer = threading.Thread(target=kill)
    killer.start()
    out = tmp_path / "out"
    try:
        function = partial(ray_stages.slow_shard, traces)
        summaries = Run(tmp_path / "state", "test").map_shards(function, list_shards(tmp_path / "in"), {"out": (out, SCHEMA)})
    finally:
        killer.join()
    assert killed_at
    assert [summary["first"] for summary in summaries] == [10 * start for start in range(12)]
    starts = [path.name.split(".")[0] for path in traces.iterdir()]
    assert len(starts) > len(set(starts)) == 12, "no task was lost with its node and started again"
    assert ray_stages.digests(out) == ray_stages.digests(_serial_result(tmp_path))


def test_what_a_dead_node_left_of_a_shard_is_no_shard(cluster: "cluster_utils.Cluster", tmp_path: Path) -> None:
    write_table(tmp_path / "in", (pa.table({"value": [10 * start, 1]}, schema=SCHEMA) for start in range(3)), SCHEMA)
    (tmp_path / "traces").mkdir()
    out = tmp_path / "out"
    out.mkdir()
    (out / ".part-00001.parquet.another-machine.77.partial").write_bytes(b"PAR1 and no more")
    (out / "part-00002.parquet").write_bytes(b"PAR1 and no more")  # a finished name, but its marker was not written
    function = partial(ray_stages.slow_shard, tmp_path / "traces")
    Run(tmp_path / "state", "test").map_shards(function, list_shards(tmp_path / "in"), {"out": (out, SCHEMA)})
    assert read_table(out)["value"].to_pylist() == [0, 2, 20, 2, 40, 2]


def test_shards_on_an_object_store(object_store: Path, cluster: "cluster_utils.Cluster", tmp_path: Path) -> None:
    (tmp_path / "traces").mkdir()
    tables = [pa.table({"value": [10 * start, 1]}, schema=SCHEMA) for start in range(4)]
    for folder in (tmp_path, object_store):
        write_table(folder / "in", tables, SCHEMA)
    function = partial(ray_stages.slow_shard, tmp_path / "traces")
    Run(object_store / "state", "test").map_shards(function, list_shards(object_store / "in"), {"out": (object_store / "out", SCHEMA)})
    local = ray_stages.digests(_serial_result(tmp_path))
    assert {name: hashlib.sha256((object_store / "out" / name).read_bytes()).hexdigest() for name in local} == local


@pytest.mark.usefixtures("cluster")
def test_an_error_of_the_function_is_its_own_and_not_tried_again(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        map_items(partial(ray_stages.refuse, tmp_path), range(8), "test")
    assert type(caught.value) is SourceError
    assert str(caught.value) == "item 3: refused by its hash; fetch it again"
    assert "ray_stages.py" in caught.value.__notes__[0]
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.usefixtures("cluster")
def test_a_task_that_kills_its_worker_ends_in_an_error(tmp_path: Path) -> None:
    with pytest.raises(ExecutionError, match=r"its worker ended 6 times or could not start .* more or smaller shards"):
        map_items(partial(ray_stages.die, tmp_path), range(2), "test")
    assert len(list(tmp_path.iterdir())) == 6


def test_no_address_starts_a_cluster_of_its_own_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    program = "from snowcoder.pipeline.execution import map_items; print(map_items(abs, range(-9, 0), 'test'))"
    environment = {**os.environ, "SNOWCODER_EXECUTOR": "ray", "SNOWCODER_WORKERS": "2", "PYTHONPATH": os.pathsep.join(sys.path)}
    environment["HOME"] = str(tmp_path)  # where Ray leaves a token
    own = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert own.stdout.strip() == str(list(range(9, 0, -1)))
    wrong = subprocess.run([sys.executable, "-c", program], env=environment | {"RAY_ADDRESS": "auto"}, capture_output=True, text=True)
    assert "ParameterError: environment: RAY_ADDRESS: found 'auto'" in wrong.stderr


def test_without_ray_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWCODER_EXECUTOR", "ray")
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "snowcoder.pipeline.ray_backend", raising=False)
    with pytest.raises(ParameterError, match=r"SNOWCODER_EXECUTOR: found 'ray', which is not installed: .*\[ray\]"):
        map_items(abs, range(3), "test")


def _serial_result(folder: Path) -> Path:
    out = folder / "serial"
    outputs = {"out": (out, SCHEMA)}
    function = partial(ray_stages.slow_shard, folder / "traces")
    Run(folder / "serial-state", "test").map_shards(function, list_shards(folder / "in"), outputs, backend="serial")
    return out
