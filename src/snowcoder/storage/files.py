"""Writes and hashes files, on disk or in an object store: whole or not at all, and durable where it matters.

A path may also be on an object store (`location("s3://bucket/folder")`, extra `s3`): it is a UPath, which has the methods of a Path; a file
is made locally and uploaded whole, as such stores never show half of one.
"""

import hashlib
import json
import os
import platform
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, cast

from snowcoder.errors import ParameterError
from snowcoder.storage.workspace import find_path

IRREGULAR = {
    stat.S_IFDIR: "a folder",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}


def location(text: str) -> Path:
    """The path of a local name, or of a URL as fsspec accepts it: `s3://bucket/folder`. Credentials and endpoint come from AWS_ variables.

    Raises ParameterError if a package that the URL needs is not installed.
    """
    if "://" not in text:
        return find_path(text)
    try:
        from upath import UPath  # an extra

        # Other machines write there too: a cached listing would hide what they wrote
        return cast(Path, UPath(text, use_listings_cache=False))
    except (ImportError, ValueError) as error:
        advice = "allowed: a local path, or a URL such as s3://bucket/folder after `pip install -c constraints.txt -e '.[s3]'`"
        raise ParameterError(f"path {text!r}: {error}; {advice}") from error


def is_remote(path: Path) -> bool:
    """Whether the path is a URL of `location`."""
    return not isinstance(path, Path)


def write_json(path: Path, value: Any) -> None:
    """Sorted, indented JSON, written atomically."""
    with written_whole(path) as partial:
        partial.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n")


@contextmanager
def written_whole(path: Path, survives_power_loss: bool = True) -> Iterator[Path]:
    """A name to write to; the content is at `path` when the block ends, and nothing is there if it raises. Raises ParameterError if what
    is there is no regular file: a folder cannot be replaced, and a device or pipe must not.

    The name is unique to this process and machine, as an abandoned worker may still write when another repeats its work.
    survives_power_loss: waits for the disk; False saves that time for state that only needs to survive a kill.
    """
    if not is_remote(path) and (kind := irregular_kind(path)):
        raise ParameterError(f"{path}: found {kind}; allowed: a regular file, which is replaced whole, or nothing; name another output")
    with tempfile.TemporaryDirectory() if is_remote(path) else nullcontext(path.parent) as folder:
        partial = _partial_name(path, Path(folder))
        partial.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            _put(partial, path, survives_power_loss)
        finally:
            partial.unlink(missing_ok=True)


def fault_of_output(path: Path) -> str:
    """Why no file can be written whole at a local `path`, or ''. Makes its folder, and a file there for a moment: permissions, long names
    and read-only disks show only so.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind := irregular_kind(path):
            return kind
        partial = _partial_name(path, path.parent)
        partial.touch()
        partial.unlink()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def irregular_kind(path: Path) -> str:
    """What a local path is, or leads to, if it is neither a regular file nor free; else ''."""
    try:
        mode = path.stat().st_mode
    except OSError:  # nothing, or nothing that can be looked at: writing there says why
        return ""
    return IRREGULAR.get(stat.S_IFMT(mode), "")


def _partial_name(path: Path, folder: Path) -> Path:
    return folder / f".{path.name}.{platform.node()}.{os.getpid()}.partial"


def _put(partial: Path, path: Path, survives_power_loss: bool) -> None:
    if is_remote(path):
        cast(Any, path).fs.put_file(str(partial), cast(Any, path).path)
        return
    if survives_power_loss:
        fsync(partial)
    partial.replace(path)


def sha256_file(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fsync(path: Path) -> None:
    """Force a written file to disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
