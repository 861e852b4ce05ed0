"""Loads benchmarks by name: where each comes from, and the parameters that choose and pin them."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from snowcoder.benchmarks import bigcodebench, evalplus, evoeval, human_eval
from snowcoder.benchmarks.pinned_file import PinnedSource, find_file, read_records
from snowcoder.benchmarks.problem import Problem, sort_problems
from snowcoder.errors import EmptyResultError, SourceError
from snowcoder.pipeline.param_faults import did_you_mean
from snowcoder.pipeline.params import ParamsModel


@dataclass(frozen=True)
class Benchmark:
    """find: where its file is. parse: records and path -> problems. published: file name -> sha256 of the official release, where known."""

    find: Callable[[], Path]
    parse: Callable[[list[dict[str, Any]], Path], list[Problem]]
    published: Mapping[str, str]


def _from(origin: PinnedSource, name: str) -> Callable[[], Path]:
    return partial(find_file, origin, name)


BENCHMARKS: dict[str, Benchmark] = {
    "humaneval": Benchmark(
        human_eval.find_data_file,
        human_eval.parse_human_eval,
        {"HumanEval.jsonl.gz": "b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef"},
    ),
    "humaneval_plus": Benchmark(
        _from(evalplus.HUMANEVAL_PLUS, "humaneval_plus"),
        evalplus.parse_humaneval_plus,
        {
            "HumanEvalPlus.jsonl.gz": "272720b90ac375502c8ed23cd791c2a93dfb22a911641a494da74a426c09f101",
            "HumanEvalPlus-OriginFmt.jsonl.gz": "daa7661c8189924068069b0872a440b491edb60f8bdf431d5957adc88d18bae5",
        },
    ),
    "mbpp_plus": Benchmark(
        _from(evalplus.MBPP_PLUS, "mbpp_plus"),
        evalplus.parse_mbpp_plus,
        {
            "MbppPlus.jsonl.gz": "af43697e8791c4c149bdfd6b489d8b5412507551ac20e28a439f650b8225db63",
            "MbppPlus-OriginFmt.jsonl.gz": "7a5aec547b134fa297ee6c45f829298aa3f58de02547b8d8a5c3d85d9cb10efc",
        },
    ),
    **{
        f"evoeval_{part}": Benchmark(_from(evoeval.part_origin(part), f"evoeval_{part}"), partial(evoeval.parse_part, part=part), {})
        for part in evoeval.PARTS
    },
    "bigcodebench": Benchmark(_from(bigcodebench.ORIGIN, "bigcodebench"), bigcodebench.parse_bigcodebench, {}),
}


class FetchBenchmarksParams(ParamsModel):
    """Which benchmarks to fetch, each pinned."""

    names: list[str] = Field(min_length=1)
    """The benchmarks: humaneval, humaneval_plus, mbpp_plus, bigcodebench, or evoeval_<part>."""
    sha256: dict[str, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]]
    """The sha256 of each benchmark's source file."""
    accept_changed: list[str] = Field(default=[])
    """Benchmarks whose source file may have another sha256 than the pinned one."""

    @model_validator(mode="after")
    def _known_and_pinned(self) -> Self:
        for field, names in (("names", self.names), ("sha256", self.sha256), ("accept_changed", self.accept_changed)):
            for name in names:
                if name not in BENCHMARKS:
                    raise ValueError(
                        f"{field}: unknown benchmark {name!r}; {did_you_mean(name, BENCHMARKS)}allowed: {', '.join(BENCHMARKS)}"
                    )
        for name in self.names:
            if name not in self.sha256:
                raise ValueError(f"sha256.{name}: missing; allowed: the 64 hex digits of its source file")
        if len(set(self.names)) != len(self.names):
            raise ValueError(f"names: found {self.names}; allowed: each benchmark once")
        return self


def load_benchmarks(params: FetchBenchmarksParams) -> list[Problem]:
    """All problems of the named benchmarks. Raises SourceError if a source is missing or is not the pinned one, EmptyResultError."""
    problems = [problem for name in params.names for problem in load_benchmark(name, params.sha256[name], name in params.accept_changed)]
    if not problems:
        raise EmptyResultError(f"fetch_benchmarks: no problem in {', '.join(params.names)}; check the benchmarks' source files")
    return problems


def load_benchmark(name: str, sha256: str | None = None, accept_changed: bool = False) -> list[Problem]:
    """The problems of one benchmark, in their order.

    sha256: of its file; None for that of the official release where it is known, else whatever this machine read first.
    Raises SourceError if the name is unknown, or the file missing, changed, not of its schema, or holds a problem twice.
    """
    if name not in BENCHMARKS:
        raise SourceError(f"unknown benchmark {name!r}; allowed: {', '.join(BENCHMARKS)}")
    benchmark = BENCHMARKS[name]
    path = benchmark.find()
    records = read_records(path, name, sha256 or benchmark.published.get(path.name), accept_changed)
    try:
        problems = benchmark.parse(records, path)
    except RecursionError as error:  # of a value that could just be read, but not be written
        raise SourceError(f"{path}: benchmark {name}: values are nested too deeply; fetch the file again") from error
    twice = [problem_id for problem_id, count in Counter(problem.problem_id for problem in problems).items() if count > 1]
    if twice:
        raise SourceError(f"{path}: problem {twice[0]} occurs twice; fetch the file again")
    return sort_problems(problems)
