"""Parameters of the evaluation-only functions."""

from pydantic import Field

from snowcoder.corpus.repository_limits import FileLimits
from snowcoder.corpus.sources import WheelSource
from snowcoder.pipeline.params import ParamsModel


class UnseenFunctionRules(ParamsModel):
    """Which functions are taken."""

    max_functions_per_repository: int = Field(gt=0)
    """Functions of one distribution, at most; a hash of the function decides which."""
    min_statements: int = Field(gt=0)
    """Statements that a body must have, its docstring aside."""
    max_function_bytes: int = Field(gt=0)
    """Bytes of imports, signature, docstring and body together, at most; what is longer does not fit a small model's window."""
    max_containment: float = Field(ge=0.0, lt=1.0)
    """Largest share of a body's token n-grams that one file of the corpus or of the positives may hold; a function above it is dropped."""


class FetchUnseenParams(FileLimits):
    """Documented functions of distributions that no stage trains on.

    The limits of FileLimits hold per distribution; python alone is taken.
    """

    source: WheelSource
    """The distributions."""
    only_repositories: list[str] | None = Field(default=None, min_length=1)
    """Distributions to take instead of all, for small runs; null: all."""
    functions: UnseenFunctionRules
    """Which of their functions are taken."""
