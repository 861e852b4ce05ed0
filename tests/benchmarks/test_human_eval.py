import ast
import subprocess
import sys

import pytest

from snowcoder.benchmarks.human_eval import find_data_file
from snowcoder.benchmarks.loading import load_benchmark
from snowcoder.errors import SourceError

PINNED = "b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef"


def test_the_package_holds_the_164_problems():
    problems = load_benchmark("humaneval", PINNED)
    assert [one.problem_id for one in problems] == [f"HumanEval/{number}" for number in range(164)]
    assert problems[0].entry_point == "has_close_elements"
    assert problems[0].benchmark == "humaneval"


def test_prompt_and_solution_define_the_entry_point_and_the_test_defines_check():
    for one in load_benchmark("humaneval", PINNED):
        program = ast.parse(one.prompt + one.canonical_solution)
        assert one.entry_point in {node.name for node in program.body if isinstance(node, ast.FunctionDef)}
        assert "check" in {node.name for node in ast.parse(one.test).body if isinstance(node, ast.FunctionDef)}


def test_a_changed_hash_is_refused_with_what_was_found_and_what_is_allowed():
    with pytest.raises(SourceError) as caught:
        load_benchmark("humaneval", "0" * 64)
    for part in (PINNED, "0" * 64, "fetch_benchmarks.sha256.humaneval", "HumanEval.jsonl.gz"):
        assert part in str(caught.value)


def test_a_missing_package_is_told_with_the_command_that_installs_it():
    with pytest.raises(SourceError, match=r"pip install -c constraints\.txt no-such-package-here==1\.0\.3"):
        find_data_file("no-such-package-here")


def test_the_package_is_not_imported():
    """In a process where no other test has imported it."""
    load = f"from snowcoder.benchmarks.loading import load_benchmark; load_benchmark('humaneval', {PINNED!r})"
    look = "import sys; sys.exit(any(name.split('.')[0] == 'human_eval' for name in sys.modules))"
    subprocess.run([sys.executable, "-c", f"{load}; {look}"], check=True)
