"""Reads pinned wheels as a corpus: downloaded by pip, checked by hash, opened as zip files. Their code never runs.

in: lock and table (see wheel_table)  out: SourceFile rows, one per file taken; repository = canonical name of the distribution,
revision = its version, popularity = 1 / download_rank.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from snowcoder.corpus.reading import FileOrigin, decode, make_candidate, refuse_name
from snowcoder.corpus.repository_limits import FileLimits, LeftOut, Refused, take_within_limits
from snowcoder.corpus.wheel_table import LockedWheel, WheelEntry, canonical_name, read_lock, read_wheel_table
from snowcoder.errors import SourceError
from snowcoder.pipeline.console import progress
from snowcoder.source_files.records import SourceFile
from snowcoder.storage.files import sha256_file

SOURCE = "wheels"
# pip delivers nothing before its whole list is done: small batches keep more after a kill or a failure.
WHEELS_PER_DOWNLOAD = 8
_UNREACHABLE = re.compile(r"connection|resolve|network|timed? ?out|proxy|max retries|ssl", re.IGNORECASE)
_DISK_FULL = re.compile(r"No space left on device|Disk quota exceeded|Errno (?:28|122)\b")
_LOCAL_FAULT = re.compile(r"\[Errno \d+\] [^\n]*")


def download_wheels(lock: Path, folder: Path, only: Sequence[str] | None = None) -> list[Path]:
    """Paths of the wheels of `lock`, sorted by name, each in `folder/<sha256>/`; what is there and has the right hash is not fetched again.

    only: names of distributions to take instead of all. Raises SourceError naming the wheel, what was found and what to do.
    """
    wheels = _chosen(read_lock(lock), only, lock)
    folder.mkdir(parents=True, exist_ok=True)
    missing = [wheel for wheel in wheels if _present(wheel, folder) is None]
    batches = [missing[start : start + WHEELS_PER_DOWNLOAD] for start in range(0, len(missing), WHEELS_PER_DOWNLOAD)]
    for batch in progress(batches, len(batches), f"downloading {len(missing)} wheels of {lock}"):
        _download_batch(batch, folder, lock)
    return [_verified(wheel, folder, lock) for wheel in wheels]


def iterate_wheel_files(wheels: Sequence[Path], table: Path, limits: FileLimits, skipped: LeftOut | None = None) -> Iterator[SourceFile]:
    """Files of `wheels` within `limits`, by repository and path; what is left out is counted by reason in `skipped`.

    Raises SourceError if a wheel is no zip file, or is not described in `table` under its version.
    """
    entries = read_wheel_table(table)
    for path in sorted(wheels, key=_name_and_version):
        files, left_out = read_wheel(path, _entry_of(path, entries, table), limits)
        if skipped is not None:
            skipped.add(left_out)
        yield from files


def read_wheel(path: Path, entry: WheelEntry, limits: FileLimits) -> tuple[list[SourceFile], LeftOut]:
    """(files of one wheel within `limits`, left out by reason). The zip is read in memory; nothing is unpacked to disk."""
    skipped = LeftOut()
    candidates = []
    try:
        with zipfile.ZipFile(path) as archive:
            members = [info for info in archive.infolist() if not info.is_dir() and ".dist-info/" not in info.filename]
            distinct = {info.filename: info for info in members}
            skipped.n_seen += len(members)
            if len(members) > len(distinct):
                skipped["duplicate_id"] += len(members) - len(distinct)
            for member in sorted(distinct.values(), key=lambda info: info.filename):
                file = _read_member(archive, member, entry, limits)
                if isinstance(file, Refused):
                    skipped.leave_out(file)
                else:
                    candidates.append(file)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError) as error:  # RuntimeError: encrypted, or a method not known
        raise SourceError(f"{path}: cannot be read as a wheel ({error}); delete it and run again") from error
    taken, left_out = take_within_limits(candidates, limits)
    skipped.update(left_out)
    return taken, skipped


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, entry: WheelEntry, limits: FileLimits) -> SourceFile | Refused:
    """The file, or the reason to leave it out. No more bytes are unpacked than the member states, and it states no more than the limit."""
    refused = refuse_name(member.filename, member.file_size, limits)
    if refused is not None:
        return refused
    content = decode(archive.read(member))
    origin = FileOrigin(SOURCE, entry.name, entry.licence, entry.version, download_rank=entry.download_rank)
    return Refused("not_utf8", member.filename) if content is None else make_candidate(origin, member.filename, content, limits)


def _chosen(wheels: list[LockedWheel], only: Sequence[str] | None, lock: Path) -> list[LockedWheel]:
    if only is None:
        return wheels
    names = {canonical_name(name) for name in only}
    unknown = sorted(names - {wheel.name for wheel in wheels})
    if unknown:
        pinned = ", ".join(wheel.name for wheel in wheels)
        raise SourceError(f"{lock}: only_repositories: found {', '.join(unknown)}, not pinned here; allowed: {pinned}")
    return [wheel for wheel in wheels if wheel.name in names]


def _download_batch(batch: list[LockedWheel], folder: Path, lock: Path) -> None:
    errors = _pip_download(batch, folder)
    if errors is None:
        return
    for wheel in batch:  # pip's message may not name the failing wheel: fetch one at a time, and keep what works
        if _present(wheel, folder) is None and (errors := _pip_download([wheel], folder)) is not None:
            raise SourceError(f"{lock}: {wheel.name}=={wheel.version}: {explain_failure(errors, wheel, folder)}")


def _pip_download(wheels: list[LockedWheel], folder: Path) -> str | None:
    """Fetch into `folder`; None, or pip's messages if it failed."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=".partial-") as partial:
        requirements = Path(partial) / "requirements.txt"
        requirements.write_text("".join(f"{wheel.requirement}\n" for wheel in wheels))
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check", "--retries", "2"]
        command += ["--require-hashes", "--no-deps", "--only-binary=:all:", "--dest", partial, "--requirement", str(requirements)]
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode != 0:
            return result.stderr + result.stdout
        for path in Path(partial).glob("*.whl"):
            final = folder / sha256_file(path) / path.name
            final.parent.mkdir(exist_ok=True)
            path.replace(final)
    return None


