"""Finds or fetches a benchmark's source file, checks its bytes against the pinned hash, and reads its records.

in: file in SNOWCODER_BENCHMARKS_DIR, official release, or dataset of the Hugging Face hub   out: list of records

Formats: .jsonl.gz and .jsonl. What is fetched is kept in `<work>/benchmarks/` (a dataset of the hub as JSON lines, in its own order).
A benchmark without a pinned hash is recorded there when it is first read (`hashes.json`), and refused when it changes afterwards.
"""

import gzip
import hashlib
import json
import urllib.request
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snowcoder.errors import EmptyResultError, SourceError
from snowcoder.pipeline import environment
from snowcoder.pipeline.console import say
from snowcoder.pipeline.stage import work_dir
from snowcoder.storage.files import write_json, written_whole
from snowcoder.storage.workspace import find_path

FOLDER_VARIABLE = "SNOWCODER_BENCHMARKS_DIR"
FETCH_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class PinnedSource:
    """Where a benchmark's file comes from, in this order of preference.

    files: names in the folder of benchmarks; the first that exists is used.
    release: address of the official release file, or ''.
    dataset, split: of the hub, or ''.
    """

    files: tuple[str, ...]
    release: str = ""
    dataset: str = ""
    split: str = ""


def find_file(origin: PinnedSource, benchmark: str) -> Path:
    """The benchmark's file, fetched if it is not on this machine. Raises SourceError that says where it was looked for."""
    folder, kept = environment.text(FOLDER_VARIABLE) or None, work_dir() / "benchmarks"
    places = [find_path(folder) / name for name in origin.files] if folder else []
    places += [kept / name for name in (*origin.files, f"{benchmark}.jsonl")]
    for path in places:
        if path.is_file():
            return path
    tried = [f"the folder of benchmarks ({FOLDER_VARIABLE} is {folder or 'not set'}; files {', '.join(origin.files)})"]
    for fetch, what in ((_fetch_release, origin.release), (_fetch_dataset, origin.dataset)):
        if what:
            try:
                return fetch(origin, benchmark, kept)
            except (OSError, ValueError, ImportError, RuntimeError) as error:
                tried.append(f"{what} ({type(error).__name__}: {' '.join(str(error).split())[:200]})")
    hint = f"download {origin.files[0]} into a folder and name it in {FOLDER_VARIABLE}"
    raise SourceError(f"benchmark {benchmark}: not found; looked in {'; '.join(tried)}; {hint}")


def read_records(path: Path, benchmark: str, expected_sha256: str | None, accept_changed: bool = False) -> list[dict[str, Any]]:
    """The records of a file. Raises SourceError if it is missing, changed, empty or not JSON lines.

    expected_sha256: None where nothing is pinned: then what was first read on this machine. accept_changed: a changed hash is reported, not
    refused.
    """
    try:
        packed = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path}: benchmark {benchmark} cannot be read: {error.strerror}; fetch the file again") from error
    _check_hash(path, benchmark, hashlib.sha256(packed).hexdigest(), expected_sha256, accept_changed)
    try:
        text = (gzip.decompress(packed) if path.suffix == ".gz" else packed).decode()
        records = [json.loads(line) for line in text.split("\n") if line.strip()]
    except (OSError, EOFError, zlib.error, ValueError, RecursionError) as error:
        kind = "gzipped JSON lines" if path.suffix == ".gz" else "JSON lines"
        raise SourceError(f"{path}: benchmark {benchmark} is not {kind}: {error}") from error
    if not records:
        raise EmptyResultError(f"{path}: benchmark {benchmark} has no problems; fetch the file again")
    if not all(isinstance(record, dict) for record in records):
        raise SourceError(f"{path}: benchmark {benchmark}: a line is not a JSON object; allowed: one object per problem")
    return records


def text_field(record: dict[str, Any], field: str, path: Path) -> str:
    """A text field of a record. Raises SourceError naming the field and what was found."""
    value = record.get(field)
    if not isinstance(value, str):
        raise SourceError(
            f"{path}: problem {record.get('task_id')!r}: field {field}: found {_short(value)}; allowed: text "
            f"(fields found: {', '.join(sorted(record))})"
        )
    return value


def list_field(record: dict[str, Any], field: str, path: Path) -> list[Any]:
    """A field that is a non-empty list. Raises SourceError naming the field and what was found."""
    value = record.get(field)
    if not isinstance(value, list) or not value:
        raise SourceError(
            f"{path}: problem {record.get('task_id')!r}: field {field}: found {_short(value)}; allowed: a list that is not empty "
            f"(fields found: {', '.join(sorted(record))})"
        )
    return value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _check_hash(path: Path, benchmark: str, found: str, expected: str | None, accept_changed: bool) -> None:
    record = work_dir() / "benchmarks" / "hashes.json"
    place = f"params.yaml fetch_benchmarks.sha256.{benchmark}"
    if expected is None:
        known: dict[str, str] = json.loads(record.read_text()) if record.exists() else {}
        key, place = f"{benchmark} {path.name}", str(record)
        expected = known.get(key)
        if expected is None or accept_changed:
            write_json(record, known | {key: found})
    if expected is None or found == expected:
        return
    if accept_changed:
        say(f"{path}: benchmark {benchmark} has changed: sha256 {found} instead of {expected}; accepted by name")
        return
    raise SourceError(
        f"{path}: benchmark {benchmark} has changed: found sha256 {found}, {place} allows {expected}; install the pinned version, or "
        f"compare the two and accept {benchmark} by name (fetch_benchmarks.accept_changed, --accept-changed): scores are not comparable"
    )


def _fetch_release(origin: PinnedSource, benchmark: str, folder: Path) -> Path:
    say(f"benchmark {benchmark}: fetching {origin.release}")
    with urllib.request.urlopen(origin.release, timeout=FETCH_TIMEOUT_S) as answer:
        content = answer.read()
    return _keep(folder / origin.release.rsplit("/", 1)[-1], content)


def _fetch_dataset(origin: PinnedSource, benchmark: str, folder: Path) -> Path:
    import datasets

    say(f"benchmark {benchmark}: fetching {origin.dataset}, split {origin.split}, from the hub")
    rows: Sequence[dict[str, Any]] = datasets.load_dataset(origin.dataset, split=origin.split)
    lines = [json.dumps(dict(row), sort_keys=True) + "\n" for row in rows]
    return _keep(folder / f"{benchmark}.jsonl", "".join(lines).encode())


def _keep(path: Path, content: bytes) -> Path:
    with written_whole(path) as partial:
        partial.write_bytes(content)
    return path
