"""A refused value stops plain DVC before anything runs, for every target."""

import json
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from tests.repository.test_pipeline import ROOT, Clone, working_tree_files


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """The committed profile, with nothing run."""
    made = Clone(tmp_path_factory.mktemp("clone"))
    for name in working_tree_files():
        if name != "dvc.lock" and not name.startswith(("metrics/", "results/", "tests/")):
            (made.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, made.root / name)
    for command in ("init -q", "config user.name test", "config user.email test@example.org", "add -A", "commit -q -m nano"):
        made.run("git", *command.split())
    return made


def refused(clone: Clone, *command: str) -> str:
    """What a command says that fails; it must have run the check and no other stage, and have left no data."""
    found = subprocess.run(command, cwd=clone.root, env=clone.environment, capture_output=True, text=True, check=False, timeout=300)
    said = found.stdout + found.stderr
    assert found.returncode != 0, said
    assert {line for line in said.splitlines() if line.strip().startswith("Running stage")} == {"Running stage 'check_params':"}, said
    assert not any((clone.root / "data").glob("fetch_*"))
    return said


@pytest.fixture
def wrong_recipe(clone: Clone) -> Iterator[None]:
    path = clone.root / "params.yaml"
    before = path.read_text()
    path.write_text(before.replace("recipe: HQINS", "recipe: HQQ", 1))
    yield
    path.write_text(before)


@pytest.mark.usefixtures("wrong_recipe")
@pytest.mark.parametrize("target", [[], ["select_files"]], ids=["all", "select_files"])
def test_dvc_repro_refuses_a_recipe_that_there_is_not(clone: Clone, target: list[str]) -> None:
    """The recipe is part of a path in dvc.yaml: DVC itself would say that the folder is not there."""
    said = refused(clone, "dvc", "repro", *target)
    assert "params.yaml: select_files.shared.recipe: found 'HQQ'; did you mean HQ? allowed: EDU, INS, HQ, HQINS" in said
    assert "No such file" not in said


@pytest.mark.usefixtures("wrong_recipe")
def test_a_stage_run_by_hand_refuses_it_too(clone: Clone) -> None:
    environment = clone.environment | {"PYTHONPATH": "src"}
    command = ["python", "-m", "stages.fetch_benchmarks"]
    found = subprocess.run(command, cwd=clone.root, env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert "select_files.shared.recipe: found 'HQQ'" in found.stderr
    assert not (clone.root / "data" / "fetch_benchmarks").exists()


@pytest.mark.parametrize(
    "command", [["tools/apply_profile.py", "toy"], ["-m", "snowcoder.configuration.checking"], ["-m", "dvc", "repro", "check_params"]]
)
def test_a_run_of_another_profile_says_what_it_replaces_and_what_brings_it_back(clone: Clone, command: list[str]) -> None:
    for name in ("metrics/a.json", "results/report.md", "dvc.lock"):
        (clone.root / name).parent.mkdir(exist_ok=True)
        (clone.root / name).write_text("schema: '2.0'\nstages: {}\n")
    clone.run("git", "add", "-A")
    clone.run("git", "commit", "-q", "--allow-empty", "-m", "results")
    python = ["env", "PYTHONPATH=src", "python"]
    assert "a run replaces" not in clone.run(*python, "-m", "snowcoder.configuration.checking")
    clone.run(*python, "tools/apply_profile.py", "toy")
    said = clone.run(*python, *command)
    assert "params.yaml differs from the committed one: a run replaces the files in metrics/ and results/, and dvc.lock" in said
    for name in ("metrics/a.json", "results/report.md", "dvc.lock"):
        (clone.root / name).write_text("of the toy profile\n")
    clone.run(*said.split("`")[-2].split())
    clone.run(*python, "tools/apply_profile.py", "nano")
    assert not clone.run("git", "status", "--short", "--untracked-files=no")


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["--temp"]], ids=["workspace", "temp"])
def test_an_experiment_is_refused(clone: Clone, options: list[str]) -> None:
    said = refused(clone, "dvc", "exp", "run", *options, "-S", "pack_tokens.sequence_length=2048")
    assert "pack_tokens.sequence_length: found 2048; allowed: at most initialize_model.max_positions 1024" in said
    clone.run("git", "checkout", "-q", "params.yaml")


@pytest.mark.slow
def test_a_changed_value_runs_the_check_and_changes_nothing_by_it(clone: Clone) -> None:
    lock = clone.root / "dvc.lock"
    clone.run("dvc", "repro", "fetch_benchmarks")
    clone.run("git", "add", "-A")
    clone.run("git", "commit", "-q", "-m", "benchmarks")
    path = clone.root / "params.yaml"
    path.write_text(path.read_text().replace("repeats: 1", "repeats: 2"))
    said = clone.run("dvc", "repro", "fetch_benchmarks")
    assert "Running stage 'check_params'" in said
    assert "Running stage 'fetch_benchmarks'" not in said
    assert "data/check_params" in lock.read_text()
    assert json.loads((clone.root / "metrics" / "fetch_benchmarks.json").read_text())