def explain_failure(errors: str, wheel: LockedWheel, folder: Path) -> str:
    """What pip's messages mean, and what to do. folder: where the wheel would have gone."""
    got = re.search(r"Got\s+([0-9a-f]{64})", errors)
    if got:
        return (
            f"its hash is wrong: the lock has sha256 {wheel.sha256}, the index gave {got[1]}; the file behind the name has changed: "
            "find out why, then remake the lock with tools/pin_wheels.py"
        )
    if _DISK_FULL.search(errors):
        free = f"{shutil.disk_usage(folder).free:,} bytes are free in {folder}, {shutil.disk_usage(tempfile.gettempdir()).free:,} in "
        return f"the disk is full ({free}{tempfile.gettempdir()}); free space, then run again: fetched wheels are kept"
    warnings = [line for line in errors.splitlines() if line.startswith("WARNING") and "is ignored" not in line]
    local = _LOCAL_FAULT.search(errors)
    if local and not any(_UNREACHABLE.search(line) for line in [*warnings, local[0]]):
        return f"pip cannot write it to {folder} ({local[0]}); fix that, then run again: fetched wheels are kept"
    if local or any(_UNREACHABLE.search(line) for line in warnings):
        return "the package index cannot be reached; check network, PIP_INDEX_URL and proxies, then run again: fetched wheels are kept"
    last = next((line for line in reversed(errors.splitlines()) if line.startswith("ERROR")), errors.strip()[-300:])
    return f"not available as a wheel from the package index ({last}); check PIP_INDEX_URL, or remake the lock with tools/pin_wheels.py"


def _present(wheel: LockedWheel, folder: Path) -> Path | None:
    """The fetched wheel if its bytes have the pinned hash; a damaged one is removed, to be fetched again."""
    for path in sorted((folder / wheel.sha256).glob("*.whl")):
        if sha256_file(path) == wheel.sha256:
            return path
        path.unlink(missing_ok=True)
    return None


def _verified(wheel: LockedWheel, folder: Path, lock: Path) -> Path:
    path = _present(wheel, folder)
    if path is None:
        missing = f"{wheel.name}=={wheel.version}: no wheel with sha256 {wheel.sha256} came"
        raise SourceError(f"{lock}: {missing}; remake the lock with tools/pin_wheels.py")
    return path


def _name_and_version(path: Path) -> tuple[str, str]:
    name, version = path.name.split("-")[:2]
    return canonical_name(name), version


def _entry_of(path: Path, entries: dict[str, WheelEntry], table: Path) -> WheelEntry:
    name, version = _name_and_version(path)
    entry = entries.get(name)
    if entry is None or entry.version != version:
        found = entry.version if entry else "no row"
        raise SourceError(f"{table}: {name}: the lock pins {version}, the table has {found}; remake both with tools/pin_wheels.py")
    return entry
