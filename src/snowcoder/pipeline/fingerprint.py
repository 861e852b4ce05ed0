"""One fingerprint per run of a stage: hash(params, hashes of inputs, bytes of the stage's import closure).

Resumable state and shard markers are keyed by it, so that state of other params, inputs or code is never resumed. The `deps` in dvc.yaml
must cover the import closure too, by folders or by files (DVC does not follow imports): tools/update_stage_deps.py writes them, a test of
the repository compares them.
"""

import ast
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from snowcoder.errors import ShardError
from snowcoder.storage.files import sha256_file
from snowcoder.storage.shards import MANIFEST

SOURCE_ROOT = Path(__file__).resolve().parents[2]
REPOSITORY_ROOT = SOURCE_ROOT.parent
# When and where a stage runs, and who watches it: a change there cannot change a result and reruns nothing. The tests of equal
# bytes over workers, executors, processes and kills are the guard.
EXEMPT_PACKAGES = (
    "snowcoder.errors",
    "snowcoder.pipeline",
    "snowcoder.tracking",
    "snowcoder.pretraining.watch",
    "snowcoder.experiment.branch_progress",
)
# What the harness itself calls does count (how shards are stored); what a watcher calls does not.
FOLLOWED_PACKAGE = "snowcoder.pipeline"


def import_closure(script: Path) -> list[Path]:
    """Files of this project that decide what `script` computes: itself and all that it imports, directly or not; sorted.

    Imports in functions count; EXEMPT_PACKAGES do not.
    """
    seen: set[Path] = set()
    counted: set[Path] = set()
    queue = [("stages", script.resolve())]
    while queue:
        module, path = queue.pop()
        if path not in seen:
            seen.add(path)
            if not _is_in(module, EXEMPT_PACKAGES):
                counted.add(path)
            if path in counted or _is_in(module, (FOLLOWED_PACKAGE,)):
                queue.extend(_imported_files(path))
    return sorted(counted)


def fingerprint(params: Any, inputs: Iterable[Path], script: Path) -> str:
    """16 hex digits; `params` is JSON-serialisable, `inputs` are files or folders."""
    digest = hashlib.sha256(json.dumps(params, sort_keys=True).encode())
    for path in inputs:
        digest.update(f"{path}\0{hash_path(path)}\n".encode())
    for path in import_closure(script):
        digest.update(f"{path.name}\0{sha256_file(path)}\n".encode())
    return digest.hexdigest()[:16]


def hash_path(path: Path) -> str:
    """Digest of a file, or of a folder by its relative paths and contents (a manifest stands for the shards it describes)."""
    if path.is_file():
        return sha256_file(path)
    if not path.is_dir():
        raise ShardError(f"{path}: not found; the stage that writes it has not run: `dvc repro`")
    digest = hashlib.sha256()
    described = {manifest.parent for manifest in path.rglob(MANIFEST)}
    for file in sorted(path.rglob("*")):
        if file.is_file() and file.suffix != ".partial" and not (file.suffix == ".parquet" and file.parent in described):
            digest.update(f"{file.relative_to(path)}\0{sha256_file(file)}\n".encode())
    return digest.hexdigest()


def _is_in(module: str, packages: Iterable[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def _imported_files(path: Path) -> list[tuple[str, Path]]:
    roots = {"snowcoder": SOURCE_ROOT, "stages": REPOSITORY_ROOT}
    names = [name for name in _imported_modules(ast.parse(path.read_text())) if name.split(".")[0] in roots]
    files = [(name, roots[name.split(".")[0]].joinpath(*name.split(".")).with_suffix(".py")) for name in names]
    return [(name, file) for name, file in files if file.is_file()]


def _imported_modules(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names
