"""Every section of params.yaml against the model that its component owns.

in: the file as a mapping, the graph   out: sections by name, as far as they are valid; a line for each fault
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import ValidationError, create_model

from snowcoder.annotator.examples import AnnotatorParams, RecipeParams
from snowcoder.benchmarks.loading import FetchBenchmarksParams
from snowcoder.configuration.graph import Graph
from snowcoder.corpus.held_out_split import SplitParams
from snowcoder.corpus.sources import FetchCorpusParams
from snowcoder.decontamination.decontamination_params import DecontaminationParams
from snowcoder.deduplication.deduplication_params import DeduplicationParams
from snowcoder.embedding.encoder_source import EmbedParams
from snowcoder.evaluation.generating.completions import GenerateCompletionsParams
from snowcoder.evaluation.grading.grade_completions import ExecuteCompletionsParams
from snowcoder.evaluation.measuring.bits_per_byte_params import MeasureBitsPerByteParams
from snowcoder.filtering.rules import FilterParams
from snowcoder.labels.labelling import LabelParams
from snowcoder.pipeline.param_faults import closest, describe_allowed, describe_faults, did_you_mean, shown, shown_plainly
from snowcoder.pipeline.params import ParamsModel
from snowcoder.positives.kinds import FetchPositivesParams
from snowcoder.pretraining.model import ModelParams
from snowcoder.pretraining.training_params import TrainingParams, VariantParams
from snowcoder.reporting.report_params import ReportParams
from snowcoder.selection.budgeted_selection import RuleParams, SelectionParams
from snowcoder.synthesis.acceptance_params import AcceptParams
from snowcoder.synthesis.synthesis_params import SynthesizeParams
from snowcoder.tokenization.packing import PackingItemParams, PackingParams
from snowcoder.tokenization.tokenizer import TokenizerParams

# In the order of params.yaml
SECTIONS: dict[str, type[ParamsModel]] = {
    "fetch_corpus": FetchCorpusParams,
    "filter_files": FilterParams,
    "deduplicate_files": DeduplicationParams,
    "fetch_benchmarks": FetchBenchmarksParams,
    "decontaminate_files": DecontaminationParams,
    "split_files": SplitParams,
    "fetch_positives": FetchPositivesParams,
    "train_tokenizer": TokenizerParams,
    "embed_files": EmbedParams,
    "label_files": LabelParams,
    "train_annotator": AnnotatorParams,
    "select_files": SelectionParams,
    "pack_tokens": PackingParams,
    "synthesize_documents": SynthesizeParams,
    "accept_documents": AcceptParams,
    "initialize_model": ModelParams,
    "pretrain": TrainingParams,
    "generate_completions": GenerateCompletionsParams,
    "execute_completions": ExecuteCompletionsParams,
    "measure_bits_per_byte": MeasureBitsPerByteParams,
    "report": ReportParams,
}
# Sections that also hold a mapping for each item of their stage
ITEMS: dict[str, type[ParamsModel]] = {
    "train_annotator": RecipeParams,
    "select_files": RuleParams,
    "pack_tokens": PackingItemParams,
    "pretrain": VariantParams,
}


def validate_sections(raw: Mapping[str, Any], graph: Graph) -> tuple[dict[str, ParamsModel], list[str]]:
    """(valid sections by name, faults). A section with items has them as fields, those that the graph names and no others."""
    sections: dict[str, ParamsModel] = {}
    unknown = [name for name in raw if name not in SECTIONS]
    faults = [f"{shown_plainly(name)}: unknown section; {did_you_mean(name, SECTIONS)}allowed: {', '.join(SECTIONS)}" for name in unknown]
    # a section misspelt is one fault: the right one is not missing too
    meant = {closest(name, SECTIONS) for name in unknown} - raw.keys()
    for name in (section for section in SECTIONS if section not in meant):
        model = section_model(name, tuple(graph.items(name)))
        if raw.get(name) is None:
            is_missing = "missing" if name not in raw else f"found {shown(None)}, an empty section"
            faults.append(f"{name}: {is_missing}; allowed: {describe_allowed(model)}")
            continue
        try:
            sections[name] = model.model_validate(raw[name])
        except ValidationError as error:
            faults += [fault + _item_hint(fault, name, raw[name]) for fault in describe_faults(error, model, name)]
    return sections, faults


@cache
def section_model(name: str, items: tuple[str, ...]) -> type[ParamsModel]:
    """The model of a whole section: its shared keys and, required, one field for each item of its stage."""
    if name not in ITEMS:
        return SECTIONS[name]
    fields: Any = dict.fromkeys(items, (ITEMS[name], ...))
    return create_model(SECTIONS[name].__name__, __base__=SECTIONS[name], **fields)


def _item_hint(fault: str, section: str, raw: Any) -> str:
    """What to do about a mapping under a key that is no item of the graph, or ''."""
    key, is_unknown, _ = fault.removeprefix(f"{section}.").partition(": unknown parameter ")
    is_item = section in ITEMS and is_unknown and isinstance(raw, dict) and isinstance(raw.get(key), dict)
    return f"; a new item goes into the `foreach` of stage {section} in dvc.yaml too" if is_item else ""
