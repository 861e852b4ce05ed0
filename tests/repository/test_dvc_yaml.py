"""The graph: names, dependencies against the import closure, params against the models, known traps of DVC."""

from pathlib import Path
from typing import Any

import pytest

from snowcoder.pipeline.fingerprint import import_closure
from snowcoder.pipeline.params import read_yaml
from tools.update_stage_deps import CODE_FOLDERS, code_deps, script

ROOT = Path(__file__).resolve().parents[2]
STAGES: dict[str, Any] = read_yaml(ROOT / "dvc.yaml")["stages"]
NAMES = sorted(STAGES)
# what a page reads of a finished comparison: fixed before it runs, but a change of it trains nothing again
READ_BY_PAGES = {f"train_branches.{name}" for name in ("endpoint", "claims", "min_rank_correlation")}
OF_ANOTHER = {"measure_initial_bits_per_byte": "measure_bits_per_byte"}  # an entry that runs another's script: for what is no item of it


def outs(name: str) -> list[str]:
    """Paths of a stage's outputs, whether or not they carry options."""
    return [out if isinstance(out, str) else next(iter(out)) for out in [*body(name).get("outs", []), *body(name).get("plots", [])]]


def body(name: str) -> dict[str, Any]:
    return STAGES[name].get("do", STAGES[name])


@pytest.mark.parametrize("name", NAMES)
def test_deps_hold_the_import_closure_of_the_stage(name: str) -> None:
    listed = {dep for dep in body(name)["deps"] if dep.startswith(("src/", "stages/"))}
    if set(body(name)["deps"]) >= CODE_FOLDERS:
        assert name == "check_params", "its output is constant, so that running again costs a second; of another stage all code is too much"
        return
    needed = set(code_deps(name, script(body(name))))
    assert listed == needed, f"run `make deps`: missing {sorted(needed - listed)}, stale {sorted(listed - needed)}"
    closure = [path.relative_to(ROOT) for path in import_closure(ROOT / "stages" / f"{script(body(name))}.py")]
    assert all(listed & {str(path), str(path.parent)} for path in closure)


@pytest.mark.parametrize("called", NAMES)
def test_one_name_in_five_places(called: str) -> None:
    name = OF_ANOTHER.get(called, called)
    assert (ROOT / "stages" / f"{name}.py").exists()
    assert body(called)["cmd"].split()[:3] == ["sh", "stages/run.sh", name]
    for out in [*body(called)["outs"], *body(called).get("plots", [])]:
        path, options = (out, {}) if isinstance(out, str) else next(iter(out.items()))
        folder, entry = Path(path).parts[:2]
        assert entry.removesuffix(".json") == name or (name, folder) == ("report", "results")
        assert options == ({"cache": False} if folder in ("metrics", "results") else {}), path


def test_metrics_are_declared_as_plots_so_that_dvc_keeps_a_run_cache() -> None:
    """DVC writes no run cache for a stage with an output that it does not cache, unless that is a metric or a plot."""
    for name in set(NAMES) - {"report"}:
        assert all(isinstance(out, str) for out in body(name)["outs"]), name
        assert all(next(iter(out)).startswith("metrics/") for out in body(name).get("plots", [])), name


def test_one_summary_is_what_dvc_compares_and_its_plots_are_pictures() -> None:
    """More metrics make `dvc exp show` too wide to read; a plot that is no picture fetches its drawing code from outside."""
    assert {name: body(name)["metrics"] for name in NAMES if "metrics" in body(name)} == {
        "report": [{"results/summary.json": {"cache": False}}]
    }
    plots = read_yaml(ROOT / "dvc.yaml")["plots"]
    assert plots == [out for out in outs("report") if out.endswith((".png", ".svg"))] != []
    page = (ROOT / ".dvc" / "plots.html").read_text()
    assert "html_template = plots.html" in (ROOT / ".dvc" / "config").read_text()
    assert "{plot_divs}" in page
    assert "http" not in page


def test_every_stage_script_is_in_the_graph() -> None:
    scripts = {path.stem for path in (ROOT / "stages").glob("*.py")} - {"__init__"}
    assert scripts == set(NAMES) - OF_ANOTHER.keys()


def test_every_value_of_params_is_declared_by_a_stage() -> None:
    """A value that no stage declares can be changed, and nothing runs again."""
    declared = {name for stage in NAMES for name in body(stage).get("params", []) if isinstance(name, str)}
    assert_declared(read_yaml(ROOT / "params.yaml"), "", declared | READ_BY_PAGES)
    assert not declared & READ_BY_PAGES


def assert_declared(values: dict[str, Any], prefix: str, declared: set[str]) -> None:
    """Every leaf, or a mapping that it is in."""
    for key, value in values.items():
        parent, name = prefix.removesuffix("."), f"{prefix}{key}"
        if {name, f"{parent}.${{key}}"} & declared:
            continue
        if is_item := any(one.startswith(f"{parent}.${{key}}.") for one in declared):
            name = f"{parent}.${{key}}"
        assert isinstance(value, dict), f"{name}: no stage declares it"
        assert is_item or any(one.startswith(f"{name}.") for one in declared), f"{name}: no stage declares it"
        assert_declared(value, f"{name}.", declared)


@pytest.mark.parametrize("name", NAMES)
def test_items_are_read_from_params(name: str) -> None:
    """The ladder, the recipes and the rules are each written once."""
    assert STAGES[name].get("foreach") in (None, "${pretrain.variants}", "${train_annotator.recipes}", "${select_files.rules}")


def test_nothing_persists() -> None:
    assert "persist" not in (ROOT / "dvc.yaml").read_text(), "persist: true mixes the outputs of old and new parameters"


def test_every_stage_comes_after_the_check_of_params() -> None:
    """Those that read a path out of params say so themselves: where that leads nowhere, DVC finds no other way to the check."""
    producers = {out.split("$")[0]: name for name in NAMES for out in outs(name)}
    after = {"check_params"}
    for _ in NAMES:
        for name in NAMES:
            fixed = [dep for dep in body(name)["deps"] if "${" not in dep or "${item" in dep or "${key}" in dep]
            if any(dep.startswith(path) for dep in fixed for path, producer in producers.items() if producer in after):
                after.add(name)
    assert after == set(NAMES)
    for name in NAMES:
        if any("${" in dep and "${item" not in dep and "${key" not in dep for dep in body(name)["deps"]):
            assert "data/check_params" in body(name)["deps"], name


def test_the_check_sees_all_of_params_and_no_stage_but_it_depends_on_its_code() -> None:
    assert {"params.yaml": None} in body("check_params")["params"]
    for name in set(NAMES) - {"check_params"}:
        assert not any(dep.startswith("src/snowcoder/configuration/") for dep in body(name)["deps"]), name


def test_no_output_lies_inside_a_dependency() -> None:
    for name in NAMES:
        for out in [*outs(name), *(next(iter(entry)) for entry in body(name).get("metrics", []))]:
            for dep in body(name)["deps"]:
                assert not Path(out).is_relative_to(dep), f"{name}: {out} is inside {dep}"


def test_light_stages_import_no_torch() -> None:
    light = {"fetch_corpus", "measure_signals", "filter_files", "deduplicate_files", "decontaminate_files", "split_files"}
    light |= {"tokenize_files", "select_files"}
    for name in light:
        for path in import_closure(ROOT / "stages" / f"{name}.py"):
            text = path.read_text()
            assert "import torch" not in text, f"{name} reaches {path}"
            assert "import transformers" not in text, f"{name} reaches {path}"
