"""The pins: what a user's pip resolves them to, without a local folder of wheels or any pip configuration."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PINS = dict(re.findall(r"^([^#\s=]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def bare_environment() -> dict[str, str]:
    """Without PIP_FIND_LINKS, PIP_CONSTRAINT and the like; what only says how to reach an index stays."""
    reach = ("PIP_CERT", "PIP_PROXY", "PIP_DEFAULT_TIMEOUT")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_") or name in reach}
    return kept | {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def find_interpreter(version: str) -> str | None:
    """An interpreter of that version that starts, also one of pyenv's that is not switched on."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [shutil.which(f"python{version}"), *(str(path) for path in sorted(pyenv.glob(f"{version}.*/bin/python")))]
    for candidate in candidates:
        if candidate and subprocess.run([candidate, "-c", "import venv, ensurepip"], capture_output=True).returncode == 0:
            return candidate
    return None


def dry_run(version: str, folder: Path) -> dict[str, Any]:
    """pip's report on installing `.[dev,gpu]`. Skips where there is no such interpreter, or no index."""
    python = find_interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    subprocess.run([python, "-m", "venv", folder / "venv"], check=True)
    pip = [str(folder / "venv/bin/pip")]
    probe = [*pip, "download", "--quiet", "--no-deps", "--dest", str(folder / "probe"), f"packaging=={PINS['packaging']}"]
    found = subprocess.run(probe, env=bare_environment(), capture_output=True, text=True)
    if found.returncode != 0:
        pytest.skip(f"the package index cannot be reached: {found.stderr.strip()[-200:]}")
    report = folder / "report.json"
    command = [*pip, "install", "--dry-run", "--ignore-installed", "--quiet", "--report", str(report), "-c", "constraints.txt"]
    done = subprocess.run([*command, "-e", ".[dev,gpu]"], cwd=ROOT, env=bare_environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(report.read_text()))


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.11", "3.12"])
def test_everything_resolves_against_the_ordinary_index(version: str, tmp_path: Path) -> None:
    chosen = {canonical(item["metadata"]["name"]): item["metadata"]["version"] for item in dry_run(version, tmp_path)["install"]}
    pins = {canonical(name): pin for name, pin in PINS.items()}
    assert {"torch", "vllm", "liger-kernel", "dvc", "ray"} <= chosen.keys()
    assert chosen.keys() - pins.keys() == {"snowcoder"}, "every package that gets installed is pinned"


def test_every_pin_is_one_version_of_one_package() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    names = [canonical(re.fullmatch(r"([A-Za-z0-9._-]+)==[A-Za-z0-9.]+", line)[1]) for line in lines]  # type: ignore[index]  # None fails, as it should
    assert len(names) == len(set(names))
