"""`make` and its help list every target and every environment variable of the code, and nothing else."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TARGETS = re.findall(r"^\.PHONY:(.*)$", (ROOT / "Makefile").read_text(), re.M)[0].split()


def make(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """`make` as on a machine that has nothing but the system's programs."""
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=folder, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [(), ("help",)])
def test_bare_make_and_help_install_nothing_and_list_every_target(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    result = make(*arguments, folder=tmp_path)
    assert result.returncode == 0, result.stderr
    assert re.findall(r"^make (\S+) ", result.stdout, re.M) == re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M)
    assert {path.name for path in tmp_path.iterdir()} == {"Makefile", "docs"}


def test_every_target_has_a_line_with_its_duration() -> None:
    lines = {line.split()[1]: line for line in make().stdout.splitlines() if line.startswith("make ")}
    assert set(lines) == set(TARGETS)
    for target in set(TARGETS) - {"help"}:
        assert re.search(r"\((.*(second|minute|hour)|until)", lines[target]), lines[target]


def test_every_environment_variable_of_the_code_is_listed() -> None:
    code = [*(ROOT / "src").rglob("*.py"), *(ROOT / "stages").glob("*.py"), *(ROOT / "tools").glob("*.*")]
    used = {name for path in code for name in re.findall(r"SNOWCODER_[A-Z_]*[A-Z]\b", path.read_text())}
    listed = re.findall(r"^(SNOWCODER_\w+) +\S.*\(default: .+\)$", make("help").stdout, re.M)
    assert sorted(listed) == sorted(used)


def test_the_graph_runs_between_the_repair_of_dvcs_files_and_the_copy_that_is_kept_of_them() -> None:
    recipe = make("--dry-run", "repro").stdout
    places = [recipe.index(command) for command in ("tools.dvc_state repair", "dvc repro &&", "tools.dvc_state keep", "show_results")]
    assert places == sorted(places)


def test_a_profile_is_asked_for_by_name() -> None:
    command = ["python", "tools/apply_profile.py"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0
    for name in ("nano", "toy", "h100", "paper", "make profile PROFILE="):
        assert name in result.stdout


@pytest.mark.parametrize("name", ["", "my venv"])
def test_an_environment_without_a_name_or_with_blanks_in_it_is_refused(name: str) -> None:
    """make would take the words for several, and nothing for the folder of the system's programs."""
    result = make(f"VENV={name}", "help")
    assert result.returncode == 2
    assert f'VENV: found "{name}"; allowed: one path without blanks' in result.stderr
