"""A variant, a control, a recipe: each is one edit of params.yaml, and the graph, the checks and the report follow."""

import difflib
import shutil
import textwrap
from pathlib import Path
from typing import Any

import pytest
from dvc.repo import Repo
from dvc.utils.serialize import dumps_yaml

from snowcoder.configuration.checking import find_faults
from snowcoder.pipeline.params import read_yaml
from snowcoder.reporting.report_params import ladder, load_report_params

ROOT = Path(__file__).resolve().parents[2]
OF_A_VARIANT = ("pack_tokens", "pretrain", "generate_completions", "execute_completions", "measure_bits_per_byte")
OF_A_RECIPE = ("train_annotator", "score_files")


def add(path: Path, section: str, name: str, value: dict[str, Any]) -> None:
    """Write an item at the end of a section with items, as a person would: nothing else of the file changes."""
    lines = path.read_text().split("\n")
    start = lines.index(f"{section}:")
    end = next(number for number in range(start, len(lines)) if not lines[number])
    lines[end:end] = textwrap.indent(dumps_yaml({name: value}), "    ").rstrip("\n").split("\n")
    path.write_text("\n".join(lines))


def add_variant(path: Path) -> str:
    """Another rung: enhanced, trained further on the same documents."""
    variants = read_yaml(path)["pretrain"]["variants"]
    add(path, "pretrain", "polished", variants["enhanced"] | {"parent": "models/pretrain/enhanced"})
    return "polished"


def add_control(path: Path) -> str:
    """A second control of enhanced: the same budget of files that nothing has selected."""
    variants = read_yaml(path)["pretrain"]["variants"]
    packs = {"files": "data/tokenize_files", "documents": "data/none"}
    add(path, "pretrain", "enhanced_general", variants["enhanced"] | {"control_of": "enhanced", "packs": packs})
    return "enhanced_general"


def add_recipe(path: Path) -> str:
    """Educational files alone."""
    add(path, "train_annotator", "EDUONLY", {"kind": "classification", "positives": ["educational"], "min_label": 3.0})
    return "EDUONLY"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """What DVC and the checks read of the graph."""
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "data").symlink_to(ROOT / "data")
    return tmp_path


@pytest.mark.parametrize(
    ("edit", "stages", "readers"),
    [
        (add_variant, OF_A_VARIANT, ["report"]),
        (add_control, OF_A_VARIANT, ["report"]),
        (add_recipe, OF_A_RECIPE, ["compare_annotators", "report"]),
    ],
)
def test_one_edit_adds_the_stages_and_whoever_reads_them(edit: Any, stages: tuple[str, ...], readers: list[str], repository: Path) -> None:
    params = repository / "params.yaml"
    before = params.read_text().splitlines()
    with Repo.init(str(repository), no_scm=True) as repo:
        known = {stage.name for stage in repo.index.stages}
        name = edit(params)
    differing = [code for code, *_ in difflib.SequenceMatcher(None, before, params.read_text().splitlines(), False).get_opcodes()]
    assert [code for code in differing if code != "equal"] == ["insert"]
    with Repo(str(repository)) as repo:
        graph = repo.index.graph
        found = {stage.name: stage for stage in repo.index.stages}
        assert found.keys() - known == {f"{stage}@{name}" for stage in stages}
        for reader in readers:
            read = {stage.name for stage in graph.successors(found[reader])}
            assert read >= {f"{stage}@{name}" for stage in stages}, reader
    assert find_faults(params, repository) == []


def test_the_report_has_what_params_has(repository: Path) -> None:
    params = repository / "params.yaml"
    before = load_report_params(params)
    assert before.controls == [("continued", "continued_random"), ("enhanced", "enhanced_selected")]
    assert ladder(before) == ["general", "continued", "enhanced"]
    for edit in (add_control, add_variant, add_recipe):
        edit(params)
    after = load_report_params(params)
    assert after.variants == before.variants | {"enhanced_general": "continued", "polished": "enhanced"}
    assert after.controls == [*before.controls, ("enhanced", "enhanced_general")]
    assert ladder(after) == ["general", "continued", "enhanced", "polished"]
    assert after.recipes == [*before.recipes, "EDUONLY"]


@pytest.mark.parametrize("path", ["metrics", "models/pretrain", "models/train_annotator", "data/measure_bits_per_byte"])
def test_the_report_comes_after_all_that_its_folders_hold(path: str, repository: Path) -> None:
    """DVC links a folder to every output below it."""
    with Repo.init(str(repository), no_scm=True) as repo:
        stages = {stage.name: stage for stage in repo.index.stages}
        writers = {name for name, stage in stages.items() for out in stage.outs if str(out.def_path).startswith(f"{path}/")}
        assert len(writers) >= 4
        assert writers <= {stage.name for stage in repo.index.graph.successors(stages["report"])}
