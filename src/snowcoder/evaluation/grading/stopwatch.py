"""Limits the time of a solution independently of the machine's load.

Runs inside the sandbox: standard library only.

A call is charged for its processor time and the time it sleeps or waits for input, not for the time it waits for a processor that other
programs use. On an idle machine that is the wall time which EvalPlus limits.
"""

import resource
import signal
import time
from types import FrameType

TICK_S = 0.05
GRACE_S = 2  # for a call inside C code, where no tick arrives: then the kernel ends the process


class OutOfTime(BaseException):
    """Raised in the main thread by the first tick after the limit, and by every later one, until `stop` is called."""


class Stopwatch:
    """Ticks every TICK_S seconds of wall time. One per process: it takes SIGALRM and the soft limit of processor time."""

    def __init__(self) -> None:
        self._asleep = 0.0
        self._deadlines: list[float] = []
        self._cpu, self._wall, self._switches = 0.0, time.monotonic(), 0
        self._soft_cpu_s, self._hard_cpu_s = resource.getrlimit(resource.RLIMIT_CPU)
        signal.signal(signal.SIGALRM, self._tick)
        signal.signal(signal.SIGXCPU, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, TICK_S, TICK_S)

    def now(self) -> float:
        """Seconds charged so far."""
        return time.process_time() + self._asleep

    def start(self, limit_s: float) -> None:
        """Limit what follows, up to the matching `stop`, to `limit_s` charged seconds. Limits nest."""
        self._deadlines.append(self.now() + limit_s)
        soft, hard = int(min(self._deadlines)) + 1 + GRACE_S, self._hard_cpu_s
        soft = soft if hard == resource.RLIM_INFINITY else min(soft, hard)
        if soft != self._soft_cpu_s:
            resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))
            self._soft_cpu_s = soft

    def stop(self) -> None:
        """End the innermost limit."""
        self._deadlines.pop()

    def _tick(self, signum: int, frame: FrameType | None) -> None:
        usage, wall = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
        cpu = usage.ru_utime + usage.ru_stime
        passed, worked = wall - self._wall, cpu - self._cpu
        # a process that only waits for a processor makes no voluntary context switch
        if usage.ru_nvcsw > self._switches and worked < passed / 2:
            self._asleep += passed - worked
        self._cpu, self._wall, self._switches = cpu, wall, usage.ru_nvcsw
        if self._deadlines and cpu + self._asleep > min(self._deadlines):
            raise OutOfTime
