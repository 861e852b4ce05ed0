"""The stage as a person runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

from snowcoder.pipeline.fingerprint import REPOSITORY_ROOT
from tests.reporting.fabricate import ARMS

OUTPUTS = ["annotators.png", "arms.png", "funnel.png", "ladder.png", "learning_curves.png", "report.html", "report.md", "summary.json"]


def run(root: Path, module: str = "stages.report") -> None:
    (root / "params.yaml").write_text(json.dumps(ARMS))  # JSON is YAML
    environment = os.environ | {
        "PYTHONPATH": f"{REPOSITORY_ROOT / 'src'}{os.pathsep}{REPOSITORY_ROOT}",
        "SNOWCODER_WORK_DIR": str(root / ".work"),
        "SNOWCODER_TRACKING": "local",
        "SNOWCODER_TRACKING_STRICT": "1",
    }
    subprocess.run([sys.executable, "-m", module], cwd=root, env=environment, check=True)


def test_stage_writes_its_outputs_twice_the_same_and_one_summary_record(root: Path) -> None:
    run(root)
    first = {path.name: path.read_bytes() for path in (root / "results").iterdir()}
    run(root)
    assert sorted(first) == OUTPUTS
    assert first == {path.name: path.read_bytes() for path in (root / "results").iterdir()}
    (record,) = (root / ".work/tracking").glob("*.jsonl")
    entries = [json.loads(line) for line in record.read_text().splitlines()]
    assert [entry["type"] for entry in entries if entry["type"] != "system"] == ["start", "metrics", "artifact", "end"] * 2
    assert entries[0]["tags"]["summary"] == "true"
    for content in (first["report.md"], first["report.html"]):
        assert str(root).encode() not in content


def test_results_that_dvc_had_already_get_their_summary_when_they_are_shown(root: Path) -> None:
    run(root)
    (record,) = (root / ".work/tracking").glob("*.jsonl")
    (root / "dvc.yaml").touch()  # the root of a repository
    run(root, "tools.show_results")
    n_entries = len(record.read_text().splitlines())
    record.unlink()
    run(root, "tools.show_results")
    written = record.read_text().splitlines()
    assert len(written) == n_entries  # and not twice that: results with a summary get no second one
    assert json.loads(written[0])["tags"]["summary"] == "true"
