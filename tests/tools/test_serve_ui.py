"""`make ui`: a port in use is an error, and Ctrl-C ends the server with one line."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from snowcoder.pipeline.stage import work_dir
from snowcoder.tracking.record import track
from snowcoder.tracking.store import EXPERIMENT, tracking_uri
from tools.serve_ui import refuse_taken


def test_a_taken_port_is_an_error_that_names_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SystemExit, match=rf"error: 127.0.0.1:{port}: .* make ui PORT={port + 1}"):
            refuse_taken(port)


@pytest.mark.slow
def test_it_serves_until_ctrl_c_and_opens_with_scores(repository_root: Path) -> None:
    with track("report", None, "f00d", summary=True) as record:
        record.log({"general/validation/bits_per_byte": 1.5, "general/humaneval/bits_per_byte": 2.5})
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, str(repository_root / "tools/serve_ui.py"), "--port", str(port)]
    environment = os.environ | {"PYTHONPATH": f"{repository_root / 'src'}{os.pathsep}{repository_root}"}
    process = subprocess.Popen(command, cwd=repository_root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().startswith(f"experiments: http://127.0.0.1:{port}/")
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert said.splitlines()[-1] == "stopped"
    assert process.returncode == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    experiment = MlflowClient(tracking_uri(work_dir())).get_experiment_by_name(EXPERIMENT)
    assert "general/validation/bits_per_byte" in experiment.tags["mlflow.sharedViewState.scores"]
    assert "humaneval" not in experiment.tags["mlflow.sharedViewState.scores"]
