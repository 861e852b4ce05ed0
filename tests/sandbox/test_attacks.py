"""Hostile programs are contained, for every user, and leave the machine and the runner unchanged.

That an attack would have been seen is shown by running it outside, on a small scale, where it must work.
"""

import os
import pickle
import platform
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from snowcoder.sandbox import isolation, program
from snowcoder.sandbox.program import Outcome, SandboxLimits, run_program
from snowcoder.sandbox.seccomp import CLONE, CLONE3, REFUSED_CALLS
from tests.sandbox.another_user import become, why_not_become
from tests.sandbox.attacks import ATTACKS, HEADER, Attack

LIMITS = SandboxLimits(timeout_s=20.0, cpu_s=5, memory_bytes=2**28, tmp_bytes=2**20)
ORDINARY_USER = 1000
TOKEN = f"snowcoder-attack-{os.getpid()}"
RunProgram = Callable[[str, SandboxLimits], Outcome]


@dataclass(frozen=True)
class World:
    """What an attack could reach, and what of it must not change."""

    folder: Path
    names: dict[str, Any]
    victim: subprocess.Popen[bytes]

    def state(self) -> tuple[Any, ...]:
        device = os.stat("/dev/null")
        traces = [path for folder in ("/", "/tmp", "/var/tmp", "/dev", "/dev/shm") for path in Path(folder).glob(f"*{TOKEN}*")]
        return (
            {path.name: path.read_bytes() for path in self.folder.iterdir() if path.is_file()},
            sorted(path.name for path in self.folder.iterdir()),
            (device.st_mode, device.st_uid, device.st_mtime),
            traces,
            self.victim.poll(),
        )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    for path in (folder, folder.parent, folder.parent.parent):
        path.chmod(0o777)
    secret, device = folder / "secret", folder / "device"
    secret.write_text(TOKEN)
    device.touch()
    victim = subprocess.Popen(["sleep", "600"], env={**os.environ, "SNOWCODER_SECRET": TOKEN})
    abstract, named, tcp = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX), socket.socket()
    abstract.bind(f"\0{TOKEN}")
    named.bind(str(folder / "socket"))
    tcp.bind(("127.0.0.1", 0))
    for listener in (abstract, named, tcp):
        listener.listen(8)
    names = {
        "TOKEN": TOKEN,
        "SECRET": str(secret),
        "FOLDER": str(folder),
        "REPOSITORY": str(Path(__file__).parents[2]),
        "HOME": str(Path.home()),
        "LIBRARY": os.path.dirname(os.__file__),
        "FOLDERS": [
            "/",
            "/dev",
            "/dev/shm",
            "/var/tmp",
            "/run",
            "/usr/lib",
            "/packages",
            str(Path.home()),
            str(folder),
            "/proc/self",
            "/sys",
        ],
        "VICTIM": victim.pid,
        "ADDRESS": f"\0{TOKEN}",
        "PORT": tcp.getsockname()[1],
        "NUMBERS": {**REFUSED_CALLS[platform.machine()][1], "clone": CLONE[platform.machine()], "clone3": CLONE3},
    }
    yield World(folder, names, victim)
    victim.kill()
    victim.wait()
    for listener in (abstract, named, tcp):
        listener.close()


def as_itself(source: str, limits: SandboxLimits) -> Outcome:
    return run_program(source, limits)


def as_ordinary_user(source: str, limits: SandboxLimits) -> Outcome:
    """In a child that has given up root for good."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            become(ORDINARY_USER)
            os.write(writing, pickle.dumps(run_program(source, limits)))
        except BaseException as error:
            os.write(writing, pickle.dumps(repr(error)))
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        result = pickle.load(pipe)
    os.waitpid(child, 0)
    assert isinstance(result, Outcome), result
    return result


@pytest.fixture(params=["root", "user"])
def run(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> RunProgram:
    """run_program as root and as an ordinary user."""
    monkeypatch.setenv("SNOWCODER_SECRET", TOKEN)
    monkeypatch.setitem(isolation.ENVIRONMENT, "MARK", TOKEN)
    is_root = os.geteuid() == 0
    if request.param == "root" and not is_root:
        pytest.skip("the tests do not run as root, so that no program can be run as root")
    if request.param == "user" and is_root and (reason := why_not_become(ORDINARY_USER)):
        pytest.skip(reason)
    return as_ordinary_user if request.param == "user" and is_root else as_itself


def build(attack: Attack, world: World, inside: bool) -> str:
    scale = {"AMOUNT": attack.amount, "TMP": "/tmp", "DEVICE": "/dev/null"}
    small = {"AMOUNT": attack.small, "TMP": str(world.folder), "DEVICE": str(world.folder / "device")}
    names = world.names | (scale if inside else small) | {"INSIDE": inside}
    return "\n".join(f"{name} = {value!r}" for name, value in names.items()) + HEADER + attack.source + "\n"


def marked() -> list[psutil.Process]:
    """Processes, anywhere on the machine, of a program that a test of this file has started."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get("MARK") == TOKEN:
                found.append(process)
    return found


