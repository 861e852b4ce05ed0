"""Checks all texts of the repository: nothing unfinished, no path of somebody's machine. (Documents: test_documents.py.)"""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def tracked_texts() -> dict[str, str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    paths = [name for name in listed if name.endswith((".py", ".yaml", ".md", ".toml", ".txt", "Makefile", "run"))]
    return {name: (ROOT / name).read_text() for name in paths if (ROOT / name).exists()}


def test_nothing_is_left_unfinished() -> None:
    unfinished = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "raise NotImplemented" + "Error")))
    for name, text in tracked_texts().items():
        if name.startswith(("src/", "stages/", "tools/")):
            found = unfinished.search(text)
            assert found is None, f"{name}: {found}"


def test_no_absolute_path_of_a_home_or_work_folder() -> None:
    pattern = re.compile(r"(?<![\w.])/(?:home|root|Users|work)/\w")
    for name, text in tracked_texts().items():
        assert not pattern.search(text), name
