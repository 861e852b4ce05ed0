"""Records tests from a function: calls it in the sandbox on generated arguments and turns its results into tests.

Such tests say what the function does, not that it is right: they hold by construction. They are kept only where they show something: at
least two different results, most of the function's lines reached, not always the argument given back.
"""

import ast
import base64
import inspect
import zlib
from dataclasses import dataclass

from pydantic import Field

from snowcoder.exercises import recorder
from snowcoder.exercises.cutout import Refusal
from snowcoder.pipeline.params import ParamsModel
from snowcoder.sandbox.program import Outcome, SandboxLimits, run_program

PREFIX = "Recorded: "
# the sandbox hands back one line of 160 characters
MAX_PAYLOAD = 138
MAX_TEXT = 4096  # characters that a payload may unpack to


class RecordingRules(ParamsModel):
    """When the calls of a function become its tests."""

    max_arguments: int = Field(ge=1, le=500)
    """Argument lists that a function is tried on, at most."""
    max_tests: int = Field(ge=2, le=20)
    """Calls that become tests, at most; fewer if their results are long."""
    min_line_fraction: float = Field(ge=0, le=1)
    """Share of the function's lines that the tests together must cover."""


@dataclass(frozen=True)
class RecordedCall:
    """One call and what came of it. mark: as in recorder.py; text: repr of the result, or the exception's name."""

    arguments: str
    mark: str
    text: str


def record_calls(
    solution: str, name: str, arguments: list[str], rules: RecordingRules, limits: SandboxLimits
) -> list[RecordedCall] | Refusal:
    """Telling calls of the function `name` of `solution`, in the order of `arguments`. Raises SandboxError."""
    return read_report(run_program(recorder_program(solution, name, arguments, rules.max_tests), limits), arguments, rules)


def recorder_program(solution: str, name: str, arguments: list[str], max_calls: int) -> str:
    """What runs in the sandbox."""
    lines = statement_lines(solution, name)
    return f"{inspect.getsource(recorder)}\n\nrecord({solution!r}, {name!r}, {lines}, {arguments!r}, {max_calls}, {MAX_PAYLOAD})\n"


def statement_lines(solution: str, name: str) -> list[int]:
    """Numbers of the lines that hold statements of the body of the function `name`, its docstring left out."""
    function = next(node for node in ast.parse(solution).body if isinstance(node, ast.FunctionDef) and node.name == name)
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return sorted({node.lineno for statement in body for node in ast.walk(statement) if isinstance(node, ast.stmt)})


def read_report(outcome: Outcome, arguments: list[str], rules: RecordingRules) -> list[RecordedCall] | Refusal:
    """The calls in what the recorder sent, or why they make no tests. What it sent is untrusted: the function may have sent it."""
    if not outcome.detail.startswith(PREFIX):
        return Refusal("recording_failed", f"{outcome.status}: {outcome.detail}")
    lines, payload, *_ = [*outcome.detail.removeprefix(PREFIX).split(" (line ")[0].split(" "), ""]
    try:
        reached, total = map(int, lines.split("/"))
        unpacker = zlib.decompressobj(-15, zdict=recorder.dictionary(arguments))
        text = unpacker.decompress(base64.b85decode(payload), MAX_TEXT).decode()
        calls = [_read_call(line, arguments) for line in filter(None, text.split("\n"))]
    except (ValueError, IndexError, SyntaxError, zlib.error) as error:
        return Refusal("recording_failed", f"unreadable: {type(error).__name__}")
    calls.sort(key=lambda call: arguments.index(call.arguments))
    return _judge(calls, reached, total, rules)


def _read_call(line: str, arguments: list[str]) -> RecordedCall:
    number, shown = line.split(" ", 1)
    mark, text = shown[0], shown[1:]
    if mark == "!":
        if not text.isidentifier():
            raise ValueError(text)
    elif mark in "=@~":
        ast.literal_eval(text)
    else:
        raise ValueError(mark)
    return RecordedCall(arguments[int(number)], mark, text)


def _judge(calls: list[RecordedCall], reached: int, total: int, rules: RecordingRules) -> list[RecordedCall] | Refusal:
    results = {(call.mark, call.text) for call in calls if call.mark != "!"}
    if not calls:
        return Refusal("no_recordable_call", "")
    if len(results) < 2:
        return Refusal("recorded_results_alike", next(iter(results), ("", "exceptions only"))[1])
    telling = {call.text for call in calls if call.mark != "!" and not recorder.repeats(call.text, call.arguments)}
    if len(telling) < 2:
        return Refusal("recorded_results_repeat_arguments", "")
    if reached < rules.min_line_fraction * total:
        return Refusal("few_lines_reached", f"{reached} of {total}")
    return calls


def render_call(name: str, call: RecordedCall) -> str:
    """The call as a test."""
    invoked = f"{name}({call.arguments})"
    if call.mark == "!":
        return f'try:\n    {invoked}\nexcept {call.text}:\n    pass\nelse:\n    raise AssertionError("{call.text} expected")'
    if call.mark == "~":
        return f"assert abs({invoked} - {call.text}) < 1e-6"
    if call.mark == "@":
        return f"assert list({invoked}) == {call.text}"
    return f"assert {invoked} {'is' if call.text in ('True', 'False', 'None') else '=='} {call.text}"


def render_example(name: str, call: RecordedCall) -> str:
    """The call as an example of a docstring."""
    invoked = f"{name}({call.arguments})"
    if call.mark == "!":
        return f">>> {invoked}\nTraceback (most recent call last):\n    ...\n{call.text}"
    if call.mark == "~":
        return f">>> round({invoked}, 9)\n{call.text}"
    shown = f"list({invoked})" if call.mark == "@" else invoked
    return f">>> {shown}\n{call.text}" if call.text != "None" else f">>> {shown} is None\nTrue"
