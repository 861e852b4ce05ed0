import struct

import pytest

from snowcoder.errors import SandboxError
from snowcoder.sandbox.seccomp import ALLOW, CLONE, CLONE_THREAD, KILL, REFUSED_CALLS, one_process_filter


def judge(machine: str, number: int, architecture: int | None = None, first_argument: int = 0) -> int:
    """A small interpreter of the filter: the action for one system call."""
    program = [
        struct.unpack_from("<HBBI", one_process_filter(machine), 8 * index) for index in range(len(one_process_filter(machine)) // 8)
    ]
    words = {0: number, 4: REFUSED_CALLS[machine][0] if architecture is None else architecture, 16: first_argument}
    position, accumulator = 0, 0
    while True:
        code, if_true, if_false, operand = program[position]
        if code == 0x06:
            return operand
        if code == 0x20:
            accumulator, step = words[operand], 0
        else:
            test = {0x15: accumulator == operand, 0x35: accumulator >= operand, 0x45: bool(accumulator & operand)}[code]
            step = if_true if test else if_false
        position += 1 + step


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_processes_are_refused_and_threads_allowed(machine: str):
    assert judge(machine, CLONE[machine], first_argument=17) == 0x00050001  # SIGCHLD alone is a fork: EPERM
    assert judge(machine, CLONE[machine], first_argument=CLONE_THREAD | 0x100) == ALLOW
    assert judge(machine, 435) == 0x00050026  # clone3: ENOSYS, so that the C library falls back to clone


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_every_listed_call_is_refused_and_reading_is_allowed(machine: str):
    assert {judge(machine, number) for number in REFUSED_CALLS[machine][1].values()} == {0x00050001}
    assert judge(machine, {"x86_64": 0, "aarch64": 63}[machine]) == ALLOW


def test_calls_of_another_architecture_are_fatal():
    assert judge("x86_64", 2, architecture=0x40000003) == KILL  # fork of i386
    assert judge("x86_64", 0x40000000 + 57) == 0x00050026  # fork of x32


def test_an_unknown_processor_is_named():
    with pytest.raises(SandboxError, match=r"riscv64.*allowed: x86_64, aarch64"):
        one_process_filter("riscv64")
