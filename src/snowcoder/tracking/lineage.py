"""Names the data sets and models that a run reads or makes by their DVC hashes.

in:  paths of outputs under data/ and models/, dvc.lock
out: {"path", "digest", "n_bytes"}; of tables also {"rows", "columns": [[name, type]]}

dvc.lock has the hash of an input, because the stage that makes it has run. Where dvc.lock does not know a path, or the folder has another
size now (a stage run by hand), the hash of a model is computed, and the digest of data is `sha256:…` of its manifest or files.
"""

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from snowcoder.errors import ShardError
from snowcoder.pipeline.fingerprint import hash_path
from snowcoder.storage.shards import MANIFEST, read_manifest

LOCK = Path("dvc.lock")
DATA, MODELS = "data", "models"
# dvc.lock has thousands of lines, for which a YAML parser takes a second.
OUTPUTS = re.compile(r"^    outs:\n((?:    - .*\n|      .*\n)+)", re.MULTILINE)
OUTPUT = re.compile(r"^    - path: (.+)\n      hash: md5\n      md5: (.+)\n      size: (\d+)\n", re.MULTILINE)


def describe_inputs(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """Those of `paths` that are data or models of the graph. One that is neither on disk nor in dvc.lock is left out."""
    locked = read_lock(LOCK)
    described = [_describe(path, locked.get(str(path))) for path in paths if path.parts[0] in (DATA, MODELS)]
    return [one for one in described if one]


def describe_model(folder: Path, published: Path) -> dict[str, Any]:
    """A model that has just been written to `folder` and will be published as `published`."""
    return {"path": str(published), "digest": dvc_digest(folder), "n_bytes": _n_bytes(folder)}


def read_lock(lock: Path) -> dict[str, tuple[str, int]]:
    """The outputs in dvc.lock by their path: (digest, bytes)."""
    text = lock.read_text() if lock.exists() else ""
    return {path: (md5, int(size)) for block in OUTPUTS.findall(text) for path, md5, size in OUTPUT.findall(block)}


def dvc_digest(folder: Path) -> str:
    """The hash that DVC gives a folder."""
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    files = [{"md5": _md5(paths[name]), "relpath": name} for name in sorted(paths)]
    return hashlib.md5(json.dumps(files, sort_keys=True).encode()).hexdigest() + ".dir"


def _describe(path: Path, locked: tuple[str, int] | None) -> dict[str, Any]:
    if not locked and not path.exists():
        return {}
    if not locked or (path.exists() and _n_bytes(path) != locked[1]):
        locked = dvc_digest(path) if path.parts[0] == MODELS else f"sha256:{hash_path(path)[:24]}", _n_bytes(path)
    described = {"path": str(path), "digest": locked[0], "n_bytes": locked[1]}
    try:
        manifest = read_manifest(path) if (path / MANIFEST).exists() else None
        return described | ({"rows": manifest["rows"], "columns": manifest["schema"]} if manifest else {})
    except (ShardError, KeyError):
        return described


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def _n_bytes(path: Path) -> int:
    return path.stat().st_size if path.is_file() else sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
