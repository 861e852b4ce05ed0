"""Runs inside the sandbox: calls a function on many argument lists and reports the few calls that together cover most of it.

Nothing of snowcoder is imported here: the sandbox holds the standard library only. recording.py sends this module's source with a last line
that calls `record`. The report leaves as the message of the exception `Recorded`: `<lines reached>/<lines> <payload>`, where the payload is
base85 of deflated text, a line per kept call: `<number of its argument list> <mark><text>`. Marks: `=` the text is the repr of the result;
`@` the repr of the list of what the result yields; `~` a float, rounded to 9 digits; `!` the name of the exception.

A call is kept only if it gives the same twice, on arguments made anew, and the result is finite, short, and equal to what its repr
evaluates to. Steps are counted, not seconds, so that what is kept does not depend on the machine's load.
"""

import base64
import builtins
import functools
import itertools
import math
import sys
import types
import zlib
from typing import Any

FILE = "<solution>"
MAX_STEPS = 20_000  # lines that one call may execute
MAX_ITEMS = 40  # that a generator may yield
MAX_TEXT = 72  # characters of a result
LONG_TEXT = 40  # characters of a result that is taken only where no shorter one shows the same
# exceptions that say only that the arguments were of the wrong kind
CLUMSY = (TypeError, AttributeError, AssertionError, NotImplementedError, NameError, ImportError, RecursionError, MemoryError)

Call = tuple[int, str, str]  # number of the argument list, mark, text


class Recorded(Exception):  # noqa: N818, its name is what the sandbox reports
    """Carries the report out of the sandbox."""


class Endless(BaseException):
    """A call took more than MAX_STEPS lines."""


def record(solution: str, name: str, lines: list[int], arguments: list[str], max_calls: int, max_payload: int) -> None:
    """Raise Recorded with at most `max_calls` calls of the function `name` in at most `max_payload` characters.

    lines: numbers of the lines of `solution` that hold the function's statements.
    """
    module = types.ModuleType("solution")
    sys.modules["solution"] = module
    exec(compile(solution, FILE, "exec"), module.__dict__)
    function_lines = frozenset(lines)
    tried: list[tuple[Call, frozenset[int]]] = []
    for number, text in enumerate(arguments):
        first, reached = _try(module, solution, name, text)
        second, _ = _try(module, solution, name, text)
        if first is not None and first == second:
            tried.append(((number, *first), reached & function_lines))
    calls = choose(tried, arguments, max_calls)
    payload = encode(calls, arguments)
    while calls and len(payload) > max_payload:
        calls = calls[:-1]
        payload = encode(calls, arguments)
    kept = {call[0] for call in calls}
    covered = frozenset().union(*(reached for call, reached in tried if call[0] in kept))
    raise Recorded(f"{len(covered)}/{len(function_lines)} {payload}")


def choose(tried: list[tuple[Call, frozenset[int]]], arguments: list[str], max_calls: int) -> list[Call]:
    """Greedy: what reaches most new lines, then new results, then results that the arguments do not show already, then results before
    exceptions, then short ones, then the order of trial."""
    chosen: list[Call] = []
    covered: frozenset[int] = frozenset()
    rest = list(tried)
    while rest and len(chosen) < max_calls:
        best = min(rest, key=functools.partial(_rank, covered=covered, seen={call[1:] for call in chosen}, arguments=arguments))
        rest.remove(best)
        call, reached = best
        nothing_new = reached <= covered
        if nothing_new and call[1:] in {other[1:] for other in chosen}:
            break
        if nothing_new and call[1] == "!":
            continue
        chosen.append(call)
        covered |= reached
    return chosen


def _rank(
    entry: tuple[Call, frozenset[int]], covered: frozenset[int], seen: set[tuple[str, str]], arguments: list[str]
) -> tuple[int, bool, bool, bool, bool, int]:
    (number, mark, text), reached = entry
    shown = mark != "!" and repeats(text, arguments[number])
    return (-len(reached - covered), (mark, text) in seen, shown, mark == "!", len(text) > LONG_TEXT, number)


def repeats(text: str, arguments: str) -> bool:
    """A result is one of the arguments, in whichever quotes."""
    return text.replace("'", '"') in arguments.replace("'", '"')


def encode(calls: list[Call], arguments: list[str]) -> str:
    """The payload; `arguments` serve as the dictionary of the compression, as results often repeat them."""
    text = "\n".join(f"{number} {mark}{shown}" for number, mark, shown in calls)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, zdict=dictionary(arguments))
    return base64.b85encode(packer.compress(text.encode()) + packer.flush()).decode()


def dictionary(arguments: list[str]) -> bytes:
    """Text that results are likely to share."""
    return "\n".join(["=[('", "', '", "'), (", "]), ([", "=True", "=False", "!ValueError", *arguments]).encode()[-30_000:]


def _try(module: types.ModuleType, solution: str, name: str, arguments: str) -> tuple[tuple[str, str] | None, frozenset[int]]:
    reached: set[int] = set()
    steps = 0

    def trace(frame: types.FrameType, event: str, _: Any) -> Any:
        nonlocal steps
        if frame.f_code.co_filename != FILE:
            return None
        if event == "line":
            steps += 1
            reached.add(frame.f_lineno)
            if steps > MAX_STEPS:
                raise Endless
        return trace

    try:
        # arguments are made before tracing starts: only the function's own lines count
        positional, named = eval(f"(lambda *positional, **named: (positional, named))({arguments})", dict(module.__dict__))
        sys.settrace(trace)
        try:
            found = _describe(module.__dict__[name](*positional, **named))
        finally:
            sys.settrace(None)
    except Endless:
        return None, frozenset()
    except Exception as error:
        return _raised(error, module, solution), frozenset(reached)
    except BaseException:
        return None, frozenset()
    return found, frozenset(reached)


def _describe(value: Any) -> tuple[str, str] | None:
    mark = "="
    if hasattr(value, "__next__"):
        value, mark = list(itertools.islice(value, MAX_ITEMS + 1)), "@"
        if len(value) > MAX_ITEMS:
            return None
    if type(value) is float and mark == "=" and len(repr(value)) > 12:
        return ("~", repr(round(value, 9))) if math.isfinite(value) and 1e-3 < abs(value) < 1e6 else None
    text = repr(value)
    return (mark, text) if len(text) <= MAX_TEXT and "\n" not in text and _is_literal(value, text) else None


def _is_literal(value: Any, text: str) -> bool:
    try:
        again = eval(text, {"__builtins__": {"set": set, "frozenset": frozenset}})
    except Exception:
        return False
    return type(again) is type(value) and again == value and repr(again) == text


def _raised(error: Exception, module: types.ModuleType, solution: str) -> tuple[str, str] | None:
    """The exception's name if a `raise` of the solution raised it and tests can name it."""
    if isinstance(error, CLUMSY):
        return None
    trace, last = error.__traceback__, None
    while trace is not None:
        last, trace = trace, trace.tb_next
    if last is None or last.tb_frame.f_code.co_filename != FILE:
        return None
    if not solution.split("\n")[last.tb_lineno - 1].strip().startswith("raise "):
        return None
    name = type(error).__name__
    return ("!", name) if getattr(builtins, name, module.__dict__.get(name)) is type(error) else None
