"""Measures decontamination: recall by disguise and benchmark, and precision on ordinary code.

`python -m bench.contamination` hides every problem of HumanEval and MBPP+ (SNOWCODER_BENCHMARKS_DIR must hold MbppPlus.jsonl.gz; with
MbppPlus-OriginFmt.jsonl.gz its assertions are tried too) in the disguises of bench/disguises.py, and screens functions, each alone, of the
standard library, of a corpus (`--corpus`, data/deduplicate_files by default, where it is there) and of bench/everyday_functions.py.
It prints shares with Wilson's intervals of 95%, every false match, and what is missed and why (`--missed`: each by name).
`--against COMMIT` does the same with another commit's code and thresholds, and prints both.
"""

import argparse
import ast
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.disguises import CODE_DISGUISES, DISGUISES, assertions_alone, description
from snowcoder.benchmarks.loading import load_benchmark
from snowcoder.benchmarks.pinned_file import FOLDER_VARIABLE, read_records
from snowcoder.benchmarks.problem import Problem
from snowcoder.decontamination.decontamination_params import DecontaminationParams
from snowcoder.decontamination.normalise import read_words
from snowcoder.decontamination.python_tree import read_python
from snowcoder.decontamination.screen import BenchmarkScreen
from snowcoder.pipeline.params import load_section
from snowcoder.seeding import generator
from snowcoder.statistics.intervals import wilson_interval
from snowcoder.storage.shards import MANIFEST, iterate_rows

ROOT = Path(__file__).resolve().parents[1]
EVERYDAY = Path(__file__).with_name("everyday_functions.py")
MBPP_FILE, MBPP_ASSERTIONS_FILE = "MbppPlus.jsonl.gz", "MbppPlus-OriginFmt.jsonl.gz"
# folders of the standard library that hold other people's packages, or tests whose functions are mostly one call
NOT_LIBRARY = {"site-packages", "test", "tests", "idle_test", "__pycache__"}
SEED = 1


def load_problems() -> list[Problem]:
    """HumanEval and MBPP+, each with its published assertions as far as there are any. SystemExit that says what is missing."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder or not (Path(folder) / MBPP_FILE).is_file():
        raise SystemExit(f"{FOLDER_VARIABLE} is {folder or 'not set'}: name a folder that holds {MBPP_FILE} (docs/evaluation.md)")
    return [*load_benchmark("humaneval"), *load_benchmark("mbpp_plus")]


def with_assertions(problems: Sequence[Problem]) -> list[Problem]:
    """The problems for the disguises: MBPP+'s assertions, which its own file has as inputs only, come from the other format's file."""
    path = Path(os.environ[FOLDER_VARIABLE]) / MBPP_ASSERTIONS_FILE
    if not path.is_file():
        print(f"{path}: not found; the disguise {assertions_alone.__name__} is left out for MBPP+", file=sys.stderr)
        return list(problems)
    tests = {f"Mbpp/{record['task_id']}": "\n".join(record["test_list"]) for record in read_records(path, "mbpp_plus", None)}
    return [problem if problem.test else replace(problem, test=tests.get(problem.problem_id, "")) for problem in problems]


def measure_recall(screen: BenchmarkScreen, problems: Sequence[Problem]) -> dict[str, Any]:
    """disguise -> benchmark -> {found, of, missed: [[problem, reason]]}."""
    results: dict[str, Any] = {}
    for disguise in DISGUISES:
        for problem in problems:
            text = disguise(problem)
            if text is None:
                continue
            counts = results.setdefault(disguise.__name__, {}).setdefault(problem.benchmark, {"found": 0, "of": 0, "missed": []})
            counts["of"] += 1
            identities = {(overlap.benchmark, overlap.problem_id) for overlap in screen.overlaps(text)}
            if (problem.benchmark, problem.problem_id) in identities:
                counts["found"] += 1
            else:
                reason = _why_missed(screen.params, problem, disguise in CODE_DISGUISES, disguise is assertions_alone)
                counts["missed"].append([problem.problem_id, reason])
    return results


def _why_missed(params: DecontaminationParams, problem: Problem, is_code: bool, is_test: bool) -> str:
    """What of the problem was to be seen, and whether that is too short to be matched."""
    if is_code:
        tree = read_python(problem.prompt + problem.canonical_solution)
        tokens = max((count for _, _, count in tree.bodies), default=0) if tree else 0
        if tokens < params.min_renamed_tokens:
            return f"too short: {tokens} tokens of code, and {params.min_renamed_tokens} are needed"
        if tokens < params.min_renamed_share_tokens:
            return f"edited, too short for a share: {tokens} tokens of code, and {params.min_renamed_share_tokens} are needed"
        return f"edited beyond min_ngram_overlap: {tokens} tokens of code"
    if is_test:
        words = len(read_words(problem.test))
        return f"few words: {words} in all assertions; one of fewer than {params.min_match_tokens} is not matched"
    return f"few words: the description has {len(read_words(description(problem)))}, and {params.min_match_tokens} are needed"


def functions_of(text: str) -> list[str]:
    """The source of every function of a Python file, with what is nested in it, at the left margin."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return []
    lines = text.splitlines()
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return ["\n".join(line[node.col_offset :] for line in lines[node.lineno - 1 : node.end_lineno]) + "\n" for node in nodes]


def standard_library() -> list[tuple[str, str]]:
    """(where, text) of every function of the standard library."""
    root = Path(sysconfig.get_path("stdlib"))
    paths = sorted(path for path in root.rglob("*.py") if NOT_LIBRARY.isdisjoint(path.relative_to(root).parts))
    return [(str(path.relative_to(root)), text) for path in paths for text in functions_of(path.read_text("utf-8", "replace"))]


