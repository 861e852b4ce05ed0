"""`make experiment`: its folder, what it refuses, what it keeps, and the page that it writes."""

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from snowcoder.errors import SnowcoderError
from snowcoder.experiment.branch_params import BranchesParams
from snowcoder.experiment.branch_rows import BRANCH_SCHEMA
from snowcoder.experiment.branches import PARENT, plan_branches
from snowcoder.pipeline.params import load_section
from snowcoder.reporting.experiment_files import OUTPUTS
from snowcoder.reporting.terminal import open_console
from snowcoder.storage.metrics import write_metrics
from snowcoder.storage.shards import write_table
from tests.experiment.made_up_branches import rows_of
from tools.experiment import print_power, read_profile, run_stage_in, write_page
from tools.experiment_folder import committed_state, prepare_folder, run_in

ROOT = Path(__file__).resolve().parents[2]
PARAMS = "train:\n  size: 1\n  seed: 2\n"


def git(*arguments: str, folder: Path = Path()) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def commit(message: str) -> str:
    git("add", "-A")
    git("-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "-qm", message)
    return git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small repository of Git and DVC with a profile, as the current folder."""
    for name in [name for name in os.environ if name.startswith(("DVC_", "SNOWCODER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "params.yaml": PARAMS,
        "profiles/tiny.yaml": "# tiny\ntrain:\n  size: 9\n",
        "src/code.py": "x = 1\n",
        "metrics/fetch.json": "{}\n",
        "dvc.lock": "schema: '2.0'\n",
        ".gitignore": ".work/\n/data/*\n!/data/*.csv\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    git("init", "-q")
    subprocess.run(["dvc", "init", "-q"], check=True)
    commit("first")
    return tmp_path


def size_of(folder: Path) -> str:
    return (folder / "params.yaml").read_text()


def test_the_folder_has_the_commit_the_profile_and_the_cache(repository: Path) -> None:
    folder = prepare_folder("tiny", committed_state())
    assert folder == repository / ".work/experiments/tiny"
    assert git("rev-parse", "HEAD", folder=folder) == git("rev-parse", "HEAD")
    assert size_of(folder) == PARAMS.replace("1", "9")
    assert size_of(repository) == PARAMS, "the workspace stays as it is"
    cache = subprocess.run(["dvc", "cache", "dir"], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()
    assert Path(cache) == repository / ".dvc/cache"


def test_nano_is_params_as_committed(repository: Path) -> None:
    assert size_of(prepare_folder("nano", committed_state())) == PARAMS


def test_the_same_command_again_keeps_what_ran_and_a_later_commit_too(repository: Path) -> None:
    folder = prepare_folder("tiny", committed_state())
    written = {"dvc.lock": "of the run", "metrics/fetch.json": "of the run", "data/table": "of the run", ".work/state/step": "half done"}
    for name, text in written.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    assert prepare_folder("tiny", committed_state()) == folder
    assert {name: (folder / name).read_text() for name in written} == written
    (repository / "src/code.py").write_text("x = 2\n")
    (repository / "params.yaml").write_text(PARAMS.replace("2", "3"))
    prepare_folder("tiny", commit("second"))
    assert {name: (folder / name).read_text() for name in written} == written
    assert (folder / "src/code.py").read_text() == "x = 2\n"
    assert size_of(folder) == "train:\n  size: 9\n  seed: 3\n"


def test_a_kill_during_the_clone_leaves_nothing_in_the_way(repository: Path) -> None:
    torn = repository / ".work/experiments/.tiny.partial/.git"
    torn.mkdir(parents=True)
    assert size_of(prepare_folder("tiny", committed_state())) == PARAMS.replace("1", "9")
    assert not torn.parent.exists()


@pytest.mark.parametrize("name", ["params.yaml", "src/code.py", "src/new.py", "profiles/mine.yaml", "data/pilot.csv"])
def test_uncommitted_code_and_parameters_are_refused(repository: Path, name: str) -> None:
    (repository / name).parent.mkdir(exist_ok=True)
    (repository / name).write_text("changed: true\n")
    with pytest.raises(SnowcoderError, match=rf"^{name}: found 1 uncommitted changes; allowed: none .* commit or stash them$"):
        committed_state()


def test_what_runs_write_and_notes_are_no_reason_to_refuse(repository: Path) -> None:
    for name in ("dvc.lock", "metrics/fetch.json", "notes.txt", *map(str, OUTPUTS)):
        (repository / name).parent.mkdir(exist_ok=True)
        (repository / name).write_text("new")
    assert committed_state() == git("rev-parse", "HEAD")


def test_an_unknown_profile_is_refused(repository: Path) -> None:
    with pytest.raises(SnowcoderError, match="PROFILE: found 'huge'; allowed: nano, tiny; a new one must be committed"):
        prepare_folder("huge", committed_state())
    with pytest.raises(SnowcoderError, match="PROFILE: found 'huge'; allowed: nano, tiny"):
        read_profile("huge")


def test_programs_in_the_folder_use_its_code_and_its_state(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SNOWCODER_WORK_DIR", "/elsewhere")
    monkeypatch.setenv("SNOWCODER_BENCHMARKS_DIR", "benchmarks")
    monkeypatch.setenv("DVC_ROOT", str(repository))
    names = ("PYTHONPATH", "SNOWCODER_WORK_DIR", "SNOWCODER_BENCHMARKS_DIR", "DVC_ROOT")
    run_in(repository, sys.executable, "-c", f"import os; print([os.environ.get(name) for name in {names}])")
    assert capfd.readouterr().out.strip() == str(["src", ".work", str(repository / "benchmarks"), None])


def test_a_run_that_ends_early_says_how_to_go_on(repository: Path) -> None:
    with pytest.raises(SnowcoderError, match=r"dvc repro train_branches, in .*: ended with exit code .*; run the same command again"):
        run_stage_in(repository)


def test_what_a_kill_has_left_of_dvcs_files_is_repaired_first(repository: Path) -> None:
    whole = (repository / "dvc.lock").read_text()
    (repository / "dvc.lock").write_text(whole[:-4])
    with pytest.raises(SnowcoderError, match="dvc repro train_branches"):  # which this repository has not
        run_stage_in(repository)
    assert (repository / "dvc.lock").read_text() == whole


def test_the_page_of_a_folder_is_written_into_the_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, workspace = tmp_path / "folder", tmp_path / "workspace"
    folder.mkdir()
    workspace.mkdir()
    (folder / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    params = load_section("train_branches", BranchesParams, folder / "params.yaml")
    sets = dict.fromkeys(params.endpoint, 4)
    rows = rows_of(PARENT, 2.0, 2.2, sets)
    for number, branch in enumerate(plan_branches(params)):
        rows += rows_of(branch, 2.0 + 0.001 * (number % 7), 2.2, sets)
    write_table(folder / "data/train_branches", [pa.Table.from_pylist(rows, BRANCH_SCHEMA)], BRANCH_SCHEMA)
    (folder / "metrics").mkdir()
    write_metrics(folder / "metrics/initialize_model.json", {"parameters": {"total": 1000}})
    monkeypatch.chdir(workspace)
    write_page(open_console(), folder, "nano", "0123456789abcdef")
    assert all((workspace / path).exists() for path in OUTPUTS)
    assert "`make experiment PROFILE=nano` at commit 0123456789" in (workspace / "results/experiment.md").read_text()
    assert "planned comparisons" in capsys.readouterr().out


def test_power_is_printed_for_every_arm_and_claim(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    params = read_profile("nano")
    print_power(open_console(), params)
    printed = capsys.readouterr().out
    assert all(arm in printed for arm in params.arms)
    assert all(f"{better} better than {worse}" in " ".join(printed.split()) for better, worse in params.claims)
    assert "detectable" in printed
