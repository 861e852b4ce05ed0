"""Validates every section of params.yaml against the model that its component owns.

in: the file as a mapping   out: sections by name, as far as they are valid; a line for each fault
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from snowcoder.annotator.examples import AnnotatorParams, RecipeParams
from snowcoder.baselines.baseline_params import ScoreBaselinesParams
from snowcoder.benchmarks.loading import FetchBenchmarksParams
from snowcoder.corpus.held_out_split import SplitParams
from snowcoder.corpus.sources import FetchCorpusParams
from snowcoder.decontamination.decontamination_params import DecontaminationParams
from snowcoder.deduplication.deduplication_params import DeduplicationParams
from snowcoder.embedding.encoder_source import EmbedParams
from snowcoder.evaluation.generating.completions import GenerateCompletionsParams
from snowcoder.evaluation.grading.grade_completions import ExecuteCompletionsParams
from snowcoder.evaluation.measuring.bits_per_byte_params import MeasureBitsPerByteParams
from snowcoder.evaluation.unseen.unseen_params import FetchUnseenParams
from snowcoder.experiment.branch_params import BranchesParams
from snowcoder.filtering.rules import FilterParams
from snowcoder.labels.labelling import LabelParams
from snowcoder.pipeline.param_faults import closest, describe_allowed, did_you_mean, shown, shown_plainly
from snowcoder.pipeline.params import ParamsModel, check
from snowcoder.positives.kinds import FetchPositivesParams
from snowcoder.pretraining.model import ModelParams
from snowcoder.pretraining.training_params import TrainingParams, VariantParams
from snowcoder.selection.budgeted_selection import RuleParams, SelectionParams
from snowcoder.synthesis.acceptance_params import AcceptParams
from snowcoder.synthesis.synthesis_params import SynthesizeParams
from snowcoder.tokenization.packing import PackingItemParams, PackingParams
from snowcoder.tokenization.tokenizer import TokenizerParams

# Items are named after what they become: a stage of DVC, a folder
ItemName = Annotated[str, Field(pattern=r"^\w[\w-]*$")]


class Variant(VariantParams):
    """A whole variant: what it trains, and what it packs."""

    packs: PackingItemParams
    """Its tokens."""


class RecipesSection(ParamsModel):
    """Section train_annotator."""

    shared: AnnotatorParams
    """What all recipes share."""
    recipes: dict[ItemName, RecipeParams] = Field(min_length=1)
    """The recipes by name."""


class RulesSection(ParamsModel):
    """Section select_files."""

    shared: SelectionParams
    """What all rules share."""
    rules: dict[ItemName, RuleParams] = Field(min_length=1)
    """The rules by name."""


class VariantsSection(ParamsModel):
    """Section pretrain."""

    shared: TrainingParams
    """What all variants share."""
    variants: dict[ItemName, Variant] = Field(min_length=1)
    """The variants by name, in the order of the tables."""


# In the order of params.yaml
SECTIONS: dict[str, type[ParamsModel]] = {
    "fetch_corpus": FetchCorpusParams,
    "filter_files": FilterParams,
    "deduplicate_files": DeduplicationParams,
    "fetch_benchmarks": FetchBenchmarksParams,
    "decontaminate_files": DecontaminationParams,
    "split_files": SplitParams,
    "fetch_positives": FetchPositivesParams,
    "fetch_unseen": FetchUnseenParams,
    "train_tokenizer": TokenizerParams,
    "embed_files": EmbedParams,
    "label_files": LabelParams,
    "train_annotator": RecipesSection,
    "select_files": RulesSection,
    "pack_tokens": PackingParams,
    "synthesize_documents": SynthesizeParams,
    "accept_documents": AcceptParams,
    "initialize_model": ModelParams,
    "pretrain": VariantsSection,
    "score_baselines": ScoreBaselinesParams,
    "generate_completions": GenerateCompletionsParams,
    "execute_completions": ExecuteCompletionsParams,
    "measure_bits_per_byte": MeasureBitsPerByteParams,
    "train_branches": BranchesParams,
}


def validate_sections(raw: Mapping[str, Any]) -> tuple[dict[str, ParamsModel], list[str]]:
    """(valid sections by name, faults)."""
    sections: dict[str, ParamsModel] = {}
    by_section: dict[str, list[str]] = {}
    unknown = [name for name in raw if name not in SECTIONS]
    faults = [f"{shown_plainly(name)}: unknown section; {did_you_mean(name, SECTIONS)}allowed: {', '.join(SECTIONS)}" for name in unknown]
    # a misspelt section is one fault: the right one is not missing as well
    meant = {closest(name, SECTIONS) for name in unknown} - raw.keys()
    for name, model in SECTIONS.items():
        if raw.get(name) is not None:
            checked, by_section[name] = check(raw[name], model, name, raw)
            sections |= {name: checked} if checked is not None else {}
        elif name not in meant:
            is_missing = "missing" if name not in raw else f"found {shown(None)}, an empty section"
            by_section[name] = [f"{name}: {is_missing}; allowed: {describe_allowed(model)}"]
    # a fault of what one section reads from another is named once, by its owner
    faults += [fault for name, found in by_section.items() for fault in found if _owner(fault) == name or _owner(fault) in sections]
    return sections, faults


def _owner(fault: str) -> str:
    return fault.split(":")[0].split(".")[0]
