"""The whole graph at toy scale: one real `dvc repro` in a temporary clone, and what users rely on afterwards.

Slow by nature (about fifty stage processes), but in the default run: it is the one test that everything is connected. What needs an
experiment on top is left to the slow tests.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from snowcoder.pipeline.params import read_yaml
from tests.repository.test_ladder import OF_A_RECIPE, OF_A_VARIANT, add_control, add_recipe, add_variant
from tools.apply_profile import apply_profile

ROOT = Path(__file__).resolve().parents[2]
VARIANTS = ("general", "continued", "continued_random", "enhanced", "enhanced_selected")


class Clone:
    """A temporary copy of the working tree with a Git history of its own, at the toy profile."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "SNOWCODER_TRACKING_STRICT": "1",
            "DVC_NO_ANALYTICS": "1",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "OMP_WAIT_POLICY": "passive",
        }
        for name in (
            "DVC_ROOT",
            "DVC_STAGE",
            "SNOWCODER_WORK_DIR",
            "MLFLOW_TRACKING_URI",
            "PYTHONPATH",
            "OMP_NUM_THREADS",
            "SNOWCODER_TRACKING",
        ):
            self.environment.pop(name, None)

    def run(self, *command: str) -> str:
        result = subprocess.run(command, cwd=self.root, env=self.environment, capture_output=True, text=True, check=False)
        assert result.returncode == 0, f"{' '.join(command)}\n{result.stdout[-3000:]}\n{result.stderr[-6000:]}"
        return result.stdout + result.stderr

    def metrics(self, name: str) -> dict[str, object]:
        return json.loads((self.root / "metrics" / f"{name}.json").read_text())


def working_tree_files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    root = tmp_path_factory.mktemp("clone")
    for name in working_tree_files():
        if name != "dvc.lock" and not name.startswith(("metrics/", "results/")):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
    apply_profile(root / "profiles" / "toy.yaml", root / "params.yaml")
    made = Clone(root)
    for command in (
        "git init --quiet",
        "git config user.email test@example.org",
        "git config user.name test",
        "git add -A",
        "git commit --quiet -m toy",
    ):
        made.run(*command.split())
    made.run("dvc", "repro")
    return made


def test_a_second_repro_runs_nothing(clone: Clone) -> None:
    assert "Running stage" not in clone.run("dvc", "repro")


def changed_stages(clone: Clone) -> set[str]:
    """Stages that `dvc status` would run again, without what hangs on them alone."""
    return {name.partition("@")[0] for name in json.loads(clone.run("dvc", "status", "--json"))}


HARNESS = ("errors.py", "pipeline/stage.py", "pipeline/execution.py", "tracking/record.py", "pretraining/watch/pace.py")


# a component's module -> the stages that list it
RERUN_BY = {
    "filtering/rules.py": {"measure_signals", "filter_files", "score_baselines"},
    "pretraining/loop.py": {"pretrain", "train_branches"},
}


@pytest.mark.parametrize("module", [*HARNESS, *RERUN_BY])
def test_a_log_line_in_the_harness_reruns_nothing_and_one_in_a_component_does(clone: Clone, module: str) -> None:
    """The check of the params watches all code; its output is constant, so that nothing runs because it ran."""
    path = clone.root / "src" / "snowcoder" / module
    before = path.read_text()
    path.write_text(f"{before}\nprint('a log line')\n")
    try:
        found = changed_stages(clone) - {"check_params"}
    finally:
        path.write_text(before)
    assert found == RERUN_BY.get(module, set())


def test_every_stage_left_its_metrics(clone: Clone) -> None:
    for stage in ("filter_files", "deduplicate_files", "decontaminate_files"):
        metrics = clone.metrics(stage)
        assert metrics["rows_in"] == metrics["rows_out"] + sum(metrics["dropped"].values())  # type: ignore[operator, attr-defined]
    for variant in VARIANTS:
        assert clone.metrics(f"execute_completions/{variant}")["humaneval"]["total"] == 164  # type: ignore[index]
        assert set(clone.metrics(f"measure_bits_per_byte/{variant}")) >= {"humaneval", "validation", "held_out"}
    assert (clone.root / "results" / "report.html").stat().st_size > 10_000


def test_training_beats_the_initial_weights_even_at_toy_scale(clone: Clone) -> None:
    initial, general = (clone.metrics(f"measure_bits_per_byte/{name}") for name in ("initial", "general"))
    for name in ("humaneval", "validation", "held_out"):
        assert general[name]["bits_per_byte"] < initial[name]["bits_per_byte"]  # type: ignore[index]


@pytest.fixture(scope="module")
def experiment_output(clone: Clone) -> str:
    """What an experiment with one changed value printed."""
    return clone.run("dvc", "exp", "run", "--temp", "--name", "twice", "-S", "select_files.shared.repeats=2")


