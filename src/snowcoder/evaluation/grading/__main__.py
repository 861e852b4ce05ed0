"""Grades samples of any model from a file.

`python -m snowcoder.evaluation.grading --benchmark humaneval_plus --samples samples.jsonl --out verdicts.jsonl`
in: samples as samples.py reads them   out: verdicts and their summary as grade_samples.py writes them, and one run in MLflow
A run that was stopped resumes.
"""

import argparse
from functools import partial
from pathlib import Path

from snowcoder.benchmarks.loading import BENCHMARKS, load_benchmark
from snowcoder.evaluation.grading.grade_samples import grade_samples
from snowcoder.pipeline.stage import run_command
from snowcoder.sandbox.program import check_sandbox


def main() -> None:
    """Grade a file of samples."""
    parser = argparse.ArgumentParser(description="Grades a file of samples as the benchmark's own tool does.")
    parser.add_argument("--benchmark", required=True, choices=sorted(BENCHMARKS))
    samples = "JSON lines with task_id and solution (or completion), also .gz or .zst; or a folder of programs, HumanEval_0/0.py"
    parser.add_argument("--samples", required=True, type=Path, help=samples)
    parser.add_argument("--out", required=True, type=Path, help="JSON lines of verdicts")
    repair = "repair samples that do not parse: end tokens, code fences, prose; the output lists them"
    parser.add_argument("--sanitise", "--sanitize", action="store_true", help=repair)
    parser.add_argument("--k", type=int, nargs="+", metavar="K", help="of pass@k; default: 1, 10 and 100 if there are enough samples")
    parser.add_argument("--accept-changed", action="append", default=[], metavar="BENCHMARK", help="accept a changed hash of its file")
    arguments = parser.parse_args()
    run_command(partial(_grade, arguments), arguments.out.parent)


def _grade(arguments: argparse.Namespace) -> None:
    check_sandbox()
    problems = load_benchmark(arguments.benchmark, accept_changed=arguments.benchmark in arguments.accept_changed)
    grade_samples(arguments.benchmark, problems, arguments.samples, arguments.out, arguments.sanitise, arguments.k)


if __name__ == "__main__":
    main()
