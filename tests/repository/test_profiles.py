"""Every profile passes the checks at the start of a run; `make profile` writes a reviewable diff, or nothing."""

import difflib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.hydra import apply_overrides

from snowcoder.configuration.checking import find_faults
from snowcoder.errors import ParameterError
from snowcoder.pipeline.params import load_section, read_yaml
from snowcoder.pretraining.model import ModelParams, llama_config
from snowcoder.selection.budgeted_selection import SelectionParams
from tools.apply_profile import apply_profile

ROOT = Path(__file__).resolve().parents[2]
PROFILES = ["nano", *sorted(path.stem for path in (ROOT / "profiles").glob("*.yaml"))]


def params_of(profile: str, tmp_path: Path) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text((ROOT / "params.yaml").read_text())
    if profile != "nano":
        apply_profile(ROOT / "profiles" / f"{profile}.yaml", path)
    return path


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_is_accepted(profile: str, tmp_path: Path) -> None:
    assert find_faults(params_of(profile, tmp_path), ROOT) == []


@pytest.mark.parametrize("profile", PROFILES)
def test_arms_and_controls_have_the_same_seed(profile: str, tmp_path: Path) -> None:
    """As committed, a control differs from its arm in its data alone; an experiment may give each a seed."""
    variants = read_yaml(params_of(profile, tmp_path))["pretrain"]["variants"]
    pairs = [(variants[variant["control_of"]], variant) for variant in variants.values() if "control_of" in variant]
    assert len(pairs) == 2
    for arm, control in pairs:
        assert {name for name in control if control[name] != arm.get(name)} == {"control_of", "packs"}


@pytest.mark.parametrize("profile", ["h100", "paper"])
def test_the_selection_is_seen_four_times_as_in_table_6(profile: str, tmp_path: Path) -> None:
    params = load_section("select_files.shared", SelectionParams, params_of(profile, tmp_path))
    unique_tokens = params.horizon_tokens // params.repeats
    assert (params.repeats, params.horizon_tokens) == (4, pytest.approx(4 * unique_tokens, abs=4))


@pytest.mark.parametrize("profile", PROFILES)
def test_a_control_has_the_language_mix_of_its_arm(profile: str, tmp_path: Path) -> None:
    variants = read_yaml(params_of(profile, tmp_path))["pretrain"]["variants"]
    for control in (variant for variant in variants.values() if "control_of" in variant):
        packs, theirs = control["packs"], variants[control["control_of"]]["packs"]
        assert all(packs[key] == theirs[key] for key in ("languages", "python_fraction"))


@pytest.mark.parametrize("profile", PROFILES[1:])
def test_only_the_profile_s_own_values_change(profile: str, tmp_path: Path) -> None:
    paths = [ROOT / "params.yaml", params_of(profile, tmp_path), ROOT / "profiles" / f"{profile}.yaml"]
    old, new, own = (dict(leaves(read_yaml(path))) for path in paths)
    for name in {name for name in old | new if (name in old, old.get(name)) != (name in new, new.get(name))}:
        is_of_a_kind = f"{name.rpartition('.')[0]}.kind" in own  # such a mapping replaces the other
        assert is_of_a_kind or any(f"{key}.".startswith(f"{name}.") for key in own), name
    before, after = (path.read_text().splitlines() for path in paths[:2])
    assert [line for line in before if line.lstrip().startswith("#")] == [line for line in after if line.lstrip().startswith("#")]


@pytest.mark.parametrize("profile", PROFILES)
def test_the_file_is_laid_out_as_dvc_writes_it(profile: str, tmp_path: Path) -> None:
    """So that an experiment with a changed value changes its line alone."""
    path = params_of(profile, tmp_path)
    before = path.read_text().splitlines()
    numbers = [(name, value) for name, value in leaves(read_yaml(path)) if type(value) in (int, float)]
    assert len(numbers) > 100
    apply_overrides(path, [f"{name}={2 * value + 1}" for name, value in numbers])
    changed = [line for line in difflib.ndiff(before, path.read_text().splitlines()) if line.startswith(("- ", "+ "))]
    assert len(changed) == 2 * len(numbers), changed


def leaves(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted path, value) of all that is no mapping."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


@pytest.mark.parametrize("value", ["[python,c]", "null", "data/none", "[]"])
def test_a_value_that_is_no_number_changes_its_own_lines(value: str, tmp_path: Path) -> None:
    """What follows a list is lost when DVC replaces it: no comment and no section follows one."""
    names = [name for name, old in leaves(read_yaml(ROOT / "params.yaml")) if isinstance(old, list) or old is None]
    assert len(names) > 10
    for name in names:
        path = params_of("nano", tmp_path)
        before = path.read_text().splitlines()
        apply_overrides(path, [f"{name}={value}"])
        after = path.read_text().splitlines()
        kept = [line for line in before if line.startswith("#") or line[:1].isalpha() or not line]
        assert [line for line in after if line.startswith("#") or line[:1].isalpha() or not line] == kept, name


SCHEDULE = """        kind: linear
        peak_learning_rate: 0.0003
        final_learning_rate: 0.0
        warmup_steps: 10
"""


