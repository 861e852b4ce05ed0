"""Parameters of acceptance. Reading them does not import numba."""

from typing import Annotated

from pydantic import Field

from snowcoder.pipeline.params import ParamsModel
from snowcoder.sandbox.program import SandboxLimits


class AcceptParams(ParamsModel):
    """What a document must fulfil."""

    max_repository_fraction: float = Field(gt=0, le=1)
    """Share of the documents that may come from one repository, at most; 1 / repositories if there are fewer."""
    max_seed_containment: dict[str, Annotated[float, Field(ge=0, le=1)]]
    """Teacher -> share of a document's token n-grams that its seed may contain, at most; near 1 for one that extracts."""
    require_tests: bool
    """Whether documents without a test are rejected."""
    sandbox: SandboxLimits
    """What a document's program and tests may use."""