@pytest.mark.slow
def test_one_changed_value_reruns_only_what_depends_on_it(clone: Clone, experiment_output: str) -> None:
    ran = {line.split("'")[1] for line in experiment_output.splitlines() if line.strip().startswith("Running stage")}
    assert {"select_files@selected", "pack_tokens@continued", "pretrain@continued", "pretrain@enhanced", "report"} <= ran
    untouched = {
        "fetch_corpus",
        "embed_files",
        "score_files@HQINS",
        "pack_tokens@general",
        "pretrain@general",
        "measure_bits_per_byte@general",
    }
    assert ran.isdisjoint(untouched)
    changed = clone.run("git", "diff", "--numstat", "HEAD", experiment_revision(clone, "twice"), "--", "params.yaml")
    assert changed.split() == ["1", "1", "params.yaml"]
    assert read_yaml(clone.root / "params.yaml")["select_files"]["shared"]["repeats"] != 2


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["EDU", "INS", "HQ"])
def test_another_recipe_is_one_experiment_that_trains_and_embeds_nothing(clone: Clone, recipe: str) -> None:
    """The stages after select_files are left to the test above: they hang on the selection alone."""
    output = clone.run(
        "dvc", "exp", "run", "--temp", "--name", f"recipe-{recipe}", "-S", f"select_files.shared.recipe={recipe}", "select_files"
    )
    ran = {line.split("'")[1] for line in output.splitlines() if line.strip().startswith("Running stage")}
    assert ran == {"check_params", "select_files@selected", "select_files@random"}
    locked = read_lock(clone, f"recipe-{recipe}")
    before = read_yaml(clone.root / "dvc.lock")["stages"]
    assert locked["select_files@selected"]["outs"] != before["select_files@selected"]["outs"]
    # without a committed dvc.lock, as here, an experiment's own names only the stages that its target needs
    assert {"embed_files", "label_files", f"train_annotator@{recipe}", f"score_files@{recipe}"} <= locked.keys()
    for stage in locked.keys() - ran:
        assert locked[stage] == before[stage], stage
    # the control is drawn by content: another recipe changes its column of scores and none of its files
    metrics = json.loads(clone.run("git", "show", f"{experiment_revision(clone, f'recipe-{recipe}')}:metrics/select_files/random.json"))
    assert {name: metrics[name] for name in ("tokens", "files")} == {
        name: clone.metrics("select_files/random")[name] for name in ("tokens", "files")
    }


def experiment_revision(clone: Clone, name: str) -> str:
    """The commit of an experiment."""
    lines = clone.run("git", "for-each-ref", "--format=%(refname)", "refs/exps").split()
    (reference,) = [line for line in lines if line.endswith(f"/{name}")]
    return reference


def read_lock(clone: Clone, name: str) -> dict[str, Any]:
    """Stages of an experiment's dvc.lock."""
    text = clone.run("git", "show", f"{experiment_revision(clone, name)}:dvc.lock")
    return YAML(typ="safe", pure=True).load(text)["stages"]


@pytest.fixture(scope="module")
def queued_arms(clone: Clone) -> list[str]:
    """A sweep of two arms through the queue; the code is broken after it was queued, which must not matter."""
    clone.run("dvc", "exp", "run", "--queue", "--name", "sweep", "-S", "select_files.shared.repeats=1,2")
    broken = clone.root / "stages" / "select_files.py"
    whole = broken.read_text()
    try:
        broken.write_text("raise RuntimeError('edited after the experiment was queued')\n")
        clone.run("dvc", "queue", "start")
        deadline = time.monotonic() + 1500
        while any(status in clone.run("dvc", "queue", "status") for status in ("Queued", "Running")):
            assert time.monotonic() < deadline, clone.run("dvc", "queue", "status")
            time.sleep(3)
    finally:
        broken.write_text(whole)
    return [line.split()[1] for line in clone.run("dvc", "queue", "status").splitlines() if "Success" in line]


@pytest.mark.slow
def test_a_queued_sweep_runs_the_code_that_was_committed(clone: Clone, queued_arms: list[str]) -> None:
    assert sorted(queued_arms) == ["sweep-1", "sweep-2"], clone.run("dvc", "queue", "status")