@pytest.mark.parametrize("variant", ["continued", "continued_random"])
def test_a_value_that_an_anchor_ties_to_another_is_not_changed_behind_the_user_s_back(variant: str, tmp_path: Path) -> None:
    params, profile = params_of("nano", tmp_path), tmp_path / "mine.yaml"
    text = params.read_text().replace(f"schedule:\n{SCHEDULE}", f"schedule: &same\n{SCHEDULE}", 1)
    params.write_text(text.replace(f"schedule:\n{SCHEDULE}", "schedule: *same\n", 1))
    before = params.read_text()
    short = "{schedule: {warmup_steps: 2}}"
    profile.write_text(f"pretrain: {{variants: {{{variant}: {short}}}}}\n")
    other = {"continued": "continued_random", "continued_random": "continued"}[variant]
    with pytest.raises(ParameterError, match=rf"pretrain\.variants\.{other}\.schedule\.warmup_steps would become 2 instead of 10"):
        apply_profile(profile, params)
    assert params.read_text() == before
    profile.write_text(f"pretrain: {{variants: {{continued: {short}, continued_random: {short}}}}}\n")
    apply_profile(profile, params)
    variants = read_yaml(params)["pretrain"]["variants"]
    assert [variants[name]["schedule"]["warmup_steps"] for name in ("continued", "continued_random")] == [2, 2]


def test_paper_profile_builds_the_model_of_table_1(tmp_path: Path) -> None:
    import torch
    from transformers import LlamaForCausalLM

    params = load_section("initialize_model", ModelParams, params_of("paper", tmp_path))  # the vocabulary is train_tokenizer's
    with torch.device("meta"):
        model = LlamaForCausalLM(llama_config(params))
    assert (params.layers, params.hidden_size, params.ffn_size, params.heads, params.vocab_size) == (24, 2048, 5632, 16, 64_000)
    # 1.233B without the tied embedding of 0.131B
    assert sum(parameter.numel() for parameter in model.parameters()) == 1_364_297_728


def test_a_profile_may_not_bring_in_unknown_keys(tmp_path: Path) -> None:
    (tmp_path / "odd.yaml").write_text("pretrain: {variants: {genral: {tokens: 1}}}\n")
    path = params_of("nano", tmp_path)
    with pytest.raises(ParameterError, match=r"odd\.yaml: pretrain\.variants\.genral: unknown parameter; did you mean general\?"):
        apply_profile(tmp_path / "odd.yaml", path)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A Git repository of what `make profile` reads."""
    for name in ("dvc.yaml", "data"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    (tmp_path / "profiles").mkdir()
    for path in (ROOT / "profiles").glob("*.yaml"):
        (tmp_path / "profiles" / path.name).write_text(path.read_text())
    (tmp_path / "profiles" / "broken.yaml").write_text("# Refused\nselect_files: {shared: {repeats: -1}}\n")
    for command in ("init -q", "add params.yaml", "-c user.name=test -c user.email=test@example.org commit -q -m nano"):
        subprocess.run(["git", *command.split()], cwd=tmp_path, check=True)
    return tmp_path


def make_profile(repository: Path, *names: str) -> tuple[int, str]:
    """(exit status, what is printed) of the command behind `make profile`."""
    environment = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PATH": "/usr/bin:/bin"}
    command = [sys.executable, str(ROOT / "tools/apply_profile.py"), *names]
    found = subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True, check=False)
    return found.returncode, found.stdout + found.stderr


def test_without_a_name_the_profiles_are_listed_and_an_unknown_one_is_refused(repository: Path) -> None:
    status, told = make_profile(repository)
    assert status == 0
    assert [line.split()[0] for line in told.splitlines()] == ["nano", "broken", *PROFILES[1:], "make"]
    assert "toy     The whole graph in a few minutes, for tests." in told
    status, told = make_profile(repository, "papr")
    assert (status, told) == (1, "error: profile: found 'papr'; did you mean paper? allowed: nano, broken, h100, paper, small, toy\n")


def test_nano_restores_the_committed_file_and_loses_nothing(repository: Path) -> None:
    committed = (repository / "params.yaml").read_text()
    status, told = make_profile(repository, "toy")
    assert status == 0
    assert "already had changes" not in told
    toy = (repository / "params.yaml").read_text()
    assert toy != committed
    assert "It already had changes, and keeps those that profiles/h100.yaml does not set." in make_profile(repository, "h100")[1]
    (repository / "params.yaml").write_text(toy)
    assert make_profile(repository, "nano")[0] == 0
    assert (repository / "params.yaml").read_text() == committed
    assert (repository / ".work" / "params.yaml.replaced").read_text() == toy
    assert "already as committed" in make_profile(repository, "nano")[1]


def test_a_profile_with_a_refused_value_changes_nothing(repository: Path) -> None:
    before = (repository / "params.yaml").read_text()
    status, told = make_profile(repository, "broken")
    assert status == 1
    assert "profiles/broken.yaml: params.yaml would be refused with it" in told
    assert "select_files.shared.repeats: found -1; allowed: a whole number from 1" in told
    assert (repository / "params.yaml").read_text() == before
