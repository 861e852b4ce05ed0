"""Repairs what a kill has left of DVC's own files, before `make repro` or `make experiment` starts DVC.

    python -m tools.dvc_state repair    # before a run; plain `dvc repro` does not do it
    python -m tools.dvc_state keep      # after a run that ended well: keeps a copy of dvc.lock

DVC writes two files in place, so that a kill leaves the beginning of one:
- dvc.lock: where DVC cannot read it, a copy takes its place: the kept one (pipeline/kept_lock.py) or that of the last commit, whichever
  has more in common with it. Where its last stages are gone though dvc.yaml has them, those of the copy are appended. What has run since
  then comes from DVC's run cache. The damaged file stays next to the kept copy. A file that Git has stored is whole, whatever it lacks.
- rwlock, in .dvc/tmp and .dvc/tmp/exps: removed where DVC cannot read it, or where every process that it names is dead.
All of it under DVC's own locks, and nothing while a DVC process works here. A new file is complete before it gets its name, so that a kill
of this program harms nothing.
"""

import argparse
import hashlib
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dvc.config import Config
from dvc.exceptions import DvcException
from dvc.lock import LockError, make_lock
from dvc.rwlock import RWLOCK_FILE, RWLOCK_LOCK
from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from ruamel.yaml import YAML, YAMLError
from voluptuous import Invalid

from snowcoder.errors import ParameterError, SnowcoderError
from snowcoder.pipeline.console import say
from snowcoder.pipeline.kept_lock import LOCK, has_lost_stages, keep_lock, kept_path, stage_names
from snowcoder.pipeline.stage import run_tool, work_dir
from snowcoder.storage.files import written_whole
from tools.dvc_holders import Holder, first_running, read_holders, running_dvc

RWLOCK_FOLDERS = (Path(".dvc/tmp"), Path(".dvc/tmp/exps"))  # of outputs, and of the references of experiments
DAMAGED = ".damaged"  # ending of a file that was replaced, next to the kept copy
CONFLICT = b"\n<<<<<<< "  # of a merge by Git, which nobody but a person can resolve


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("repair", "keep"))
    if parser.parse_args().action == "repair":
        repair(Path.cwd(), work_dir())
    else:
        keep(Path.cwd(), work_dir())


def repair(root: Path, work: Path) -> None:
    """Repair DVC's files in the repository `root`, whose work folder is `work`, and say in one line what that was, if anything.

    Raises SnowcoderError for a configuration that DVC cannot read.
    """
    try:
        with _locked(root):
            done = _repairs(root, work)
    except LockError:
        say(f"dvc: another DVC process works in {root}; its files are left as they are")
    except DvcException as error:
        raise SnowcoderError(f"{root / '.dvc'}: DVC cannot read its configuration ({error}); correct it, or restore it from Git") from error
    else:
        if done:
            say(f"dvc: repaired after a kill: {'; '.join(done)}")


def keep(root: Path, work: Path) -> None:
    """Keep a copy of dvc.lock after a run that ended well; a copy that cannot be written is told, and does not make the run a bad one."""
    try:
        keep_lock(root, work, is_finished=True)
    except (OSError, ParameterError) as error:
        say(f"dvc: no copy of {LOCK} was kept ({error}); a repair after a kill will take an older one")


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    """Hold DVC's lock of the repository and those of its rwlock files. Raises LockError if DVC holds one for three seconds."""
    hardlink = Config(str(root / ".dvc"))["core"].get("hardlink_lock", False)
    with ExitStack() as held:
        for path in (Path(".dvc/tmp/lock"), *(folder / RWLOCK_LOCK for folder in RWLOCK_FOLDERS)):
            folder = root / path.parent
            folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(make_lock(str(root / path), tmp_dir=str(folder), hardlink_lock=hardlink))
        yield


def _repairs(root: Path, work: Path) -> list[str]:
    """Repair, and describe each repair; none while the command of a stage runs, when DVC's lock is free but its rwlock names it."""
    named = {folder / RWLOCK_FILE: read_holders(root / folder / RWLOCK_FILE) for folder in RWLOCK_FOLDERS}
    running = first_running(holder for holders in named.values() for holder in holders or [])
    if running is None and None in named.values():
        running = running_dvc(root)
    if running is not None:
        say(f"dvc: another DVC process works in {root} ({running}); its files are left as they are")
        return []
    kept = kept_path(root, work)
    for path in (root / LOCK, kept.with_suffix("")):  # of the latter the damaged files too
        _remove_partials(path)
    done = [_remove_rwlock(root, path, holders) for path, holders in named.items() if holders != []]
    return [line for line in (_repair_lock(root, kept), *done) if line]


