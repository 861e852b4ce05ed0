"""Real problems and the committed thresholds, for tests of decontamination."""

import os
from functools import cache
from pathlib import Path

import pytest

from snowcoder.benchmarks.evalplus import HUMANEVAL_PLUS, MBPP_PLUS
from snowcoder.benchmarks.loading import load_benchmark
from snowcoder.benchmarks.problem import Problem
from snowcoder.decontamination.decontamination_params import DecontaminationParams
from snowcoder.decontamination.screen import BenchmarkScreen, Overlap
from snowcoder.pipeline.params import load_section

ROOT = Path(__file__).resolve().parents[2]
PARAMS = load_section("decontaminate_files", DecontaminationParams, ROOT / "params.yaml")


@cache
def human_eval() -> tuple[Problem, ...]:
    return tuple(load_benchmark("humaneval"))


@cache
def screen() -> BenchmarkScreen:
    """HumanEval's screen at the committed thresholds."""
    return BenchmarkScreen(human_eval(), PARAMS)


def plus_problems() -> tuple[Problem, ...]:
    """HumanEval+ and MBPP+; skips where the folder of benchmarks does not hold them."""
    folder = os.environ.get("SNOWCODER_BENCHMARKS_DIR")
    for origin in (HUMANEVAL_PLUS, MBPP_PLUS):
        if not folder or not any((Path(folder) / name).is_file() for name in origin.files):
            pytest.skip(f"SNOWCODER_BENCHMARKS_DIR does not hold {origin.files[0]}")
    return tuple(problem for name in ("humaneval_plus", "mbpp_plus") for problem in load_benchmark(name))


def plant(text: str) -> str:
    return f"import os\n\n\ndef before():\n    return os.getcwd()\n\n\n{text}\n\n\ndef after():\n    return 2\n"


def strongest(content: str, of: BenchmarkScreen | None = None) -> Overlap | None:
    return next(iter((of or screen()).overlaps(content)), None)


def ids(content: str) -> set[str]:
    return {overlap.problem_id for overlap in screen().overlaps(content)}


def problem_of(text: str, number: int = 0, benchmark: str = "b") -> Problem:
    return Problem(benchmark, f"{benchmark}/{number}", "", text, "", "f")
