"""Tests recorded by running functions in the sandbox: what is kept, and what is refused."""

import base64
import zlib

import pytest

from snowcoder.exercises.arguments import candidate_arguments
from snowcoder.exercises.cutout import Refusal
from snowcoder.exercises.names import parse
from snowcoder.exercises.recording import RecordedCall, RecordingRules, record_calls, render_call, render_example
from snowcoder.sandbox.program import SandboxLimits, run_program

LIMITS = SandboxLimits(timeout_s=30.0, cpu_s=5, memory_bytes=2**29)
RULES = RecordingRules(max_arguments=60, max_tests=5, min_line_fraction=0.75)
GRADE = """def grade(score):
    if score < 0:
        raise ValueError(score)
    if score > 50:
        return 'high'
    return 'low'
"""
RARE = """def f(number):
    if number == 987654321:
        a = 1
        b = a + 2
        c = b * 3
        return c
    return number * 2
"""


def record(source: str, name: str = "f") -> list[RecordedCall] | Refusal:
    tree = parse(source)
    assert tree is not None
    function = source[source.index(f"def {name}(") :]
    return record_calls(source, name, candidate_arguments(function, [], tree, RULES.max_arguments), RULES, LIMITS)


def test_recorded_tests_pass_reach_every_branch_and_fail_for_other_code():
    calls = record(GRADE, "grade")
    assert isinstance(calls, list)
    assert {call.text for call in calls} >= {"'high'", "'low'", "ValueError"}
    tests = "\n".join(render_call("grade", call) for call in calls)
    assert run_program(f"{GRADE}\n{tests}\n", LIMITS).passed
    assert not run_program(f"{GRADE.replace('50', '5000')}\n{tests}\n", LIMITS).passed


def test_what_a_generator_yields_is_recorded_as_a_list():
    calls = record("def f(items):\n    for item in items:\n        yield item, item\n")
    assert isinstance(calls, list)
    assert all(call.mark == "@" for call in calls)
    assert render_call("f", calls[0]).startswith("assert list(f(")


def test_long_floats_are_compared_within_a_tolerance():
    calls = record("import math\n\n\ndef f(number):\n    return math.sqrt(abs(number) + 0.5)\n")
    assert isinstance(calls, list)
    assert any("- 1.870828693) < 1e-6" in render_call("f", call) for call in calls)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import itertools\ncounter = itertools.count()\n\n\ndef f(x):\n    return next(counter)\n", "no_recordable_call"),
        ("def f(x):\n    return object()\n", "no_recordable_call"),
        ("def f(x):\n    while True:\n        x = 1\n    return x\n", "no_recordable_call"),
        ("def f(x):\n    return float('nan')\n", "no_recordable_call"),
        ("def f(x):\n    import sys\n    sys.exit(0)\n    return x\n", "no_recordable_call"),
        ("def f(x):\n    return None\n", "recorded_results_alike"),
        ("def f(x):\n    raise ValueError(x)\n    return 1\n", "recorded_results_alike"),
        ("def f(x):\n    return x\n", "recorded_results_repeat_arguments"),
        (RARE, "few_lines_reached"),
        ("raise SystemExit(3)\n\n\ndef f(x):\n    return x\n", "recording_failed"),
        ("import os\n\n\ndef f(x):\n    os._exit(0)\n", "recording_failed"),
    ],
)
def test_what_shows_nothing_is_refused(source: str, reason: str):
    result = record(source)
    assert isinstance(result, Refusal), result
    assert result.reason == reason


@pytest.mark.parametrize("message", ["", "1/1", "1/1 %%%", "x/y abc", "1/1 " + base64.b85encode(zlib.compress(b"99 =1")).decode()])
def test_a_forged_report_is_a_failed_recording(message: str):
    source = f"class Recorded(Exception):\n    pass\n\n\nraise Recorded({message!r})\n\n\ndef f(x):\n    return x\n"
    result = record(source)
    assert isinstance(result, Refusal)
    assert result.reason in ("recording_failed", "no_recordable_call")


def test_recording_is_repeatable():
    source = "def f(text):\n    return {word: len(word) for word in text.split()}\n"
    first = record(source)
    assert isinstance(first, list)
    assert first == record(source)


@pytest.mark.parametrize(
    ("call", "example"),
    [
        (RecordedCall("1, b=2", "=", "'x'"), ">>> f(1, b=2)\n'x'"),
        (RecordedCall("1", "=", "None"), ">>> f(1) is None\nTrue"),
        (RecordedCall("1", "@", "[1]"), ">>> list(f(1))\n[1]"),
        (RecordedCall("1", "!", "ValueError"), ">>> f(1)\nTraceback (most recent call last):\n    ...\nValueError"),
    ],
)
def test_a_call_as_an_example(call: RecordedCall, example: str):
    assert render_example("f", call) == example