def _remove_rwlock(root: Path, path: Path, holders: list[Holder] | None) -> str:
    (root / path).unlink()
    if holders is None:
        return f"{path} could not be read: removed"
    return f"{path} had {len(holders)} entries of {len({holder.pid for holder in holders})} dead processes: removed"


def _repair_lock(root: Path, kept: Path) -> str | None:
    """Put a whole dvc.lock in the place of one that a kill has cut; what was done, None for nothing."""
    found = _read(root / LOCK)
    if found is None or found == _read(kept) or CONFLICT in found:
        return None
    is_parsed = parses(found)
    if is_parsed and _is_in_git(root):
        return None
    whole = _whole_copies(root, kept)
    is_whole = is_parsed and found.endswith(b"\n")
    if is_whole:
        whole = {name: text for name, text in whole.items() if has_lost_stages(found, text)}
    if (is_parsed and not whole) or (is_whole and not _are_stages(root, whole.values(), found)):
        return None
    damaged = kept.with_name(f"{kept.stem}.{hashlib.sha256(found).hexdigest()[:16]}{DAMAGED}")  # an earlier one stays
    _write(damaged, found)
    what = f"{LOCK} {'had lost its last stages' if is_whole else 'could not be read'}"
    if not whole:
        (root / LOCK).unlink()
        return f"{what}: removed, as there is no copy; the run cache has the outputs (damaged file: {damaged})"
    name = max(whole, key=lambda name: _shared_bytes(found, whole[name]))
    text = _with_lost_stages(found, whole[name]) if is_whole else whole[name]
    _write(root / LOCK, text)
    done = f"{name} took its place, with" if text == whole[name] else f"those of {name} were appended, which makes"
    return f"{what}: {done} {len(stage_names(text))} stages (damaged file: {damaged})"


def _whole_copies(root: Path, kept: Path) -> dict[str, bytes]:
    """The copies that are whole, by what a message calls them. No kill has cut that of the last commit, whatever its last line is."""
    kept_text, committed = _read(kept), _git(root, "show", f"HEAD:./{LOCK}")
    copies = {"the kept copy": kept_text} if kept_text and is_readable(kept_text) else {}
    return copies | ({"the last commit": committed} if committed and parses(committed) else {})


def _with_lost_stages(found: bytes, copy: bytes) -> bytes:
    """`found` and the stages of `copy` that it has lost, as its own may be newer; `copy` where that is more, or DVC cannot read both."""
    first = stage_names(copy)[len(stage_names(found))]
    both = found + copy[copy.index(b"\n  " + first + b":\n") + 1 :].rstrip(b"\n") + b"\n"
    return both if parses(both) and not copy.startswith(found) else copy


def _shared_bytes(one: bytes, other: bytes) -> int:
    """Length of the beginning that both have."""
    return next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def parses(text: bytes) -> bool:
    """Whether DVC can read a dvc.lock with this text."""
    try:
        COMPILED_LOCKFILE_SCHEMA(YAML(typ="safe").load(text.decode()))
    except (YAMLError, Invalid, ValueError):
        return False
    return True


def is_readable(text: bytes) -> bool:
    """Whether DVC can read it, and its last line is whole, as DVC writes it."""
    return text.endswith(b"\n") and parses(text)


def _is_in_git(root: Path) -> bool:
    """Whether Git has stored this very dvc.lock: then a commit, an experiment or a stash has brought it here, and it is whole."""
    name = _git(root, "hash-object", "--", str(LOCK))
    return name is not None and _git(root, "cat-file", "-e", name.decode().strip()) is not None


def _are_stages(root: Path, copies: Iterable[bytes], found: bytes) -> bool:
    """Whether dvc.yaml has a stage that `found` has lost: DVC keeps those of former graphs and params in dvc.lock too."""
    lost = {name.decode() for text in copies for name in stage_names(text)} - {name.decode() for name in stage_names(found)}
    command = [sys.executable, "-m", "dvc", "stage", "list", "--name-only"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return not lost.isdisjoint(listed.stdout.split())


def _git(root: Path, *arguments: str) -> bytes | None:
    """What Git prints; None where it fails, or is not there."""
    try:
        return subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _write(path: Path, text: bytes) -> None:
    with written_whole(path) as partial:
        partial.write_bytes(text)


def _remove_partials(path: Path) -> None:
    """What a kill has left of earlier writes of `path`; nobody writes it now."""
    for partial in path.parent.glob(f".{path.name}.*.partial"):
        partial.unlink(missing_ok=True)


if __name__ == "__main__":
    run_tool(main)
