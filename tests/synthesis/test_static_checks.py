"""What is rejected without running it; acceptance resumes where it was killed."""

import ast
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from snowcoder.benchmarks.problem import Problem
from snowcoder.decontamination.screen import BenchmarkScreen
from snowcoder.errors import ParameterError
from snowcoder.storage.shards import read_shard
from snowcoder.synthesis import acceptance
from snowcoder.synthesis.acceptance import run_documents
from snowcoder.synthesis.corpus_overlap import CorpusOverlap
from snowcoder.synthesis.static_checks import find_copies, residue, screen_document, undefined_name, unresolved_import
from tests.decontamination.problems import PARAMS as SETTINGS
from tests.exercises.exercise_rules import LIMITS

SCREEN = BenchmarkScreen([], SETTINGS)


def row(content: str, **changes: Any) -> dict[str, Any]:
    values = {"document_id": "d", "content": content, "solution": content, "name": "f", "language": "python", "finish_reason": "stop"}
    return values | {"teacher": "extractive", "n_tests": 1} | changes


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (row("x = 1\n", finish_reason="length"), "unfinished"),
        (row("def f(:\n"), "does_not_parse"),
        (row("import numpy\n"), "unresolved_import"),
        (row("from .sibling import g\n"), "unresolved_import"),
        (row("def f(x):\n    return x + offset\n"), "undefined_name"),
        (row('"""Words alone."""\n'), "no_code"),
        (row("int f( {\n", language="c"), "does_not_parse"),
        (row("def f(x):\n    return x + 12345\n"), "held_out_overlap"),
        (row("# Sure! Here is the code:\nx = 1\n"), "chat"),
    ],
)
def test_one_fault_is_enough(document: dict[str, Any], reason: str):
    held_out = frozenset(
        {ast.dump(ast.parse("def g(x): return x + 12345").body[0].args) + ast.dump(ast.parse("def g(x): return x + 12345").body[0].body[0])}
    )  # type: ignore[attr-defined]
    rejection, _ = screen_document(document, SCREEN, held_out)
    assert rejection is not None
    assert rejection.reason == reason


@pytest.mark.parametrize(("choice", "reason"), [("drop", "generic_match"), ("keep", None)])
def test_a_document_with_nothing_but_a_generic_match_is_rejected_or_kept_with_its_evidence(choice: str, reason: str | None):
    statement = '    """ From the given xs and k return whatever the sum of the larger ones comes to.\n    """\n'
    prompt = f"def total_of_large(xs, k):\n{statement}"
    problem = Problem(
        "b",
        "b/0",
        prompt,
        "    total = 0\n    for x in xs:\n        if x > k:\n            total += x\n    return total\n",
        "",
        "total_of_large",
    )
    screen = BenchmarkScreen([problem], SETTINGS.model_copy(update={"generic_matches": choice}))
    body = "    s = 0\n    for v in vs:\n        if v > least:\n            s += v\n    return s\n"
    rejection, overlaps = screen_document(row(f"def f(vs, least):\n{body}"), screen, frozenset())
    assert (rejection.reason if rejection else None) == reason
    assert [(overlap.problem_id, overlap.reason) for overlap in overlaps] == [("b/0", "generic_match")]
    rejection, _ = screen_document(row(f"def f(xs, k):\n{statement}{body.replace('vs', 'xs').replace('least', 'k')}"), screen, frozenset())
    assert rejection is not None
    assert rejection.reason == "benchmark_overlap"


def test_a_document_of_another_language_is_not_parsed_as_python():
    assert screen_document(row("const x = () => 1;\n", language="javascript"), SCREEN, frozenset()) == (None, [])
    rejection, _ = screen_document(row("x = lambda: 1\n", language="javascript"), SCREEN, frozenset())
    assert rejection is not None
    assert rejection.reason == "does_not_parse"


def test_imports_of_the_standard_library_resolve_wherever_they_stand():
    assert unresolved_import(ast.parse("import os.path\ndef f():\n    from collections import deque\n")) == ""
    assert unresolved_import(ast.parse("def f():\n    import scipy.linalg\n")) == "scipy.linalg"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("def f(x):\n    return g(x) + h(x)\n", "g"),
        ("def f(x) -> Missing:\n    return x\n", ""),  # annotations need not be evaluated
        ("from math import *\nprint(sqrt(2))\n", ""),
        ("count = 0\ndef f():\n    global count\n    count += 1\n", ""),
        ("def f():\n    return later\nlater = 1\n", ""),
        ("class A:\n    x = 1\n    y = [x for _ in range(3)]\n", ""),
        ("try:\n    print(__file__, len(__name__))\nexcept OSError as error:\n    print(error)\n", ""),
        ("if (n := 3) > 2:\n    del n\n", ""),
    ],
)
def test_names_that_nothing_binds(content: str, name: str):
    assert undefined_name(content, ast.parse(content)) == name


