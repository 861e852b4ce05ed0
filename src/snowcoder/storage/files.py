"""Writes and hashes files, on disk or in an object store: whole or not at all, and durable where it matters.

A path may also be on an object store (`location("s3://bucket/folder")`, extra `s3`): it is a UPath, which has the methods of a Path; a file
is made locally and uploaded whole, as such stores never show half of one.
"""

import hashlib
import json
import os
import platform
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, cast

from snowcoder.errors import ParameterError
from snowcoder.storage.workspace import find_path


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
    """A name to write to; the content is at `path` when the block ends, and nothing is there if it raises.

    The name is unique to this process and machine, as an abandoned worker may still write when another repeats its work.
    survives_power_loss: waits for the disk; False saves that time for state that only needs to survive a kill.
    """
    with tempfile.TemporaryDirectory() if is_remote(path) else nullcontext(path.parent) as folder:
        partial = Path(folder) / f".{path.name}.{platform.node()}.{os.getpid()}.partial"
        partial.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            _put(partial, path, survives_power_loss)
        finally:
            partial.unlink(missing_ok=True)


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
