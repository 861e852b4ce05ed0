"""The table of experiments: what differs first, whole names in 120 columns."""

from typing import Any

import pytest
from rich.console import Console

from tools.compare_experiments import Experiment, blocks, compare, print_comparison, read_experiments

NAMES = [f"percent_against_control_on_validation.{name}" for name in ("continued", "enhanced")]


def state(name: str | None, repeats: int, percent: float | None, **more: Any) -> dict[str, Any]:
    """As `dvc exp show --json` has it."""
    numbers = {} if percent is None else {"data": {"percent_against_control_on_validation": {"continued": percent, "enhanced": -1.0}}}
    params = {"params.yaml": {"data": {"select_files": {"shared": {"repeats": repeats, "seed": 1}}}}}
    return {
        "rev": "f00dcafe" * 5 if name else "workspace",
        "name": name,
        "data": {"params": params, "metrics": {"results/summary.json": numbers}},
        **more,
    }


def experiment(name: str, repeats: int, percent: float | None, status: str | None = None) -> dict[str, Any]:
    return {"name": name, "revs": [state(name, repeats, percent)], "executor": status and {"state": status}}


def test_parameters_come_before_numbers_and_what_is_the_same_is_left_out() -> None:
    children = [experiment("twice", 2, -3.0), experiment("waiting", 3, None, "queued")]
    shown = [state(None, 2, -3.0, experiments=None), state("main", 1, -2.0, experiments=children)]
    found = read_experiments(shown)
    assert [one.title for one in found] == ["main", "twice", "waiting (queued)"], "the workspace is `twice`"
    rows, same = compare(found)
    assert rows == [["select_files.shared.repeats", "1", "2", "3"], [NAMES[0], "-2.0", "-3.0", "-"]]
    assert same == [f"{NAMES[1]} -1.0"]


def test_a_workspace_that_is_no_experiment_comes_last() -> None:
    shown = [state(None, 4, -9.0, experiments=None), state("main", 1, -2.0, experiments=[experiment("twice", 2, -3.0)])]
    assert [one.title for one in read_experiments(shown)] == ["main", "twice", "workspace"]


def test_a_commit_without_data_has_no_values() -> None:
    broken = {"rev": "0123456789" * 4, "name": None, "data": None, "experiments": None}
    assert read_experiments([state(None, 1, 1.0, experiments=None), broken])[0] == Experiment("012345678", {}, {})


@pytest.mark.parametrize("width", [80, 120])
def test_many_experiments_fit_in_blocks_that_each_begin_with_the_first(width: int, capsys: pytest.CaptureFixture[str]) -> None:
    found = [Experiment("main", {"a.b": "1"}, dict.fromkeys(NAMES, "-2.25"))]
    found += [Experiment(f"experiment-{n}", {"a.b": str(n)}, dict.fromkeys(NAMES, f"-{n}.25")) for n in range(2, 12)]
    print_comparison(Console(width=width, markup=False), found)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    heads = [line.split() for line in lines if "experiment-" in line]
    assert [head[0] for head in heads] == ["main"] * len(heads)
    assert [name for head in heads for name in head[1:]] == [one.title for one in found[1:]]
    for name in NAMES:
        assert sum(line.startswith(f"{name} ") for line in lines) == len(heads)


def test_an_experiment_wider_than_the_terminal_has_a_block_for_itself() -> None:
    assert blocks(["main", "a" * 99, "b"], [["name", "1", "2", "3"]], 30) == [[0, 1], [0, 2]]
