"""Every value of params.yaml is checked: a nonsensical one is refused with its dotted path."""

import copy
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from snowcoder.configuration.checking import check_params
from snowcoder.errors import ParameterError
from tests.configuration.changed_params import PARAMS, ROOT, changed, faults, places

LEAVES = [(path, value) for path, value in places() if not isinstance(value, dict)]
NUMBERS = [(path, value) for path, value in LEAVES if isinstance(value, int | float) and not isinstance(value, bool)]
FREE = {("fetch_corpus", "sources"), ("train_annotator", "recipes"), ("select_files", "rules"), ("pretrain", "variants")}
FREE |= {("train_branches", "arms")}
KEYS = [path for path, _ in places() if path[:-1] not in FREE]  # whose names are not free


def named(cases: list[Any]) -> list[str]:
    return [".".join(case[0] if isinstance(case[0], tuple) else case) for case in cases]


def replace(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    raw = copy.deepcopy(PARAMS)
    holder = raw
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return raw


def assert_refused(raw: dict[str, Any], path: tuple[str, ...], found: str) -> None:
    """One of the faults begins with the path, and says what was found and allowed."""
    told = faults(raw)
    assert any(fault.startswith(".".join(path)) and found in fault and "allowed: " in fault for fault in told), told
    assert not any("Input should" in fault or "Value error" in fault for fault in told)


def test_the_committed_file_is_accepted() -> None:
    assert faults(PARAMS) == []


@pytest.mark.parametrize(("path", "value"), LEAVES, ids=named(LEAVES))
def test_a_value_of_another_type_is_refused(path: tuple[str, ...], value: Any) -> None:
    assert_refused(replace(path, {"odd": 1}), path, "")
    if isinstance(value, bool):
        assert_refused(replace(path, "yes"), path, "found 'yes'; allowed: true or false")
        assert_refused(replace(path, 1), path, "found 1; allowed: true or false")
    elif isinstance(value, int | float):
        assert_refused(replace(path, str(value)), path, f"found '{value}'")
        assert_refused(replace(path, True), path, "found true")
        assert_refused(replace(path, [value]), path, "found [")
    elif isinstance(value, str):
        assert_refused(replace(path, 12345), path, "found 12345")
        assert_refused(replace(path, None), path, "null") if path[-1] not in ("opt_out", "control_of", "match", "matched_to") else None
    elif isinstance(value, list):
        assert_refused(replace(path, "python"), path, "found 'python'")
        assert_refused(replace(path, [*value, 3]), path, "found 3")


@pytest.mark.parametrize(("path", "value"), NUMBERS, ids=named(NUMBERS))
def test_numbers_that_are_none_or_negative_are_refused(path: tuple[str, ...], value: float) -> None:
    assert_refused(replace(path, math.nan), path, "found .nan")
    assert_refused(replace(path, math.inf), path, "found .inf")
    assert_refused(replace(path, -math.inf), path, "found -.inf")
    assert_refused(replace(path, -1), path, "found -1; allowed: ")
    if isinstance(value, int):
        assert_refused(replace(path, value + 0.5), path, f"found {value + 0.5}; allowed: a whole number")


@pytest.mark.parametrize("path", KEYS, ids=[".".join(path) for path in KEYS])
def test_a_misspelt_key_is_refused_and_the_right_one_proposed(path: tuple[str, ...]) -> None:
    misspelt = path[-1][:-1] + "_x"
    raw = copy.deepcopy(PARAMS)
    holder = raw
    for key in path[:-1]:
        holder = holder[key]
    holder[misspelt] = holder.pop(path[-1])
    told = [fault for fault in faults(raw) if fault.startswith(".".join(path[:-1])) and misspelt in fault and "allowed: " in fault]
    assert told, faults(raw)
    if path[-1] != "kind" and len(path[-1]) > 3:
        assert any("did you mean" in fault for fault in told), told


def test_a_misspelt_key_is_one_fault() -> None:
    raw = changed(select_files__shared__repeat=2)
    del raw["select_files"]["shared"]["repeats"]
    (fault,) = faults(raw)
    assert fault.startswith(
        "select_files.shared.repeat: unknown parameter (found 2); did you mean repeats? allowed: recipe, horizon_of, repeats"
    )


def test_all_faults_are_listed_at_once() -> None:
    raw = changed(filter_files__mask="yes", split_files__held_out_fraction=math.nan, pretrain__variants__general__schedule__kind="cosin")
    raw |= {"measure_bits_per_byte": None, 7: {}}
    del raw["embed_files"], raw["initialize_model"]
    told = faults(raw)
    assert [fault.split(":")[0] for fault in told] == [
        "7",
        "filter_files.mask",
        "split_files.held_out_fraction",
        "embed_files",
        "initialize_model",
        "pretrain.variants.general.schedule.kind",
        "measure_bits_per_byte",
    ]
    assert told[3].startswith("embed_files: missing; allowed: a mapping with encoder, pool_fraction, pool_seed, section_tokens")
    assert told[5].endswith("found 'cosin'; did you mean cosine? allowed: cosine, linear, constant")
    assert told[6].startswith("measure_bits_per_byte: found null, an empty section; allowed: a mapping with seed")


@pytest.mark.parametrize("value", [3, "text", [1], True])
def test_a_section_that_is_no_mapping_is_refused(value: Any) -> None:
    (fault,) = faults(PARAMS | {"select_files": value})
    assert fault.startswith("select_files: found ")
    assert "allowed: a mapping with shared, rules" in fault


NAMED_FILES = ["filter_files__opt_out", "filter_files__exceptions", "fetch_corpus__sources__wheels__lock", "fetch_positives__source__table"]


@pytest.mark.parametrize("path", NAMED_FILES)
def test_a_file_that_is_not_there_is_refused_by_its_key(path: str) -> None:
    told = faults(changed(**{path: "data/nowhere.csv"}))
    key = path.replace("sources__wheels", "source").replace("__", ".")  # of named sources, the chosen one's files must be there
    assert any(fault.startswith(f"{key}: found 'data/nowhere.csv', which does not exist in ") for fault in told)


def test_in_the_copy_of_an_experiment_the_repository_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path leads from there, and the copy is gone when its user looks."""
    repository, copy = tmp_path / "repository", tmp_path / "repository" / "copy"
    copy.mkdir(parents=True)
    monkeypatch.setenv("DVC_ROOT", str(repository))
    monkeypatch.chdir(copy)
    source = {"kind": "directory", "path": "../nowhere", "depth": 1}
    assert f"fetch_corpus.source.path: found '../nowhere', which does not exist in {repository}; allowed: an existing file or folder" in (
        faults(changed(fetch_corpus__source=source))
    )


def test_an_empty_path_is_no_file() -> None:
    assert "fetch_positives.source.lock: found ''; allowed: an existing file or folder" in faults(changed(fetch_positives__source__lock=""))


def test_files_in_unions_and_lists_are_looked_for() -> None:
    rows = {"kind": "jsonl", "path": "data/nowhere", "columns": {"content": "text"}}
    remote = rows | {"path": "s3://bucket/rows"}
    told = faults(changed(fetch_positives__source={"kind": "datasets", "high_quality": [remote, rows], "instruction": [remote]}))
    assert [fault.split(":")[0] for fault in told] == ["fetch_positives.source.high_quality.1.path"]
    judge = {"engine": {"kind": "scripted", "answers": "a.yaml"}, "max_characters": 1, "max_new_tokens": 1, "max_refused_fraction": 0.1}
    (answers,) = faults(changed(label_files=PARAMS["label_files"] | {"labeller": "engine", "judge": judge}))
    assert answers.startswith("label_files.judge.engine.answers: found 'a.yaml', which does not exist")


def test_as_a_program_it_lists_the_faults_and_loads_no_torch(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_text((ROOT / "dvc.yaml").read_text())
    (tmp_path / "params.yaml").write_text(
        (ROOT / "params.yaml").read_text().replace("repeats: 1", "repeats: -1").replace("data/opt_out", "x")
    )
    program = (
        "import sys\nfrom snowcoder.configuration.checking import main\n"
        "try:\n    main()\n"
        "finally:\n    assert not {'torch', 'transformers', 'numba', 'sklearn'} & sys.modules.keys()\n"
    )
    command = [sys.executable, "-c", program]
    found = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, check=False)
    assert found.returncode == 1
    lines = found.stderr.splitlines()
    assert "error: params.yaml: select_files.shared.repeats: found -1; allowed: a whole number from 1" in lines
    assert any(line.startswith("error: params.yaml: filter_files.opt_out: found 'x.csv', which does not exist") for line in lines)
    assert lines[-1] == f"{len(lines) - 1} to correct in params.yaml; nothing has been run"


def test_the_file_is_named_in_every_line(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text((ROOT / "params.yaml").read_text().replace("repeats: 1", "repeats: -1"))
    with pytest.raises(ParameterError, match=r"params\.yaml: select_files\.shared\.repeats: found -1"):
        check_params(path, ROOT)
