"""docs/field_cases.md: every test named there exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = [line for line in (ROOT / "docs/field_cases.md").read_text().splitlines() if line.startswith("|") and "tests/" in line]


def find_file(name: str) -> Path:
    """A path from the root, or the name alone of a test file that no other folder has."""
    if "/" in name:
        return ROOT / name
    (path,) = (ROOT / "tests").rglob(name)
    return path


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(row.split("|")[1:3])[:60].strip())
def test_the_tests_of_a_case_exist(row: str) -> None:
    path: Path | None = None
    for name in re.findall(r"(?:tests/)?[\w/]*test_\w+\.py|::test_\w+", row.split(" | ")[-1]):
        if not name.startswith("::"):
            path = find_file(name)
            assert path.is_file(), name
        else:
            assert path is not None, f"{name} follows no file"
            assert f"def {name.removeprefix('::')}(" in path.read_text(), f"{path}{name}"
    assert path is not None or "tests/" in row
