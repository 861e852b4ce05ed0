"""Measures the sandbox: wall time of the program `pass` minus that of the bare interpreter, and programs per second.

`python -m bench.sandbox` prints a table and, last, `overhead <ms of run_program("pass") above python -I -S -c pass> ms`.
"""

import os
import statistics
import subprocess
import time
from collections.abc import Callable

from snowcoder.sandbox.mounts import interpreter
from snowcoder.sandbox.program import SandboxLimits, run_program, run_programs

ROUNDS = 200
PROGRAMS = 400
LIMITS = SandboxLimits(timeout_s=60.0, cpu_s=10, memory_bytes=2**30)
WITH_NUMPY = LIMITS.model_copy(update={"packages": ["numpy"]})
TYPICAL = "from typing import List\nimport math\n\ndef f(x: List[int]) -> int:\n    return math.prod(x)\n\nassert f([2, 3]) == 6\n"


def bare(source: str) -> None:
    """The interpreter without a sandbox."""
    subprocess.run([interpreter(), "-I", "-S", "-c", source], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)


def sandboxed(source: str, limits: SandboxLimits = LIMITS) -> None:
    """One program as the grader runs it."""
    outcome = run_program(source, limits)
    assert outcome.passed, outcome


def milliseconds(function: Callable[[], None]) -> float:
    """Wall time of one call."""
    started = time.perf_counter()
    function()
    return 1000 * (time.perf_counter() - started)


def programs_per_second(source: str, workers: int) -> float:
    """Rate of run_programs over PROGRAMS copies of `source`."""
    os.environ["SNOWCODER_WORKERS"] = str(workers)
    started = time.perf_counter()
    outcomes = run_programs([source] * PROGRAMS, LIMITS)
    rate = PROGRAMS / (time.perf_counter() - started)
    assert all(outcome.passed for outcome in outcomes)
    return rate


def main() -> None:
    """Measure in turns and print the medians."""
    cases: dict[str, Callable[[], None]] = {
        "python -I -S -c pass": lambda: bare("pass"),
        "run_program('pass')": lambda: sandboxed("pass"),
        "run_program(typing, math)": lambda: sandboxed(TYPICAL),
        "run_program(import numpy), packages=['numpy']": lambda: sandboxed("import numpy", WITH_NUMPY),
    }
    times: dict[str, list[float]] = {name: [] for name in cases}
    for function in cases.values():
        function()  # warm-up
    for round_number in range(ROUNDS):
        for name, function in cases.items():
            if "numpy" not in name or round_number % 10 == 0:
                times[name].append(milliseconds(function))
    print(f"{'':48} {'median ms':>10} {'p10':>7} {'p90':>7}")
    for name, values in times.items():
        deciles = statistics.quantiles(values, n=10)
        print(f"{name:48} {statistics.median(values):10.1f} {deciles[0]:7.1f} {deciles[-1]:7.1f}")
    for workers in (1, 2):
        for name, source in (("pass", "pass"), ("typing, math", TYPICAL)):
            print(f"{f'run_programs({name}), {workers} workers':48} {programs_per_second(source, workers):10.1f} programs/s")
    bare_ms, sandboxed_ms = (statistics.median(times[name]) for name in list(cases)[:2])
    print(f"overhead {sandboxed_ms - bare_ms:.1f} ms")


if __name__ == "__main__":
    main()
