"""Runs a problem's unittest.TestCase on a solution, as BigCodeBench does (bigcode-project/bigcodebench, eval/__init__.py).

Runs inside the sandbox (sandbox/workshop.py); the packages that solutions import are mounted there.

check_tests: in a fork. in: pickled {solution, test, limit_s}   out: JSON {passed, detail, seconds}
"""

import builtins
import io
import json
import os
import pickle
import re
import sys
import types
import unittest
from typing import Any

from snowcoder.evaluation.grading.stopwatch import OutOfTime, Stopwatch

MODULE_NAME = "__test__"
MAX_DETAIL_CHARACTERS = 160


def check_tests(argument: bytes) -> bytes:
    """Solution and tests make one module; every test of its class TestCases must pass."""
    task = pickle.loads(argument)
    for name in ("HOME", "MPLCONFIGDIR"):
        os.environ[name] = os.getcwd()  # matplotlib and others want a folder to write in
    sys.stdin = sys.stdout = sys.stderr = io.StringIO()
    watch = Stopwatch()
    started = watch.now()
    watch.start(task["limit_s"])
    try:
        detail = _run(task["solution"] + "\n" + task["test"])
    except OutOfTime:
        detail = "out of time"
    except BaseException as error:
        detail = f"{type(error).__name__}: {error}"
    finally:
        watch.stop()
    detail = " ".join(detail.encode("utf-8", "replace").decode().split())[:MAX_DETAIL_CHARACTERS]
    return json.dumps({"passed": not detail, "detail": detail, "seconds": watch.now() - started}).encode()


def _run(source: str) -> str:
    """What failed, or ''."""
    module = types.ModuleType(MODULE_NAME)
    given: dict[str, Any] = {"__builtins__": builtins, "__file__": f"{MODULE_NAME}.py", "__package__": None, "__doc__": None}
    module.__dict__.update(given, sys=sys, os=os, environ=os.environ)
    exec(compile(source, f"{MODULE_NAME}.py", "exec", dont_inherit=True), module.__dict__)
    sys.modules[MODULE_NAME] = module
    result = unittest.TestResult()
    unittest.TestLoader().loadTestsFromTestCase(module.__dict__["TestCases"]).run(result)
    problems = result.failures + result.errors
    return "; ".join(f"{test.id().rpartition('.')[2]}: {_said(trace)}" for test, trace in problems)


def _said(trace: str) -> str:
    """The line of a traceback that names the exception; what unittest adds below it shows how two values differ."""
    lines = trace.strip().splitlines()
    return next((line for line in reversed(lines) if re.match(r"[\w.]*(Error|Exception|Exit)\b", line)), lines[-1])
