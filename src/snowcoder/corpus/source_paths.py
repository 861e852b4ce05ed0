"""Finds the corpus source on disk, also when DVC runs the stage in a copy of the last commit (`dvc exp run --temp`, `--queue`).

What Git does not track is read from the repository (see snowcoder.storage.workspace). A folder that Git tracks in part is
an error there: the copy lacks the rest, and a silently smaller corpus would be worse.
"""

import os
from collections import Counter
from pathlib import Path

from snowcoder.corpus.reading import NO_EXTENSION
from snowcoder.corpus.repository_limits import LeftOut
from snowcoder.errors import SourceError
from snowcoder.storage.files import is_remote, location

HIDDEN = "hidden"
LINKED_FOLDER = "link to a folder"


def meant_path(text: str) -> Path:
    """The path that `text` of params.yaml means, `~` included (see snowcoder.storage.workspace.find_path)."""
    path = location(text)
    return path if is_remote(path) else path.expanduser()


def source_path(text: str, endings: tuple[str, ...] = ()) -> Path:
    """The same. endings: of the files in it that are read; empty: look at its first level alone.

    Raises SourceError if the copy in which an experiment runs lacks a file that the original repository has there.
    """
    path = meant_path(text)
    there = None if is_remote(path) else _in_original(path)
    if there is None:
        return path
    missing = sorted(_names(there, endings) - _names(path, endings))
    if missing:
        advice = (
            f"`git add` and commit it, or `dvc add {path}` and name {path} among the stage's deps in dvc.yaml, or give an absolute path"
        )
        raise SourceError(
            f"{path / missing[0]}: not in the copy of the last commit in which this experiment runs ({len(missing)} missing), only in "
            f"{there}; DVC copies only what Git tracks, and what DVC tracks if the stage depends on it: {advice}"
        )
    return path


def list_files(path: Path, endings: tuple[str, ...], skipped: LeftOut) -> list[Path]:
    """The file itself, or the files of a folder and its subfolders with one of `endings`, sorted; the others are counted by extension.

    Hidden files, and those in hidden folders, are left behind by systems (macOS, Spark, notebooks, the hub's cache): they are counted as
    `hidden`. Links to folders are not followed. Raises SourceError if no file is found, or one is a link that leads nowhere.
    """
    if path.is_file():
        return [path]
    where = "fetch_corpus.source.path names a file or a folder of them"
    wanted = " or ".join(ending for ending in endings if ending.count(".") == 1)  # the others are those, compressed
    if not path.is_dir():
        raise SourceError(f"{path}: not found, so no file that ends in {wanted}; {where}")
    files, others = [], Counter[str]()
    for file in sorted(path.rglob("*")):
        is_wanted = file.name.lower().endswith(endings) and not _is_hidden(file, path)
        if is_wanted and file.is_file():
            files.append(file)
        elif is_wanted and file.is_symlink() and not file.exists():
            raise SourceError(f"{file}: a link to a missing file; fetch it (git-annex: `git annex get`), or remove the link")
        elif file.is_file():
            others[HIDDEN if _is_hidden(file, path) else file.suffix.lower() or NO_EXTENSION] += 1
        elif file.is_symlink() and file.is_dir():
            others[LINKED_FOLDER] += 1
    if not files:
        there = ", ".join(f"{extension} {count}" for extension, count in others.most_common(5)) or "nothing"
        raise SourceError(f"{path}: no file that ends in {wanted}; found: {there}; {where}")
    skipped.files_not_read.update(others)
    return files


def _is_hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in file.parts[len(folder.parts) :])


def _original() -> Path:
    return Path(os.environ.get("DVC_ROOT") or Path.cwd()).absolute()


def _in_original(path: Path) -> Path | None:
    """Where a relative path leads from the original repository, if this is a copy of it."""
    if path.is_absolute() or _original().resolve() == Path.cwd().resolve():
        return None
    return Path(os.path.normpath(_original() / path))


def _names(path: Path, endings: tuple[str, ...]) -> set[str]:
    """Relative names of what would be read; the empty name for a file itself."""
    if path.is_file():
        return {""}
    if not path.is_dir():
        return set()
    if not endings:
        return {entry.name for entry in path.iterdir() if not entry.name.startswith(".")}
    wanted = (file for file in path.rglob("*") if file.name.lower().endswith(endings) and not _is_hidden(file, path))
    return {str(file.relative_to(path)) for file in wanted if file.is_file()}
