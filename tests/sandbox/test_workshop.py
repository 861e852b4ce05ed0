"""Calls in one warm isolated interpreter: none sees anything of another, and a failure belongs to its own call."""

from collections.abc import Iterator

import pytest

from snowcoder.sandbox.program import SandboxLimits
from snowcoder.sandbox.workshop import Workshop
from tests.sandbox import calls

LIMITS = SandboxLimits(timeout_s=20.0, cpu_s=1, memory_bytes=2**29, max_output_bytes=2**14)


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with Workshop([calls]) as made:
        yield made


def status(workshop: Workshop, program: str) -> str:
    return workshop.call(calls.run, program.encode(), LIMITS).outcome.status


def test_a_result_comes_back(workshop: Workshop) -> None:
    returned = workshop.call(calls.echo, b"ab\0\n", LIMITS)
    assert (returned.outcome.status, returned.result) == ("passed", b"ab\0\nab\0\n")


def test_calls_see_what_was_kept_and_nothing_of_each_other() -> None:
    with Workshop([calls]) as workshop:
        assert workshop.call(calls.see, b"", LIMITS).result == b"1 "
        assert workshop.call(calls.echo, b"x", LIMITS, keep=calls.remember).result == b"kept"
        assert [workshop.call(calls.see, b"", LIMITS).result for _ in range(2)] == [b"1 xx", b"1 xx"]
        assert workshop.starts == 1


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("x = 1", "passed"),
        ("raise ValueError('no')", "failed"),
        ("sys.exit(0)", "failed"),
        ("os._exit(0)", "failed"),  # early, with the best of exit codes
        ("os.write(1, b'ended'); os._exit(0)", "failed"),
        ("for fd in range(3, 64):\n    try:\n        os.write(fd, b'ended')\n    except OSError: pass\nos._exit(0)", "failed"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "killed"),
        ("x = bytearray(2**30)", "out_of_memory"),
        ("while True: pass", "timeout"),
        ("os.fork()", "failed"),
        ("open('/etc/passwd')", "failed"),
        ("import socket; socket.socket()", "failed"),
        ("os.closerange(3, 64); time.sleep(0.1)", "failed"),
    ],
)
def test_how_calls_end(workshop: Workshop, program: str, expected: str) -> None:
    assert status(workshop, program) == expected
    assert status(workshop, "x = 1") == "passed"


def test_a_sleeper_ends_by_the_wall_clock(workshop: Workshop) -> None:
    limits = LIMITS.model_copy(update={"timeout_s": 0.5})
    assert workshop.call(calls.run, b"time.sleep(60)", limits).outcome.status == "timeout"


def test_a_result_beyond_its_bound_is_refused(workshop: Workshop) -> None:
    assert workshop.call(calls.echo, b"x" * 2**14, LIMITS).outcome.status == "killed"


def test_no_file_is_left_for_the_next_call() -> None:
    with Workshop([calls]) as workshop:
        assert status(workshop, "open('left', 'w').write('x')") == "passed"
        assert status(workshop, "assert os.listdir('.') == []") == "passed"
        assert workshop.starts == 2


@pytest.mark.parametrize("signal_name", ["SIGKILL", "SIGSTOP"])
def test_who_attacks_the_interpreter_harms_only_itself(signal_name: str) -> None:
    attack = (
        "for pid in range(1, 50):\n"
        "    try:\n"
        f"        os.kill(pid, signal.{signal_name}) if pid != os.getpid() else 0\n"
        "    except OSError: pass"
    )
    with Workshop([calls]) as workshop:
        workshop.call(calls.run, attack.encode(), LIMITS)
        assert status(workshop, "x = 1") == "passed"


def test_packages_are_there_when_asked_for() -> None:
    with Workshop([calls], packages=["numpy"]) as workshop:
        assert status(workshop, "import numpy; assert numpy.ones(3).sum() == 3") == "passed"
    with Workshop([calls]) as workshop:
        assert status(workshop, "import numpy") == "failed"
