"""Reads a folder of repositories as a corpus.

Files that .gitignore names, vendored trees and `.git` are skipped; a symlink is never followed; what is not an ordinary file (a pipe, a
device) is never opened. Every skipped file or folder is counted: symlink, gitignored, gitignored_folder, vendored_folder, not_a_file,
unreadable, path_too_long, outside_repositories, and the reasons of snowcoder.corpus.reading.
"""

import errno
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pathspec import GitIgnoreSpec

from snowcoder.corpus.directory_depth import GIT_FOLDER, note_of_depth, why_none
from snowcoder.corpus.licence_detection import licence_of_repository
from snowcoder.corpus.manifests import MANIFESTS
from snowcoder.corpus.reading import FileOrigin, decode, is_one_line, make_candidate, refuse_name
from snowcoder.corpus.repository_limits import VENDORED_FOLDERS, FileLimits, LeftOut, Refused, take_within_limits
from snowcoder.errors import SourceError
from snowcoder.source_files.languages import language_of
from snowcoder.source_files.records import SourceFile

SOURCE = "directory"
_LICENCE_NAME = re.compile(r"(?:un)?licen[cs]e|copying", re.IGNORECASE)
_LANGUAGES_OF_TEXTS = (None, "text", "html")  # license.py is code
MAX_LICENCE_BYTES = 200_000


@dataclass(frozen=True)
class _Ignores:
    """The .gitignore files from the root of a repository down to one folder: (folder's path with a slash, its patterns)."""

    specs: tuple[tuple[str, GitIgnoreSpec], ...] = ()

    def hide(self, path: str) -> bool:
        """Whether a path, with a slash at its end for a folder, is ignored; the deepest file that says anything decides."""
        for prefix, spec in reversed(self.specs):
            include = spec.check_file(path.removeprefix(prefix)).include
            if include is not None:
                return include
        return False

    def within(self, folder: Path, prefix: str) -> "_Ignores":
        """With the patterns of a folder's own .gitignore, if there is one."""
        path = folder / ".gitignore"
        try:
            if path.is_symlink() or not stat.S_ISREG(path.lstat().st_mode):
                return self
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return self
        return _Ignores((*self.specs, (prefix, GitIgnoreSpec([pattern for line in lines for pattern in _patterns(line)]))))


def _patterns(line: str) -> Sequence[Any]:
    """The pattern of a line of .gitignore; none, as for git, if the line is not a pattern."""
    try:
        return list(GitIgnoreSpec.from_lines([line]).patterns)
    except (ValueError, re.error):
        return []


def iterate_directory(root: Path, depth: int, limits: FileLimits, only: list[str] | None, skipped: LeftOut) -> Iterator[SourceFile]:
    """Files within `limits`, by repository and path. depth: levels from `root` to a repository (0: it is one itself; 2: owner/name).

    Raises SourceError if `root` is not a folder or has no repository at that depth, or if a repository that `only` names does not exist.
    """
    if not root.is_dir():
        raise SourceError(f"{root}: not a folder; fetch_corpus.source.path must name a folder of repositories")
    repositories = dict(_repositories(root, depth, skipped))
    if not repositories:
        raise SourceError(f"{root}: {why_none(root, depth)}")
    if note := note_of_depth(root, depth, repositories):
        skipped.notes.append(note)
    unknown = sorted(set(only or ()) - repositories.keys())
    if unknown:
        found = ", ".join(sorted(repositories)) or "none"
        raise SourceError(f"{root}: only_repositories: found {', '.join(unknown)}, which do not exist there; allowed: {found}")
    for name in sorted(repositories):
        if not is_one_line(name):
            skipped.n_seen += 1
            skipped.leave_out(Refused("unsafe_repository", name))
        elif only is None or name in only:
            taken, left_out = take_within_limits(_read_repository(name, repositories[name], limits, skipped), limits)
            skipped.update(left_out)
            yield from taken


def _repositories(root: Path, depth: int, skipped: LeftOut, prefix: str = "") -> Iterator[tuple[str, Path]]:
    if depth == 0:
        yield prefix.removesuffix("/") or root.resolve().name, root
        return
    for entry in _entries(root, skipped):
        if entry.is_symlink():
            skipped["symlink"] += 1
        elif not entry.is_dir():
            skipped.leave_out(Refused("outside_repositories", f"{prefix}{entry.name}"))
        elif _enter(entry, skipped):
            yield from _repositories(Path(entry.path), depth - 1, skipped, f"{prefix}{entry.name}/")