@pytest.mark.slow
@pytest.mark.usefixtures("experiment_output", "queued_arms")
def test_every_run_is_in_mlflow_under_the_one_summary_of_its_experiment(clone: Clone) -> None:
    clone.run("python", "tools/sync_tracking.py")
    query = (
        "import mlflow, json\n"
        f"mlflow.set_tracking_uri('sqlite:///{clone.root}/.work/mlflow.db')\n"
        "runs = mlflow.search_runs(search_all_experiments=True, output_format='list')\n"
        "print(json.dumps([[r.info.run_id, r.info.run_name, r.data.tags, r.data.params] for r in runs]))"
    )
    runs = json.loads(clone.run("python", "-c", query).strip().splitlines()[-1])
    summaries = {
        run_id: (name.split(" on ")[0], params.get("select_files.shared.repeats"))
        for run_id, name, tags, params in runs
        if "summary" in tags
    }
    assert {f"{variant}: pretrain" for variant in VARIANTS} <= {name for _, name, _, _ in runs}
    assert {tags["mlflow.parentRunId"] for run_id, _, tags, _ in runs if run_id not in summaries} <= summaries.keys()
    head, toy = clone.run("git", "rev-parse", "HEAD")[:7], str(read_yaml(clone.root / "params.yaml")["select_files"]["shared"]["repeats"])
    # `twice` and `sweep-2` have the same parameters on the same commit
    assert sorted(summaries.values()) == sorted([(head, toy), ("repeats=1", "1"), ("repeats=2", "2")])


def test_checkpoints_load_in_a_plain_shell(clone: Clone) -> None:
    script = (
        "from transformers import AutoModelForCausalLM, AutoTokenizer\n"
        f"for variant in {VARIANTS!r}:\n"
        "    folder = f'models/pretrain/{variant}'\n"
        "    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)\n"
        "    ids = tokenizer('def add(a, b):', return_tensors='pt')\n"
        "    assert tokenizer.decode(ids['input_ids'][0]) == 'def add(a, b):'\n"
        "    assert model.generate(**ids, max_new_tokens=4).shape[1] > ids['input_ids'].shape[1]\n"
    )
    clone.run("python", "-c", script)


@pytest.fixture(scope="module")
def second(clone: Clone, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A second clone, which has pulled all outputs from a folder that the first one pushed to; as docs/experiments.md says."""
    folder = tmp_path_factory.mktemp("shared")
    made = Clone(folder / "second")
    clone.run("dvc", "remote", "add", "--local", "-d", "store", str(folder / "store"))
    clone.run("dvc", "push")
    clone.run("git", "clone", "--quiet", str(clone.root), str(made.root))
    for name in ("dvc.lock", "metrics", "results"):
        source = clone.root / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, made.root / name)
    made.run("dvc", "remote", "add", "-d", "store", str(folder / "store"))
    made.run("dvc", "pull")
    return made


@pytest.mark.slow
def test_a_second_clone_pulls_and_runs_nothing(second: Clone) -> None:
    assert "Running stage" not in second.run("dvc", "repro")
    assert (second.root / "models" / "pretrain" / "enhanced" / "model.safetensors").exists()


@pytest.mark.slow
def test_collecting_garbage_leaves_the_work_folder_and_reruns_nothing(second: Clone) -> None:
    answers = second.root / ".work" / "responses" / "synthesize_documents.jsonl"
    answers.parent.mkdir(parents=True)
    answers.write_text("answers that were paid for\n")
    second.run("dvc", "exp", "run", "--temp", "--name", "passing", "-S", "select_files.shared.repeats=3", "select_files")
    second.run("dvc", "exp", "remove", "passing")
    second.run("dvc", "gc", "--workspace", "--force")
    assert "Running stage" not in second.run("dvc", "repro")
    assert answers.read_text() == "answers that were paid for\n"


@pytest.mark.slow
def test_a_second_run_of_the_same_stage_names_the_first(second: Clone) -> None:
    command = ["dvc", "repro", "--force", "--single-item", "train_tokenizer"]
    with subprocess.Popen(command, cwd=second.root, env=second.environment, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert any(line.startswith("Running stage") for line in first.stdout)
        other = subprocess.run(command, cwd=second.root, env=second.environment, capture_output=True, text=True, check=False)
        first.communicate()
    assert first.returncode == 0
    if other.returncode:  # else the first one had already ended
        assert "is busy, it is being blocked by" in other.stderr
        assert str(first.pid) in other.stderr
    assert "Running stage" not in second.run("dvc", "repro", "train_tokenizer")


@pytest.mark.slow
def test_a_variant_a_control_and_a_recipe_are_one_edit_each(second: Clone) -> None:
    """The last test of this clone: it leaves their outputs there."""
    params = second.root / "params.yaml"
    variants, recipe = [edit(params) for edit in (add_variant, add_control)], add_recipe(params)
    ran = {line.split("'")[1] for line in second.run("dvc", "repro").splitlines() if line.startswith("Running stage")}
    of_variants = {f"{stage}@{name}" for stage in OF_A_VARIANT for name in variants}
    of_recipe = {f"{stage}@{recipe}" for stage in OF_A_RECIPE}
    # measure_floors measures all variants; train_branches may choose by any recipe
    once = {"check_params", "compare_annotators", "measure_floors", "train_branches", "report"}
    assert ran == once | of_variants | of_recipe
    report = (second.root / "results" / "report.md").read_text()
    assert all(name in report for name in [*variants, recipe])
    assert "Running stage" not in second.run("dvc", "repro")