def test_copies_are_judged_by_the_limit_of_their_teacher():
    overlaps = [CorpusOverlap(0.9, ""), CorpusOverlap(0.2, "r a.py"), CorpusOverlap(0.5, "")]
    documents = [row("", document_id=name) for name in "abc"]
    found = find_copies(documents, overlaps, {"extractive": 0.8})
    assert {name: rejection.reason for name, rejection in found.items()} == {"a": "copy_of_seed", "b": "near_duplicate_of_corpus"}
    with pytest.raises(ParameterError, match=r"max_seed_containment: no limit for the teacher 'extractive'; found: vllm"):
        find_copies(documents, overlaps, {"vllm": 0.8})


KILLED = """
import sys
from pathlib import Path
from snowcoder.synthesis import acceptance
from tests.synthesis.test_static_checks import LIMITS, documents
acceptance.BATCH_DOCUMENTS = 2
acceptance.run_documents(documents(12), LIMITS, Path(sys.argv[1]))
"""


def documents(count: int) -> list[dict[str, Any]]:
    # every third fails; each takes a moment, so that a kill finds some done and some not
    return [row(f"import time\ntime.sleep(0.1)\nassert {number} % 3\n", document_id=f"{number:02}") for number in range(count)]


def test_killed_in_the_middle_it_goes_on_from_the_last_finished_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    environment = os.environ | {"SNOWCODER_WORKERS": "1", "PYTHONPATH": os.pathsep.join(["src", "."])}
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], env=environment, start_new_session=True)
    while not (tmp_path / "verdicts/000001/manifest.json").exists():
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    finished = sorted((tmp_path / "verdicts").glob("*/manifest.json"))
    assert 2 <= len(finished) < 6
    before = {path: path.stat().st_mtime_ns for path in finished}
    monkeypatch.setattr(acceptance, "BATCH_DOCUMENTS", 2)
    rejections = run_documents(documents(12), LIMITS, tmp_path)
    assert sorted(rejections) == ["00", "03", "06", "09"]
    assert {path: path.stat().st_mtime_ns for path in finished} == before
    assert len(list((tmp_path / "verdicts").glob("*/manifest.json"))) == 6
    assert read_shard(tmp_path / "verdicts/000000/part-00000.parquet")["status"].to_pylist() == ["failed", "passed"]


CODE = '"""Sort the names."""\n\n\ndef ordered(names):\n    return sorted(names)\n'


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (f"Sure! Here is the code:\n{CODE}", "chat"),
        (f"# Here is a Python file that sorts:\n{CODE}", "chat"),
        (f"{CODE}# I hope this helps!\n", "chat"),
        (f"```python\n{CODE}```\n", "code_fence"),
        (f"# As an AI language model, I do not run code.\n{CODE}", "refusal"),
        ("# I'm sorry, but I cannot help with that.\n", "refusal"),
        (f"{CODE}<|eot_id|>", "template_marker"),
        (f"[INST] sort [/INST]\n{CODE}", "template_marker"),
        ("def f(x):\n    # your code here\n    pass\n", "unfinished"),
        ("def f(x):\n    # ... rest of the code\n    pass\n", "unfinished"),
    ],
)
def test_traces_of_a_conversation_are_found(content: str, reason: str):
    found = residue(content)
    assert found is not None
    assert found[0] == reason


@pytest.mark.parametrize(
    "content",
    [
        CODE,
        'def f():\n    """Markdown:\n\n    ```python\n    f()\n    ```\n    """\n    return "user: you"\n',
        "# Here are the cases of the standard.\nCASES = 3\n",
        f"{CODE}{'x = 1' + chr(10)}" * 200 + 'text = "I\'m sorry"\n' + CODE * 40,
        'netloc = f"//user:{password}@host"\n',
        "raise NotImplementedError\n",
    ],
)
def test_ordinary_code_is_left_alone(content: str):
    assert residue(content) is None
