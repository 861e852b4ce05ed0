"""Builds the seccomp filter for bwrap: a program stays one process and cannot ask the kernel for more resources or rights.

Refused: new processes (fork, vfork, clone without CLONE_THREAD; threads are allowed), namespaces and mounts (the newer calls too), tracing
and reading other processes, keyrings, bpf, io_uring, performance counters, the kernel's log, files by handle; sockets of every family but
AF_UNIX (AF_VSOCK reaches a virtual machine's host from any network namespace, and buffers of TCP are counted by no limit of a process);
and the kinds of memory that no resource limit counts (memfd, System V memory, semaphores and queues: 32,000 arrays of 32,000 semaphores).
Sources: linux/seccomp.h, linux/filter.h, linux/audit.h, the system call tables of x86_64 and of aarch64 (asm-generic/unistd.h), and the
default profile of Docker (moby/profiles, seccomp/default.json) for what a container is refused.
"""

import errno
import platform
import struct
from functools import cache

from snowcoder.errors import SandboxError

# BPF instruction codes: load a 32-bit word of seccomp_data; jump if equal, at least, any bit set; return
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000, 0x80000000
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data (little endian)
CLONE_THREAD = 0x00010000
X32_BIT = 0x40000000

# architecture -> (audit number, system call numbers); from 424 on all architectures have the same numbers
NEWER_CALLS = {"io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428, "move_mount": 429, "fsopen": 430,
               "fsconfig": 431, "fsmount": 432, "fspick": 433, "pidfd_open": 434, "pidfd_getfd": 438, "mount_setattr": 442,
               "memfd_secret": 447}  # fmt: skip
REFUSED_CALLS = {
    "x86_64": (
        0xC000003E,
        {"fork": 57, "vfork": 58, "ptrace": 101, "unshare": 272, "setns": 308, "mount": 165, "umount2": 166, "pivot_root": 155,
         "chroot": 161, "add_key": 248, "request_key": 249, "keyctl": 250, "perf_event_open": 298, "bpf": 321, "memfd_create": 319,
         "shmget": 29, "semget": 64, "msgget": 68, "mq_open": 240, "userfaultfd": 323, "process_vm_readv": 310, "process_vm_writev": 311,
         "kcmp": 312, "open_by_handle_at": 304, "fanotify_init": 300, "syslog": 103, **NEWER_CALLS},
    ),
    "aarch64": (
        0xC00000B7,
        {"ptrace": 117, "unshare": 97, "setns": 268, "mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51, "add_key": 217,
         "request_key": 218, "keyctl": 219, "perf_event_open": 241, "bpf": 280, "memfd_create": 279, "shmget": 194, "semget": 190,
         "msgget": 186, "mq_open": 180, "userfaultfd": 282, "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272,
         "open_by_handle_at": 265, "fanotify_init": 262, "syslog": 116, **NEWER_CALLS},
    ),
}  # fmt: skip
SOCKET = {"x86_64": 41, "aarch64": 198}
AF_UNIX = 1
CLONE = {"x86_64": 56, "aarch64": 220}
CLONE3 = 435  # its flags are behind a pointer that a filter cannot follow; ENOSYS makes the C library use clone


@cache
def one_process_filter(machine: str = "") -> bytes:
    """The filter for `machine` (default: this one). Raises SandboxError where its system calls are not known."""
    machine = machine or platform.machine()
    if machine not in REFUSED_CALLS:
        raise SandboxError(f"sandbox: processor {machine!r} is not supported; allowed: {', '.join(REFUSED_CALLS)}")
    architecture, calls = REFUSED_CALLS[machine]
    program = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, 0, 1, X32_BIT),
        (RETURN, 0, 0, REFUSE | errno.ENOSYS),
        (EQUAL, 0, 1, CLONE3),
        (RETURN, 0, 0, REFUSE | errno.ENOSYS),
    ]
    for number in sorted(calls.values()):
        program += [(EQUAL, 0, 1, number), (RETURN, 0, 0, REFUSE | errno.EPERM)]
    program += [
        (EQUAL, 0, 3, SOCKET[machine]),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (EQUAL, 5, 0, AF_UNIX),
        (RETURN, 0, 0, REFUSE | errno.EAFNOSUPPORT),
        (EQUAL, 0, 3, CLONE[machine]),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (ANY_BIT, 1, 0, CLONE_THREAD),
        (RETURN, 0, 0, REFUSE | errno.EPERM),
        (RETURN, 0, 0, ALLOW),
    ]
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in program)
