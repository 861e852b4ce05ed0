"""Guesses at which depth of a folder its repositories are, to correct a wrong `depth`."""

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from snowcoder.source_files.languages import may_have_language

GIT_FOLDER = ".git"
MAX_DEPTH = 4
MAX_FOLDERS = 1000


def why_none(root: Path, depth: int) -> str:
    """Why there is no repository at that depth, and what to do."""
    seeming = seeming_depth(root)
    if seeming is None:
        return "an empty folder; fetch_corpus.source.path names a folder of repositories"
    return f"no folder at depth {depth}; repositories seem to be at depth {seeming}: set fetch_corpus.source.depth"


def note_of_depth(root: Path, depth: int, repositories: Mapping[str, Path]) -> str | None:
    """A warning if there are clones of Git at another depth than the requested one, and none at that one."""
    if any((folder / GIT_FOLDER).exists() for folder in repositories.values()):
        return None
    seeming = seeming_depth(root)
    if seeming is None or seeming == depth or next(_clones(root, seeming), None) is None:
        return None
    taken = f"{root}: every folder at depth {depth} is taken as a repository (for example {min(repositories)!r})"
    return f"{taken}, but folders with a {GIT_FOLDER} are at depth {seeming}: check fetch_corpus.source.depth"


def seeming_depth(root: Path) -> int | None:
    """The first depth with a clone of Git; without one, that with code in its folders, else with any file; None where there is none."""
    for depth in range(MAX_DEPTH + 1):
        if next(_clones(root, depth), None) is not None:
            return depth
    holding = {depth: [name for folder in _folders(root, depth) for name in _file_names(folder)] for depth in range(MAX_DEPTH + 1)}
    of_code = [depth for depth, names in holding.items() if any(Path(name).suffix and may_have_language(name) for name in names)]
    return next(iter([*of_code, *(depth for depth, names in holding.items() if names)]), None)


def _file_names(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in folder.iterdir() if not entry.name.startswith(".") and entry.is_file()]
    except OSError:
        return []


def _clones(root: Path, depth: int) -> Iterator[Path]:
    return (folder for folder in _folders(root, depth) if (folder / GIT_FOLDER).exists())


def _folders(root: Path, depth: int) -> Iterator[Path]:
    """Folders at a depth, a thousand at most: enough to see how a tree is built."""
    found = (folder for folder in root.glob("/".join("*" * depth)) if folder.is_dir()) if depth else iter((root,))
    return islice(found, MAX_FOLDERS)