def corpus_functions(folder: Path) -> list[tuple[str, str]]:
    """(where, text) of every function of a table of files; none if it is not there."""
    if not (folder / MANIFEST).is_file():
        print(f"{folder}: not found; functions of the corpus are left out (`dvc repro deduplicate_files`)", file=sys.stderr)
        return []
    rows = iterate_rows(folder, ["repository", "path", "language", "content"])
    python = [row for row in rows if row["language"] == "python"]
    return [(f"{row['repository']}/{row['path']}", text) for row in python for text in functions_of(row["content"])]


def measure_precision(screen: BenchmarkScreen, functions: Sequence[tuple[str, str]], most: int | None) -> dict[str, Any]:
    """{screened, matched, generic, matches: [[where, first line, problem, method, reason]]} of at most `most` functions."""
    if most is not None and len(functions) > most:
        chosen = generator(SEED, "bench.contamination").choice(len(functions), most, replace=False)
        functions = [functions[place] for place in sorted(chosen)]
    matches = []
    for where, text in functions:
        for overlap in screen.overlaps(text)[:1]:
            reason = getattr(overlap, "reason", "")  # an older commit's has none
            matches.append([where, text.lstrip().split("\n")[0], f"{overlap.benchmark} {overlap.problem_id}", overlap.method, reason])
    generic = sum(match[-1] == "generic_match" for match in matches)
    return {"screened": len(functions), "matched": len(matches), "generic": generic, "matches": matches}


def measure(root: Path, corpus: Path, most: int) -> dict[str, Any]:
    """All of it, with the thresholds of root/params.yaml and the code that is imported."""
    problems = load_problems()
    screen = BenchmarkScreen(problems, load_section("decontaminate_files", DecontaminationParams, root / "params.yaml"))
    samples = {"standard library": standard_library(), "corpus": corpus_functions(corpus)}
    samples["everyday functions"] = [(EVERYDAY.name, text) for text in functions_of(EVERYDAY.read_text())]
    precision = {name: measure_precision(screen, functions, most) for name, functions in samples.items() if functions}
    return {"recall": measure_recall(screen, with_assertions(problems)), "precision": precision}


def measure_commit(commit: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """`measure` with the code and thresholds of another commit, by this script."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        added = subprocess.run(
            ["git", "worktree", "add", "--quiet", "--detach", str(tree), commit], cwd=ROOT, capture_output=True, text=True
        )
        if added.returncode:
            raise SystemExit(f"--against {commit}: git cannot check it out: {added.stderr.strip()}")
        try:
            command = [sys.executable, "-m", "bench.contamination", "--json", "--root", str(tree)]
            environment = os.environ | {"PYTHONPATH": f"{tree / 'src'}{os.pathsep}{ROOT}"}
            command += ["--corpus", str(arguments.corpus.absolute()), "--functions", str(arguments.functions)]
            output = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT, check=True)
    return dict(json.loads(output))


def share(found: int, of: int) -> str:
    """'143/164 = 87.2% (81.2 to 91.5)'."""
    low, high = wilson_interval(found, of)
    return f"{found}/{of} = {found / of:.1%} ({100 * low:.1f} to {100 * high:.1f})"


def print_recall(sides: dict[str, dict[str, Any]], list_missed: bool) -> None:
    """A line for each disguise, benchmark and side; then what is missed and why."""
    *_, latest = sides.values()
    for disguise, benchmarks in latest["recall"].items():
        for benchmark, counts in benchmarks.items():
            cells = [share(side["recall"][disguise][benchmark]["found"], counts["of"]) for side in sides.values()]
            print(f"recall {disguise:<28} {benchmark:<10} {' | '.join(cells)}")
    print("missed, and why:")
    for disguise, benchmarks in latest["recall"].items():
        for benchmark, counts in benchmarks.items():
            kinds = Counter(reason.split(":")[0] for _, reason in counts["missed"])
            for kind, count in sorted(kinds.items()):
                print(f"  {disguise:<28} {benchmark:<10} {count:>4} {kind}")
            for problem_id, reason in counts["missed"] if list_missed else ():
                print(f"    {problem_id}: {reason}")


def print_precision(sides: dict[str, dict[str, Any]]) -> None:
    """A line for each sample and side, and every match."""
    *_, latest = sides.values()
    for sample in latest["precision"]:
        for name, side in sides.items():
            counts = side["precision"][sample]
            specific = share(counts["matched"] - counts["generic"], counts["screened"])
            print(f"matched of {sample}, {name}: {specific} as an overlap, {counts['generic']} as generic")
            for match in counts["matches"]:
                print(f"    {' | '.join(match)}")


def main(arguments: Iterable[str] | None = None) -> None:
    """Print the measurement; with --json as JSON, for --against."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--functions", type=int, default=2000, help="at most this many of each sample of ordinary functions")
    parser.add_argument("--corpus", type=Path, default=Path("data/deduplicate_files"), help="table of files")
    parser.add_argument("--missed", action="store_true", help="list every missed problem")
    parser.add_argument("--against", metavar="COMMIT", help="measure this commit first")
    parser.add_argument("--json", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    options = parser.parse_args(None if arguments is None else list(arguments))
    load_problems()
    sides = {options.against: measure_commit(options.against, options)} if options.against else {}
    sides["now"] = measure(options.root, options.corpus, options.functions)
    if options.json:
        print(json.dumps(sides["now"]))
        return
    print_recall(sides, options.missed)
    print_precision(sides)


if __name__ == "__main__":
    main()
