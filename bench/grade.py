"""Compares grading with EvalPlus' own program: the same file of samples, one after the other, with as many processes.

`EVALPLUS_PYTHON=.venv-evalplus/bin/python python -m bench.grade [--quick] [--benchmark humaneval_plus]` (`make .venv-evalplus/.installed`
makes that environment): wall times, disagreements, and last `ratio <evalplus / ours>`. Default: both benchmarks whole, 10 samples per
problem; --quick: each 12th problem, below five minutes.

EvalPlus is started as its users start it (`python -m evalplus.evaluate --parallel 2`), with the file that it is given; its ground truth is
computed anew, as ours is. A thread of it that looks for stuck samples sleeps for 20 s at a time and keeps the program from ending: those
seconds (from its last result to its end) are counted apart, and not in the ratio.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from bench.samples import make_samples
from snowcoder.benchmarks.loading import load_benchmark
from snowcoder.benchmarks.pinned_file import FOLDER_VARIABLE
from snowcoder.benchmarks.problem import Problem
from snowcoder.evaluation.grading.differential import grade_problems

# As a small base model's: a third right, the others wrong in the usual ways; one in a hundred never ends
ROUND = ("canonical", "mutated", "truncated", "prints", "exception", "mutated", "wrong_type", "renamed", "mutates_inputs", "mutated")
KINDS = (*ROUND * 9, *ROUND[:-1], "infinite_loop")
EVALPLUS_VERSION = "0.3.1"
EVALPLUS = {"humaneval_plus": ("humaneval", "HumanEvalPlus.jsonl.gz"), "mbpp_plus": ("mbpp", "MbppPlus.jsonl.gz")}
# EvalPlus 0.3.1 refuses every solution of this problem, its own too: the branch of its special oracle leaves without counting the input
REFUSED_BY_EVALPLUS = "HumanEval/32"
# Its default of 4 GB, which also holds a copy of every problem's outputs, makes it refuse its own solution of Mbpp/255
EVALPLUS_MEMORY_BYTES = 16 * 2**30
Verdicts = dict[str, list[tuple[bool, bool]]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--benchmark", choices=sorted(EVALPLUS), action="append")
    parser.add_argument("--samples", type=int, default=10, help="per problem")
    parser.add_argument("--every", type=int, help="take each n-th problem")
    parser.add_argument("--min-time-limit", default="1", help="EvalPlus' own; 1 is its default")
    arguments = parser.parse_args()
    check_evalplus()
    os.environ["SNOWCODER_WORKERS"] = "2"
    totals: Counter[str] = Counter()
    for benchmark in arguments.benchmark or sorted(EVALPLUS):
        problems = load_benchmark(benchmark)[:: arguments.every or (12 if arguments.quick else 1)]
        totals.update(compare(benchmark, problems, arguments.samples, arguments.min_time_limit))
    print(f"ratio {totals['evalplus'] / totals['ours']:.2f}")


def check_evalplus() -> None:
    """Leave at once, and say what to do, where EvalPlus or the files that both sides read are not there."""
    python = os.environ.get("EVALPLUS_PYTHON", sys.executable)
    try:
        version = "from importlib.metadata import version; print(version('evalplus'))"
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        found = subprocess.run([python, "-c", version], capture_output=True, text=True, check=True, env=environment).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        found = "none"
    if found != EVALPLUS_VERSION:
        sys.exit(
            f"error: EVALPLUS_PYTHON: {python}: evalplus: found {found}; allowed: {EVALPLUS_VERSION}, in its own environment: run "
            "`make .venv-evalplus/.installed`, then `EVALPLUS_PYTHON=.venv-evalplus/bin/python python -m bench.grade`"
        )
    folder = os.environ.get(FOLDER_VARIABLE)
    missing = [file for _, file in EVALPLUS.values() if folder is None or not (Path(folder) / file).is_file()]
    if missing:
        sys.exit(f"error: {FOLDER_VARIABLE}: found {folder}; needs a folder that holds {' and '.join(missing)} (docs/evaluation.md)")


def compare(benchmark: str, problems: list[Problem], per_problem: int, min_time_limit: str) -> dict[str, float]:
    """Seconds of each side."""
    rows = make_samples(problems, per_problem, 1, KINDS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = [json.dumps({"task_id": row["task_id"], "solution": row["solution"]}) + "\n" for row in rows]
        (folder / "samples.jsonl").write_text("".join(lines))
        started = time.perf_counter()
        ours = grade_ours(problems, rows)
        ours_s = time.perf_counter() - started
        theirs, theirs_s, waited_s = grade_evalplus(benchmark, problems, folder, min_time_limit)
    different = [
        (problem, index, group)
        for problem, verdicts in ours.items()
        for index, pair in enumerate(zip(verdicts, theirs[problem], strict=True))
        for group in (0, 1)
        if pair[0][group] != pair[1][group] and problem != REFUSED_BY_EVALPLUS
    ]
    kinds = dict(Counter(row["kind"] for row in rows))
    passed = sum(all(pair) for verdicts in ours.values() for pair in verdicts)
    print(f"{benchmark}: {len(rows)} samples of {len(problems)} problems, {passed} right; {kinds}")
    print(f"{benchmark}: {2 * len(rows)} verdicts, {len(different)} differ (without {REFUSED_BY_EVALPLUS}) {different[:5] or ''}")
    print(
        f"{benchmark}: ours {ours_s:.1f} s, evalplus {theirs_s:.1f} s and {waited_s:.1f} s of waiting, {theirs_s / ours_s:.2f} times",
        flush=True,
    )
    return {"ours": ours_s, "evalplus": theirs_s}


def grade_ours(problems: list[Problem], rows: list[dict[str, str]]) -> Verdicts:
    """(base, plus) of every sample."""
    solutions: dict[str, list[str]] = {}
    for row in rows:
        solutions.setdefault(row["task_id"], []).append(row["solution"])
    graded = grade_problems({problem: solutions[problem.problem_id] for problem in problems})
    return {problem.problem_id: [(one["base"][0], one["plus"][0]) for one in found] for problem, found in graded}


def grade_evalplus(benchmark: str, problems: list[Problem], folder: Path, min_time_limit: str) -> tuple[Verdicts, float, float]:
    """(verdicts, seconds up to its last result, seconds that it waited then)."""
    dataset, file = EVALPLUS[benchmark]
    chosen = {problem.problem_id for problem in problems}
    with gzip.open(Path(os.environ[FOLDER_VARIABLE]) / file, "rt") as lines:
        (folder / "problems.jsonl").write_text("".join(line for line in lines if json.loads(line)["task_id"] in chosen))
    path = str(folder / "problems.jsonl")
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        **{"HUMANEVAL_OVERRIDE_PATH": path, "MBPP_OVERRIDE_PATH": path, "XDG_CACHE_HOME": str(folder / "cache")},
        "EVALPLUS_MAX_MEMORY_BYTES": str(EVALPLUS_MEMORY_BYTES),
    }
    python = os.environ.get("EVALPLUS_PYTHON", sys.executable)
    command = [python, "-m", "evalplus.evaluate", "--dataset", dataset, "--samples", str(folder / "samples.jsonl"), "--parallel", "2"]
    log, results, ended = folder / "evalplus.log", folder / "samples_eval_results.json", 0.0
    started = time.perf_counter()
    with log.open("wb") as file:
        process = subprocess.Popen([*command, "--min-time-limit", min_time_limit], env=environment, stdout=file, stderr=file)
    while process.poll() is None:
        if not ended and results.exists():
            ended = time.perf_counter()
        time.sleep(0.05)
    if process.returncode or not results.exists():
        said = log.read_text(errors="replace")[-2000:]
        sys.exit(f"error: evalplus ended with {process.returncode}\n{said}")
    finished = time.perf_counter()
    ended = ended or finished
    evaluated = json.loads(results.read_text())["eval"]
    verdicts = {
        problem: [(one["base_status"] == "pass", one["plus_status"] == "pass") for one in found] for problem, found in evaluated.items()
    }
    return verdicts, ended - started, finished - ended


if __name__ == "__main__":
    main()