def _read_repository(name: str, folder: Path, limits: FileLimits, skipped: LeftOut) -> list[SourceFile]:
    origin = FileOrigin(SOURCE, name, _licence(folder), _commit(folder))
    candidates = []
    for path, file in _walk(folder, skipped):
        found = _read_file(origin, path, file, limits)
        if isinstance(found, Refused):
            skipped.leave_out(found)
        else:
            candidates.append(found)
    return candidates


def _walk(root: Path, skipped: LeftOut) -> Iterator[tuple[str, Path]]:
    """(path in the repository, file) of every ordinary file that is not ignored."""
    pending = [(root, "", _Ignores())]  # a stack of our own: folders may be nested deeper than calls
    while pending:
        folder, prefix, above = pending.pop()
        ignores = above.within(folder, prefix)
        for entry in _entries(folder, skipped):
            path = f"{prefix}{entry.name}"
            if entry.is_symlink():
                skipped["symlink"] += 1
            elif entry.is_dir(follow_symlinks=False):
                hidden = "vendored_folder" if entry.name in VENDORED_FOLDERS else "gitignored_folder" if ignores.hide(f"{path}/") else None
                if hidden:
                    skipped[hidden] += 1
                elif _enter(entry, skipped):
                    pending.append((Path(entry.path), f"{path}/", ignores))
            elif not entry.is_file(follow_symlinks=False):
                skipped["not_a_file"] += 1
            elif ignores.hide(path):
                skipped["gitignored"] += 1
            else:
                yield path, Path(entry.path)


def _entries(folder: Path, skipped: LeftOut) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        skipped.n_seen += 1
        skipped.leave_out(_unreadable(str(folder), error))
        return []
    skipped.n_seen += len(found)
    return found


def _enter(folder: os.DirEntry[str], skipped: LeftOut) -> bool:
    """Whether to look into a folder, which then counts as its content; git's own folder does not count."""
    skipped.n_seen -= 1
    return folder.name != GIT_FOLDER


def _read_file(origin: FileOrigin, path: str, file: Path, limits: FileLimits) -> SourceFile | Refused:
    try:
        refused = refuse_name(path, file.stat().st_size, limits)
        if refused is not None:
            return refused
        with file.open("rb") as stream:  # bounded, should it have grown since
            raw = stream.read(limits.max_file_bytes + 1)
    except OSError as error:
        return _unreadable(path, error)
    content = decode(raw)
    return Refused("not_utf8", path) if content is None else make_candidate(origin, path, content, limits)


def _unreadable(path: str, error: OSError) -> Refused:
    return Refused("path_too_long" if error.errno == errno.ENAMETOOLONG else "unreadable", path[-60:])


def _licence(folder: Path) -> str:
    """SPDX of a repository, from the licence files and package manifests at its root; empty where there is none."""
    names = sorted(entry.name for entry in _entries(folder, LeftOut()) if entry.is_file(follow_symlinks=False))
    texts = [_head(folder / name) for name in names if _LICENCE_NAME.match(name) and language_of(name, "") in _LANGUAGES_OF_TEXTS]
    return licence_of_repository(texts, {name: _head(folder / name) for name in names if name in MANIFESTS})


def _commit(folder: Path) -> str:
    """The commit that is checked out, read from `.git` without running git; empty where there is none."""
    git = folder / GIT_FOLDER
    head = "" if git.is_symlink() else _head(git / "HEAD").strip()
    if not head.startswith("ref: "):
        return head if re.fullmatch(r"[0-9a-f]{40,64}", head) else ""
    reference = head.removeprefix("ref: ")
    if ".." in reference:
        return ""
    packed = re.search(rf"^([0-9a-f]{{40,64}}) {re.escape(reference)}$", _head(git / "packed-refs"), re.MULTILINE)
    loose = _head(git / reference).strip()
    return loose or (packed[1] if packed else "")


def _head(path: Path) -> str:
    """The beginning of a text; empty if it does not exist or is not an ordinary file."""
    if path.is_symlink() or not path.is_file():
        return ""
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_LICENCE_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
