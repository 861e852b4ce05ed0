"""Tags, parameters and the title of a run and its experiment."""

import subprocess
from pathlib import Path

import pytest

from snowcoder.tracking.context import all_params, experiment_title, is_dirty, stage_params


@pytest.fixture
def repository(work: Path, tmp_path: Path) -> Path:
    (tmp_path / "results").mkdir()
    (tmp_path / "results/report.md").write_text("1")
    (tmp_path / "code.py").write_text("1")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *arguments], cwd=tmp_path, check=True)
    return tmp_path


def test_what_the_pipeline_writes_does_not_make_a_run_dirty(repository: Path) -> None:
    (repository / "results/report.md").write_text("2")
    (repository / "dvc.lock").write_text("new")
    assert is_dirty() == "false"


def test_changed_or_new_code_does(repository: Path) -> None:
    (repository / "code.py").write_text("2")
    assert is_dirty() == "true"
    (repository / "code.py").write_text("1")
    (repository / "more.py").write_text("1")
    assert is_dirty() == "true"


def test_params_count_unless_an_experiment_sets_them(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "params.yaml").write_text("a: 1\n")
    assert is_dirty() == "true"
    monkeypatch.setenv("DVC_EXP_NAME", "brave-newt")
    assert is_dirty() == "false"


def test_no_repository_is_unknown(work: Path) -> None:
    assert is_dirty() == "unknown"


def test_a_stage_has_only_its_own_parameters_and_those_of_its_item(work: Path) -> None:
    Path("params.yaml").write_text(
        "pretrain: {shared: {bf16: true}, variants: {general: {seed: 7, schedule: {kind: wsd}}, continued: {seed: 8}}}\n"
        "label_files: {seed: 1, names: [a, b]}\n"
    )
    assert stage_params("pretrain", "general") == {"bf16": True, "seed": 7, "schedule.kind": "wsd"}
    assert stage_params("label_files", None) == {"seed": 1, "names": ["a", "b"]}
    assert stage_params("evaluate", "general") == {}


def test_the_title_of_an_experiment_begins_with_what_differs(repository: Path) -> None:
    revision = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    committed = all_params()
    assert experiment_title(committed, revision) == revision[:7]
    assert experiment_title(committed | {"pretrain.variants.general.seed": 8}, revision) == f"seed=8 on {revision[:7]}"
    more = {"a.seed": 1, "b.seed": 1, "c.x": 2}
    assert experiment_title(committed | more, revision) == f"a.seed=1, b.seed=1 and 1 more on {revision[:7]}"
