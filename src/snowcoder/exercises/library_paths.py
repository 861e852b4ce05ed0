"""Tells the library code of a distribution from its tests and its set-up, by path alone."""

from pathlib import PurePosixPath

TEST_FOLDERS = frozenset({"test", "tests", "testing", "_tests", "benchmarks", "docs", "examples"})
SETUP_FILES = frozenset({"setup.py", "conftest.py", "versioneer.py", "_version.py", "version.py", "__main__.py"})


def refuse_path(path: str) -> str:
    """Why a file is no library code: is_a_test, setup_file; '' if it is."""
    parts = PurePosixPath(path)
    if not TEST_FOLDERS.isdisjoint(parts.parts[:-1]) or parts.name.startswith("test_") or parts.stem.endswith("_test"):
        return "is_a_test"
    return "setup_file" if parts.name in SETUP_FILES else ""
