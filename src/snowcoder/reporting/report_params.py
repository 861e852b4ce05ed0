"""Parameters of the report: names the arms to show, so that stray files on disk are never picked up."""

from pathlib import Path

from pydantic import ConfigDict, Field

from snowcoder.experiment.branch_params import BranchesParams
from snowcoder.pipeline.params import PARAMS_PATH, ParamsModel, load_section, read_items, read_yaml, validate
from snowcoder.words import INITIAL


class ReportParams(ParamsModel):
    """The arms of the recipe, from the sections that make them."""

    variants: dict[str, str] = Field(min_length=1)
    """Model -> the model it starts from, in the order of the tables; `initial` is the untrained one."""
    controls: list[tuple[str, str]]
    """(model, the model it is compared with), of the same start, budget and schedule; a model may have several."""
    recipes: list[str] = Field(min_length=1)
    """Annotators, in the order of the tables."""
    rules: list[str] = Field(min_length=1)
    """Selections, in the order of the tables."""
    comparison: BranchesParams
    """The comparison of ways to choose data."""


class Origin(ParamsModel):
    """What the report reads of a variant."""

    model_config = ConfigDict(extra="ignore")

    parent: str
    """Folder of the model that the phase starts from."""
    control_of: str | None = None
    """The variant whose control it is; null: none."""


def load_report_params(path: Path = PARAMS_PATH) -> ReportParams:
    """All variants with their controls, all recipes and rules of params.yaml."""
    sections = read_yaml(path)
    field, variants = read_items(sections, "pretrain", path)
    origins = {name: validate(raw, Origin, f"{field}.{name}", path) for name, raw in variants.items()}
    starts = {name: Path(origin.parent).name for name, origin in origins.items()}
    return ReportParams(
        variants={name: INITIAL if start == "initialize_model" else start for name, start in starts.items()},
        controls=[(origin.control_of, name) for name, origin in origins.items() if origin.control_of],
        recipes=list(read_items(sections, "train_annotator", path)[1]),
        rules=list(read_items(sections, "select_files", path)[1]),
        comparison=load_section("train_branches", BranchesParams, path),
    )


def control_names(params: ReportParams) -> set[str]:
    """The models that others are compared with."""
    return {control for _, control in params.controls}


def ladder(params: ReportParams) -> list[str]:
    """The models of the recipe's main line: those that are nobody's control, in the order of params."""
    return [variant for variant in params.variants if variant not in control_names(params)]
