"""Which benchmarks there are, and the parameters that choose and pin them."""

from collections.abc import Callable
from typing import Self

from pydantic import Field, model_validator

from snowcoder.benchmarks.evalplus import load_humaneval_plus, load_mbpp_plus
from snowcoder.benchmarks.human_eval import load_human_eval
from snowcoder.benchmarks.problem import Problem
from snowcoder.params import ParamsModel

# name -> loader, which takes the pinned sha256 of its source file
LOADERS: dict[str, Callable[[str], list[Problem]]] = {
    "humaneval": load_human_eval,
    "humaneval_plus": load_humaneval_plus,
    "mbpp_plus": load_mbpp_plus,
}


class FetchBenchmarksParams(ParamsModel):
    """Which benchmarks to fetch, each pinned."""

    names: list[str] = Field(min_length=1, description=f"benchmarks, of: {', '.join(LOADERS)}")
    sha256: dict[str, str] = Field(description="benchmark -> sha256 (64 hex digits) of its source file")

    @model_validator(mode="after")
    def _known_and_pinned(self) -> Self:
        for name in self.names:
            if name not in LOADERS:
                raise ValueError(f"names: unknown benchmark {name!r}; allowed: {', '.join(LOADERS)}")
            if len(self.sha256.get(name, "")) != 64:
                raise ValueError(f"sha256.{name}: found {self.sha256.get(name)!r}; allowed: 64 hex digits")
        if len(set(self.names)) != len(self.names):
            raise ValueError("names: a benchmark is named twice")
        return self


def load_benchmarks(params: FetchBenchmarksParams) -> list[Problem]:
    """All problems of the named benchmarks. Raises SourceError if a source is missing or is not the pinned one."""
    return [problem for name in params.names for problem in LOADERS[name](params.sha256[name])]
