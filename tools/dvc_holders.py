"""Finds who holds DVC's lock of paths, .dvc/tmp/rwlock: processes that run, or dead ones, whose entries DVC never removes.

An entry is {pid, cmd}, where cmd is `" ".join(sys.argv)`. Its process runs if the PID does and its command may be that one; a PID alone may
belong to another program by now. In doubt it runs: an entry that stays costs a message, one that goes too early an output.
The time at which a process started is no evidence: it moves with the clock of the machine.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from dvc.rwlock import SCHEMA
from voluptuous import Invalid


@dataclass(frozen=True)
class Holder:
    """A process that reads or writes outputs. command: as the process knew it, without the interpreter."""

    pid: int
    command: str

    def __str__(self) -> str:
        return f"PID {self.pid}: {self.command}"


def read_holders(rwlock: Path) -> list[Holder] | None:
    """The entries of an rwlock file, none where there is no file; None for one that DVC cannot read."""
    try:
        locked: dict[str, Any] = SCHEMA(json.loads(rwlock.read_bytes()))
    except FileNotFoundError:
        return []
    except (ValueError, Invalid):
        return None
    entries = [*locked["write"].values(), *(entry for readers in locked["read"].values() for entry in readers)]
    return [Holder(entry["pid"], entry["cmd"]) for entry in entries]


def first_running(holders: Iterable[Holder]) -> Holder | None:
    """One of `holders` that still runs, None if all are dead."""
    return next((holder for holder in sorted(set(holders), key=str) if is_running(holder)), None)


def is_running(holder: Holder) -> bool:
    """Whether that process runs; one that this user may not look at counts as running."""
    try:
        return is_command(psutil.Process(holder.pid).cmdline(), holder.command)
    except psutil.NoSuchProcess:  # nor does one that waits to be reaped
        return False
    except psutil.AccessDenied:
        return True


def is_command(words: list[str], command: str) -> bool:
    """Whether a process with the command line `words` may have `command` as its `" ".join(sys.argv)`.

    Any command line with `dvc` in it may: Celery gives a worker of DVC's queue another title. sys.argv[0] is a path after `-m module`, and
    the option after `-c text`.
    """
    line, program = " ".join(words), command.partition(" ")[0]
    modules = re.findall(r" -m ?(\S+)", line)
    return "dvc" in line or command in line or program in words or any(module.replace(".", "/") in program for module in modules)


def running_dvc(root: Path) -> Holder | None:
    """A DVC process that works in `root`, by its command line: where no rwlock says who does."""
    for process in psutil.process_iter(["pid", "cmdline", "cwd"]):
        words, folder = process.info["cmdline"] or [], process.info["cwd"]
        if folder and Path(folder).is_relative_to(root.resolve()) and any(Path(word).name in ("dvc", "-mdvc") for word in words):
            return Holder(process.info["pid"], " ".join(words))
    return None
