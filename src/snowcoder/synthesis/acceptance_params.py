"""Parameters of acceptance. Light: whoever only reads parameters loads no numba."""

from typing import Annotated

from pydantic import Field

from snowcoder.pipeline.params import ParamsModel
from snowcoder.sandbox.program import SandboxLimits


class AcceptParams(ParamsModel):
    """What a document must fulfil."""

    max_repository_fraction: float = Field(
        gt=0, le=1, description="largest share of the documents that may come of one repository; 1 / repositories where there are fewer"
    )
    max_seed_containment: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(
        description="teacher -> largest share of a document's token n-grams that may stand in its seed; near 1 for one that extracts"
    )
    require_tests: bool = Field(description="reject documents that carry no test")
    sandbox: SandboxLimits