def assert_nothing_is_left() -> None:
    _, alive = psutil.wait_procs(marked(), timeout=10)  # the kernel takes a moment to take a namespace down
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []


def test_a_running_program_would_be_found(run: RunProgram):
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run, "import time\ntime.sleep(1)\n", LIMITS)
        while not (found := marked()) and not running.done():
            pass
        assert running.result().passed
    assert found


@pytest.mark.parametrize(
    "attack", [pytest.param(attack, id=attack.name, marks=[pytest.mark.slow] if attack.slow else []) for attack in ATTACKS]
)
def test_an_attack_is_contained(attack: Attack, run: RunProgram, world: World):
    before = world.state()
    limits = LIMITS.model_copy(update={"timeout_s": attack.timeout_s, "cpu_s": attack.cpu_s})
    outcome = run(build(attack, world, inside=True), limits)
    assert_matches(outcome, attack.expected)
    assert world.state() == before
    assert_nothing_is_left()
    assert run("pass", LIMITS) == Outcome("passed", "")


def assert_matches(outcome: Outcome, expected: str) -> None:
    assert re.match(expected, f"{outcome.status}: {outcome.detail}"), outcome


@pytest.mark.parametrize("attack", [attack for attack in ATTACKS if attack.outside == "works"], ids=lambda attack: attack.name)
def test_outside_the_attack_works(attack: Attack, world: World):
    if attack.needs_root and os.geteuid() != 0:
        pytest.skip("works for root only, and the tests do not run as root")
    kept = set(world.folder.iterdir())
    source = build(attack, world, inside=False)
    ended = subprocess.run(
        [sys.executable, "-S", "-c", source], env={**os.environ, "SNOWCODER_SECRET": TOKEN}, cwd=world.folder, capture_output=True
    )
    for path in set(world.folder.iterdir()) - kept:
        path.unlink()
    assert ended.returncode == 0, ended.stderr.decode()


def test_a_program_cannot_kill_its_parent_nor_anybody_else(run: RunProgram, world: World):
    source = (
        "import os, signal\nfor process in (os.getppid(), -1):\n    try:\n        os.kill(process, signal.SIGKILL)\n"
        "    except OSError:\n        pass\nraise ValueError(os.getppid())\n"
    )
    assert run(source, LIMITS) == Outcome("failed", "ValueError: 1 (line 7)")
    assert world.victim.poll() is None


# without the filter the kernel's own limits have to hold, and the namespace takes all with it at its end


@pytest.fixture
def without_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    allow_all = b"\x06\x00\x00\x00\x00\x00\xff\x7f"
    monkeypatch.setattr(isolation, "one_process_filter", lambda: allow_all)


FORK_UNTIL_REFUSED = """
import os, time
count = 0
try:
    while count < 500:
        if os.fork() == 0:
            time.sleep(100)
            os._exit(0)
        count += 1
except BlockingIOError:
    raise ValueError(count) from None
"""
LEAVE_A_DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(100)
    os._exit(0)
os.wait()
"""


def test_without_the_filter_a_fork_bomb_meets_the_limit_of_processes(run: RunProgram, without_filter: None):
    # the program itself is one of them; where bwrap has the same user, bwrap is another
    allowed = [f"ValueError: {program.MAX_THREADS - others} (line 11)" for others in (1, 2)]
    assert run(FORK_UNTIL_REFUSED, LIMITS).detail in allowed
    assert_nothing_is_left()


def test_without_the_filter_a_daemon_does_not_survive(run: RunProgram, without_filter: None):
    assert run(LEAVE_A_DAEMON, LIMITS).passed
    assert_nothing_is_left()


def test_without_the_filter_there_is_no_way_out_of_the_network_namespace(run: RunProgram, without_filter: None, world: World):
    connect = f"import socket\nsocket.create_connection(('127.0.0.1', {world.names['PORT']}), 2)\n"
    assert run(connect, LIMITS).detail.startswith("ConnectionRefusedError")
    assert "Network is unreachable" in run("import socket\nsocket.create_connection(('192.0.2.1', 80), 2)\n", LIMITS).detail
