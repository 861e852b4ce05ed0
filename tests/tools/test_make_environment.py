"""tools/make_environment.sh: refuses an unsuitable interpreter by name, makes an environment once, and remakes it when needed.

A tiny project with its own build backend replaces the real one: its environments need no package index.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "make_environment.sh"
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "tiny"
version = "1"
[project.optional-dependencies]
dev = []
gpu = []
"""
BACKEND = '''
import zipfile
from pathlib import Path

def build_editable(folder, config_settings=None, metadata_directory=None):
    """A wheel that holds nothing but its metadata."""
    name = "tiny-1-py3-none-any.whl"
    needs = "".join(f"Requires-Dist: {line}\\n" for line in Path("needs.txt").read_text().split())
    extras = "Provides-Extra: dev\\nProvides-Extra: gpu\\n"
    with zipfile.ZipFile(Path(folder, name), "w") as wheel:
        wheel.writestr("tiny-1.dist-info/METADATA", f"Metadata-Version: 2.1\\nName: tiny\\nVersion: 1\\n{needs}{extras}")
        wheel.writestr("tiny-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("tiny-1.dist-info/RECORD", "")
    return name
'''


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in {"pyproject.toml": PROJECT, "backend.py": BACKEND, "constraints.txt": "", "needs.txt": ""}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def make(project: Path, python: str = "", extras: str = "dev", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script as make does; no index is asked unless `environment` says otherwise."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "VIRTUAL_ENV"))}
    settings = clean | {"PIP_NO_INDEX": "1", "SNOWCODER_TORCH_INDEX": "", "PIP_CONFIG_FILE": os.devnull} | environment
    command = ["sh", str(SCRIPT), ".venv", extras, python]
    return subprocess.run(command, cwd=project, env=settings, capture_output=True, text=True, timeout=120)


def pretend_version(path: Path, version: str) -> Path:
    """An interpreter that claims a version."""
    path.write_text(f"#!/bin/sh\necho {version}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("version", ["2.7", "3.10", "3.14"])
def test_an_interpreter_of_another_version_is_refused_before_anything_is_made(project: Path, version: str) -> None:
    python = pretend_version(project / "python-of-another-version", version)
    done = make(project, str(python))
    assert done.returncode == 1
    assert f"is Python {version}; snowcoder needs 3.11, 3.12 or 3.13" in done.stderr
    assert "PYTHON=" in done.stderr
    assert not (project / ".venv").exists()


@pytest.mark.parametrize("extras", ["dev,gpus", "dev, gpus", "dev gpus", "gpus"])
def test_an_extra_that_there_is_not_is_refused(project: Path, extras: str) -> None:
    """pip would warn in its log, install the rest, and the machine would be taken for one without a GPU."""
    done = make(project, "no-such-python", extras)
    assert done.returncode == 1
    assert done.stderr == "error: EXTRAS: found 'gpus'; allowed: dev gpu, joined by commas: make EXTRAS=dev,gpu ...\n"


def test_extras_may_be_joined_by_blanks(project: Path) -> None:
    pretend_version(project / "python3", "3.11")
    for extras in ("dev gpu", "dev, gpu", "dev,gpu"):
        told = make(project, str(project / "python3"), extras).stderr
        assert "installing .[dev,gpu] into .venv" in told


def test_an_interpreter_that_is_missing_or_does_not_start_is_refused(project: Path) -> None:
    assert "no-such-python: not found" in make(project, "no-such-python").stderr
    broken = project / "broken"
    broken.write_text("#!/bin/sh\necho this shim has no version >&2\nexit 127\n")
    broken.chmod(0o755)
    assert "does not start (this shim has no version)" in make(project, str(broken)).stderr


@pytest.mark.slow
def test_an_environment_is_made_once_and_follows_the_pins(project: Path) -> None:
    first = make(project, sys.executable)
    assert first.returncode == 0, first.stderr
    assert "installing .[dev]" in first.stderr
    assert make(project).stderr == "", "up to date: nothing to do, whatever `python3` is"
    (project / "constraints.txt").write_text("six==1.17.0\n")
    assert "installing" in make(project).stderr
    assert make(project).stderr == ""
    assert "installing .[dev,gpu]" in make(project, extras="dev,gpu").stderr
    assert make(project, extras="dev").stderr == "", "what has more extras serves those who ask for fewer"


@pytest.mark.slow
def test_an_environment_of_another_version_half_made_or_moved_is_made_anew(project: Path) -> None:
    make(project, sys.executable)
    pretend_version(project / "other", "3.12" if sys.version_info[:2] != (3, 12) else "3.13")
    (project / ".venv/bin/python").unlink()
    (project / "other").rename(project / ".venv/bin/python")
    again = make(project, sys.executable)
    assert again.returncode == 0, again.stderr
    assert "making it anew" in again.stderr

    (project / ".venv/bin/pip").unlink()  # as if `venv` had been killed
    assert "installing" in make(project, sys.executable).stderr
    pip = project / ".venv/bin/pip"
    pip.write_text(pip.read_text().replace(str(project), "/moved/away"))
    assert "installing" in make(project, sys.executable).stderr
    assert make(project).stderr == ""


SHORT = "#!{0}/.venv/bin/python\n"
LONG = "#!/bin/sh\n'''exec' {0}/.venv/bin/python \"$0\" \"$@\"\n' '''\n"
WITH_BLANKS = "#!/bin/sh\n'''exec' \"{0}/.venv/bin/python\" \"$0\" \"$@\"\n' '''\n"


@pytest.mark.parametrize(("name", "first_lines"), [("here", SHORT), ("here", LONG), ("with two blanks", WITH_BLANKS)])
def test_an_environment_that_was_moved_or_copied_is_known_by_its_scripts(project: Path, name: str, first_lines: str) -> None:
    """Its own folder is where it does nothing; elsewhere a `python3` of another version shows by its refusal that it would be made anew."""
    folder = project / name
    (folder / ".venv/bin").mkdir(parents=True)
    for file in ("pyproject.toml", "constraints.txt"):
        (project / file).rename(folder / file)
    (folder / ".venv/bin/pip").write_text(first_lines.format(folder))
    (folder / ".venv/bin/python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (folder / ".venv/bin/python").chmod(0o755)
    digest = subprocess.run(
        ["sh", "-c", "{ cat pyproject.toml constraints.txt; echo; } | cksum"], cwd=folder, capture_output=True, text=True
    )
    (folder / ".venv/.installed").write_text(f"{digest.stdout.strip()} extras dev\n")
    (project / "other").mkdir()
    pretend_version(project / "other/python3", "3.10")
    path = f"{project / 'other'}:{os.environ['PATH']}"
    assert make(folder, PATH=path).stderr == ""
    (project / "link").symlink_to(folder)
    assert make(project / "link", PATH=path).stderr == "", "another name of the same folder"
    shutil.copytree(folder, project / "copied")
    assert "python3 is Python 3.10" in make(project / "copied", PATH=path).stderr, "its scripts would start what it was copied from"
    folder.rename(project / "moved")
    assert "python3 is Python 3.10" in make(project / "moved", PATH=path).stderr, "its scripts would start nothing"


@pytest.mark.slow
def test_pips_own_reason_is_shown(project: Path) -> None:
    (project / "needs.txt").write_text("no-such-package==1")
    done = make(project, sys.executable)
    assert done.returncode == 1
    assert "No matching distribution found for no-such-package==1" in done.stderr
    assert "pip could not install .[dev] with Python 3" in done.stderr
    (project / "needs.txt").write_text("")
    assert make(project, sys.executable).returncode == 0, "a failed installation is not taken for a finished one"


@pytest.mark.slow
@pytest.mark.skipif(Path("/proc/driver/nvidia/version").exists(), reason="an NVIDIA driver is here: CUDA is taken")
def test_without_a_driver_torch_comes_from_the_index_of_cpu_builds(project: Path) -> None:
    index = project / "index"
    (index / "torch").mkdir(parents=True)
    (project / "constraints.txt").write_text("torch==9.9\n")
    make_wheel = BACKEND.replace("tiny-1", "torch-9.9+cpu").replace("Name: tiny\\nVersion: 1\\n", "Name: torch\\nVersion: 9.9+cpu\\n")
    script = f"{make_wheel}\nbuild_editable({str(index / 'torch')!r})"
    subprocess.run([sys.executable, "-c", script], cwd=project, check=True)
    (index / "torch/index.html").write_text('<a href="torch-9.9+cpu-py3-none-any.whl">torch-9.9+cpu-py3-none-any.whl</a>')
    url = index.as_uri()

    def installed() -> bool:
        return any((project / ".venv").glob("lib/python*/site-packages/torch-*"))

    chosen = make(project, sys.executable, SNOWCODER_TORCH_INDEX=url, PIP_NO_INDEX="0")
    assert chosen.returncode == 0, chosen.stderr
    assert f"taking torch's CPU build from {url}" in chosen.stderr
    assert installed()
