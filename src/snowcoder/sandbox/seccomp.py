"""A seccomp filter, as the bytes that bwrap takes: a program stays one process, and cannot ask the kernel for more room or more rights.

Refused: new processes (fork, vfork, clone without CLONE_THREAD; threads are allowed), namespaces and mounts, tracing, keyrings, bpf,
io_uring, performance counters, and the kinds of memory that no resource limit counts (memfd, System V shared memory).
Sources: linux/seccomp.h, linux/filter.h, linux/audit.h, and the system call tables of x86_64 and of aarch64 (asm-generic/unistd.h).
"""

import errno
import platform
import struct

from snowcoder.errors import SandboxError

# BPF instruction codes: load a 32-bit word of seccomp_data; jump if equal, at least, any bit set; return
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000, 0x80000000
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data (little endian)
CLONE_THREAD = 0x00010000
X32_BIT = 0x40000000

# architecture -> (audit number, system call numbers)
REFUSED_CALLS = {
    "x86_64": (
        0xC000003E,
        {"fork": 57, "vfork": 58, "ptrace": 101, "unshare": 272, "setns": 308, "mount": 165, "umount2": 166, "pivot_root": 155,
         "add_key": 248, "request_key": 249, "keyctl": 250, "perf_event_open": 298, "bpf": 321, "memfd_create": 319, "shmget": 29,
         "io_uring_setup": 425, "userfaultfd": 323, "process_vm_readv": 310, "process_vm_writev": 311, "memfd_secret": 447},
    ),
    "aarch64": (
        0xC00000B7,
        {"ptrace": 117, "unshare": 97, "setns": 268, "mount": 40, "umount2": 39, "pivot_root": 41, "add_key": 217, "request_key": 218,
         "keyctl": 219, "perf_event_open": 241, "bpf": 280, "memfd_create": 279, "shmget": 194, "io_uring_setup": 425,
         "userfaultfd": 282, "process_vm_readv": 270, "process_vm_writev": 271, "memfd_secret": 447},
    ),
}  # fmt: skip
CLONE = {"x86_64": 56, "aarch64": 220}
CLONE3 = 435  # its flags lie behind a pointer that a filter cannot follow; ENOSYS makes the C library use clone


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
        (EQUAL, 0, 3, CLONE[machine]),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (ANY_BIT, 1, 0, CLONE_THREAD),
        (RETURN, 0, 0, REFUSE | errno.EPERM),
        (RETURN, 0, 0, ALLOW),
    ]
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in program)
