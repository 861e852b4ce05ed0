"""Every stage has one shape: params, a nested build, run_stage; its paths follow from its name."""

import ast
from pathlib import Path

import pytest

from snowcoder.pipeline.params import read_yaml
from snowcoder.pipeline.stage import metrics_path, output_path

ROOT = Path(__file__).resolve().parents[2]
STAGES = sorted(path for path in (ROOT / "stages").glob("*.py") if path.stem != "__init__")
GRAPH = read_yaml(ROOT / "dvc.yaml")["stages"]
OWN_PATHS = {"check_params", "report"}  # without metrics; into results/


@pytest.mark.parametrize("path", STAGES, ids=lambda path: path.stem)
def test_a_stage_is_main_with_a_nested_build(path: Path) -> None:
    tree = ast.parse(path.read_text())
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert [function.name for function in functions] == ["main"]
    assert [argument.arg for argument in functions[0].args.args] in ([], ["item"])
    assert ast.get_docstring(functions[0]) is None, "the module's docstring says what the stage does"
    build = next(node for node in functions[0].body if isinstance(node, ast.FunctionDef))
    assert (build.name, [argument.arg for argument in build.args.args]) == ("build", ["run"])


@pytest.mark.parametrize("path", STAGES, ids=lambda path: path.stem)
def test_a_stage_calls_run_stage_by_its_own_name_and_leaves_its_paths_to_it(path: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    [call] = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "run_stage"]
    name = call.args[0]
    assert isinstance(name, ast.Constant)
    assert name.value == path.stem
    assert [keyword.arg for keyword in call.keywords] == (["outputs"] if path.stem in OWN_PATHS else [])
    assert isinstance(call.args[3], ast.Name)
    assert call.args[3].id == "build"


@pytest.mark.parametrize("name", sorted(GRAPH))
def test_the_graph_has_the_paths_that_follow_from_the_name(name: str) -> None:
    entry = GRAPH[name].get("do", GRAPH[name])
    _, _, stage, *item = entry["cmd"].split()
    if stage == "report":
        return
    outs = {out if isinstance(out, str) else next(iter(out)) for out in [*entry["outs"], *entry.get("plots", [])]}
    expected = [output_path(stage, item[-1] if item else None), metrics_path(stage, item[-1] if item else None)]
    assert outs == {str(path) for path in expected[: 1 if stage in OWN_PATHS else 2]}
