"""Makes a child process of a test that runs as root an ordinary user's, with access to the interpreter's folders."""

import ctypes
import os
import stat
import sys
from functools import cache
from pathlib import Path

from snowcoder.sandbox import isolation

CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 0x1000, 0x4000, 0x40000


def become(user: int) -> None:
    """For good. Raises OSError if it cannot be done."""
    _open_folders([Path(sys.base_prefix), Path(isolation._bwrap()).parents[2]])
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


@cache
def why_not_become(user: int) -> str:
    """Empty, or the reason for which become() fails here."""
    child = os.fork()
    if child == 0:
        try:
            become(user)
            os._exit(0)
        finally:
            os._exit(1)
    failed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return f"this root may not become user {user} in a mount namespace of its own (it lacks CAP_SYS_ADMIN or CAP_SETUID)" if failed else ""


def _open_folders(needed: list[Path]) -> None:
    """In a mount namespace of its own: a folder that is closed to others (/root) is covered by an open one with what is needed."""
    library = ctypes.CDLL(None, use_errno=True)

    def check(result: int) -> None:
        if result:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    check(library.unshare(CLONE_NEWNS))
    check(library.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None))
    held = {path: os.open(path, os.O_PATH) for path in needed}
    closed = {next((above for above in reversed(path.parents) if not above.stat().st_mode & stat.S_IXOTH), None) for path in needed}
    for folder in closed - {None}:
        check(library.mount(b"tmpfs", str(folder).encode(), b"tmpfs", 0, b"mode=755"))
        for path in needed:
            if folder in path.parents:
                path.mkdir(parents=True)
                check(library.mount(f"/proc/self/fd/{held[path]}".encode(), str(path).encode(), None, MS_BIND, None))
