"""What the report shows: the arms of the recipe by name, never whatever files happen to lie about."""

from pydantic import Field

from snowcoder.pipeline.params import ParamsModel


class ReportParams(ParamsModel):
    """Section `report` of params.yaml.

    variants: model -> the model it starts from, in the order of the tables; `initial` is the untrained one
    controls: model -> the model it is compared with (same start, same budget, same schedule)
    recipes: annotators
    rules: selections
    """

    variants: dict[str, str] = Field(min_length=1)
    controls: dict[str, str]
    recipes: list[str] = Field(min_length=1)
    rules: list[str] = Field(min_length=1)


def ladder(params: ReportParams) -> list[str]:
    """The models of the recipe's main line: those that are nobody's control, in the order of params."""
    return [variant for variant in params.variants if variant not in params.controls.values()]
