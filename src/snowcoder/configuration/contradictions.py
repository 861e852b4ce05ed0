"""What one section of params.yaml demands of another, and of the graph.

A check is a generator of faults whose arguments are named after the sections that it compares (`graph` is dvc.yaml): it runs where all of
them are valid.
"""

import inspect
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar, get_args

from snowcoder.annotator.examples import RecipeParams
from snowcoder.configuration.graph import Graph
from snowcoder.corpus.sources import FetchCorpusParams
from snowcoder.embedding.encoder_source import EmbedParams, local_folder
from snowcoder.evaluation.generating.completions import GenerateCompletionsParams
from snowcoder.evaluation.measuring.bits_per_byte_params import MeasureBitsPerByteParams
from snowcoder.filtering.rules import FilterParams
from snowcoder.pipeline.param_faults import did_you_mean, shown
from snowcoder.pipeline.params import ParamsModel
from snowcoder.positives.kinds import FetchPositivesParams
from snowcoder.pretraining.model import ModelParams
from snowcoder.pretraining.training_params import VariantParams
from snowcoder.reporting.report_params import ReportParams
from snowcoder.reporting.results import input_paths
from snowcoder.selection.budgeted_selection import RuleParams, SelectionParams
from snowcoder.synthesis.acceptance_params import AcceptParams
from snowcoder.synthesis.synthesis_params import SynthesizeParams, TeacherParams
from snowcoder.tokenization.packing import PackingItemParams, PackingParams
from snowcoder.tokenization.tokenizer import TokenizerParams
from snowcoder.words import INITIAL

NO_DOCUMENTS = "data/split_files"  # what dvc.yaml names for an item of pack_tokens without documents
# Variants that see the whole selection, all repeats of it
ON_THE_SELECTION = ("continued", "continued_random")

# Stages whose items are those of pretrain
MEASURING = ("generate_completions", "execute_completions", "measure_bits_per_byte")

TEACHERS = [kind for model in get_args(get_args(TeacherParams)[0]) for kind in get_args(model.model_fields["kind"].annotation)]

Faults = Iterator[str]
Item = TypeVar("Item", bound=ParamsModel)


def disagreements(sections: Mapping[str, ParamsModel], graph: Graph) -> list[str]:
    """Faults of all checks whose sections are valid."""
    known: dict[str, Any] = {**sections, "graph": graph}
    faults: list[str] = []
    for check in CHECKS:
        names = inspect.signature(check).parameters
        if names.keys() <= known.keys():
            faults += check(**{name: known[name] for name in names})
    return faults


def check_vocabulary(train_tokenizer: TokenizerParams, initialize_model: ModelParams) -> Faults:
    """A pinned tokenizer brings its own number of ids: initialize_model compares it with what it finds."""
    if train_tokenizer.pinned_folder is None and initialize_model.vocab_size != train_tokenizer.vocab_size:
        wanted = f"train_tokenizer.vocab_size {train_tokenizer.vocab_size}"
        yield f"initialize_model.vocab_size: found {initialize_model.vocab_size}; allowed: {wanted}; change both together"


def check_positions(
    initialize_model: ModelParams,
    train_tokenizer: TokenizerParams,
    pack_tokens: PackingParams,
    generate_completions: GenerateCompletionsParams,
    measure_bits_per_byte: MeasureBitsPerByteParams,
) -> Faults:
    """Nothing is longer than the model's positions."""
    lengths = {
        "pack_tokens.sequence_length": pack_tokens.sequence_length,
        "train_tokenizer.model_max_length": train_tokenizer.model_max_length,
        "generate_completions.window_tokens": generate_completions.window_tokens,
        "measure_bits_per_byte.window_tokens": measure_bits_per_byte.window_tokens,
    }
    positions = initialize_model.max_positions
    for field, length in lengths.items():
        if length is not None and length > positions:
            yield f"{field}: found {length}; allowed: at most initialize_model.max_positions {positions}"
    window = generate_completions.window_tokens or positions
    if generate_completions.max_new_tokens >= window:
        found = generate_completions.max_new_tokens
        yield f"generate_completions.max_new_tokens: found {found}; allowed: below the window, {window}, which holds the prompt too"


def check_batches(pack_tokens: PackingParams, pretrain: ParamsModel) -> Faults:
    """A batch is whole sequences."""
    length = pack_tokens.sequence_length
    for name, variant in items_of(pretrain, VariantParams).items():
        if variant.batch_tokens % length:
            yield f"pretrain.{name}.batch_tokens: found {variant.batch_tokens}; allowed: a multiple of pack_tokens.sequence_length {length}"


def check_horizon(select_files: SelectionParams, pretrain: ParamsModel) -> Faults:
    """The budget of the selection is what is trained on it."""
    variants, horizon = items_of(pretrain, VariantParams), select_files.horizon_tokens
    differing = [f"pretrain.{name}.tokens {variants[name].tokens}" for name in ON_THE_SELECTION if variants[name].tokens != horizon]
    if differing:
        yield f"select_files.horizon_tokens: found {horizon}; allowed: the same as {' and '.join(differing)}; change all of them together"
    if horizon < select_files.repeats:
        yield f"select_files.repeats: found {select_files.repeats}; allowed: at most horizon_tokens {horizon}"


def check_recipes(
    train_annotator: ParamsModel, select_files: SelectionParams, synthesize_documents: SynthesizeParams, report: ReportParams
) -> Faults:
    """A recipe that is read is one that is trained."""
    recipes, rules = items_of(train_annotator, RecipeParams), items_of(select_files, RuleParams)
    yield from _unknown("select_files.recipe", [select_files.recipe], recipes)
    yield from _unknown("synthesize_documents.recipe", [synthesize_documents.recipe], recipes)
    yield from _unknown("report.recipes", report.recipes, recipes)
    yield from _unknown("report.rules", report.rules, rules)
    yield from _twice("report.recipes", report.recipes)
    yield from _twice("report.rules", report.rules)
    for name, recipe in recipes.items():
        if (recipe.kind == "regression") != (not recipe.positives):
            allowed = "[] for a regression" if recipe.kind == "regression" else "one or more for a classification"
            yield f"train_annotator.{name}.positives: found {recipe.positives}; allowed: {allowed}"


def check_packing(pack_tokens: ParamsModel, pretrain: ParamsModel, fetch_corpus: FetchCorpusParams, graph: Graph) -> Faults:
    """Every variant has its tokens, of languages that the corpus has, from the folders that the graph names."""
    packed, variants = items_of(pack_tokens, PackingItemParams), items_of(pretrain, VariantParams)
    for name in packed.keys() - variants.keys():
        yield f"pack_tokens.{name}: no such item of pretrain; allowed: {', '.join(variants)}; add pretrain.{name} here and in dvc.yaml"
    for name in variants.keys() - packed.keys():
        yield f"pretrain.{name}: no such item of pack_tokens; allowed: {', '.join(packed)}; add pack_tokens.{name} here and in dvc.yaml"
    for name, item in packed.items():
        yield from _unknown(f"pack_tokens.{name}.languages", item.languages or [], fetch_corpus.languages)
        paths = graph.item_paths("pack_tokens", name)
        yield from _other_path(f"pack_tokens.{name}.files", item.files, paths["files"])
        yield from _other_path(f"pack_tokens.{name}.documents", item.documents or NO_DOCUMENTS, paths["documents"])


def check_parents(pretrain: ParamsModel, report: ReportParams, graph: Graph) -> Faults:
    """Parents, the report's variants and its controls speak of the same models."""
    variants = items_of(pretrain, VariantParams)
    for name, variant in variants.items():
        yield from _other_path(f"pretrain.{name}.parent", variant.parent, graph.item_paths("pretrain", name)["parent"])
    yield from _unknown("report.variants", report.variants, variants)
    for name, start in report.variants.items():
        yield from _unknown(f"report.variants.{name}", [start], [INITIAL, *report.variants])
        parent = "models/initialize_model" if start == INITIAL else f"models/pretrain/{start}"
        if name in variants and start in (INITIAL, *variants) and variants[name].parent != parent:
            yield f"report.variants.{name}: found {shown(start)}; allowed: what pretrain.{name}.parent names, {variants[name].parent}"
    for arm, control in report.controls.items():
        yield from _unknown("report.controls", [arm], report.variants)
        yield from _unknown(f"report.controls.{arm}", [control], report.variants)
        if arm == control:
            others = ", ".join(name for name in report.variants if name != arm)
            yield f"report.controls.{arm}: found {shown(control)}, which differs from itself in nothing; allowed: another one: {others}"
        if arm in variants and control in variants:
            yield from _not_alike(arm, variants[arm], control, variants[control])


def check_report(report: ReportParams, graph: Graph) -> Faults:
    """What the report reads is made by the graph, which runs the report again when it changes."""
    variants = {name: start for name, start in report.variants.items() if name in graph.items("pretrain")}
    recipes = [name for name in report.recipes if name in graph.items("train_annotator")]
    rules = [name for name in report.rules if name in graph.items("select_files")]
    for stage in MEASURING:
        for name in variants.keys() - set(graph.items(stage)):
            yield f"report.variants.{name}: no such item of {stage} in dvc.yaml; allowed: {', '.join(graph.items(stage))}; add it there"
    # names misspelt are told elsewhere
    known = report.model_copy(update={"variants": variants, "recipes": recipes, "rules": rules})
    unnamed = [str(path) for path in input_paths(known) if str(path) not in graph.deps("report")]
    if unnamed:
        yield f"report: reads {', '.join(unnamed)}; allowed: what the deps of report in dvc.yaml name; add it there"


def check_teacher(synthesize_documents: SynthesizeParams, accept_documents: AcceptParams) -> Faults:
    """Documents of every teacher have a limit on what they may copy."""
    kind, limits = synthesize_documents.engine.kind, accept_documents.max_seed_containment
    yield from _unknown("accept_documents.max_seed_containment", limits, TEACHERS)
    if kind not in limits:
        allowed = f"a number from 0 to 1 for each synthesize_documents.engine.kind in use, here {kind}"
        yield f"accept_documents.max_seed_containment.{kind}: missing; allowed: {allowed}"


def check_encoder(embed_files: EmbedParams) -> Faults:
    """An encoder that is here already has the positions that are asked of it."""
    folder = local_folder(embed_files.encoder)
    if embed_files.encoder.source != "huggingface" and folder is None:
        found, source = shown(embed_files.encoder.name), embed_files.encoder.source
        allowed = "an installed package with a `model` folder" if source == "package" else "an existing folder"
        yield f"embed_files.encoder.name: found {found}; allowed: {allowed}, for source {source}"
    elif folder is not None and (folder / "config.json").is_file():
        positions = json.loads((folder / "config.json").read_text())["max_position_embeddings"]
        if embed_files.section_tokens > positions:
            found = str(embed_files.section_tokens)
            yield f"embed_files.section_tokens: found {found}; allowed: at most {positions}, the positions of the encoder"


def check_tables(filter_files: FilterParams, graph: Graph) -> Faults:
    """DVC runs the filters again where a table has changed that it knows of."""
    for field, path in (("exceptions", filter_files.exceptions), ("opt_out", filter_files.opt_out)):
        if path is not None and path not in graph.deps("filter_files"):
            yield f"filter_files.{field}: found {shown(path)}; allowed: a path in the deps of filter_files in dvc.yaml; add it there"


def check_stops(generate_completions: GenerateCompletionsParams) -> Faults:
    """A completion ends at the first of them: every text begins with an empty one."""
    if "" in generate_completions.stop:
        index = generate_completions.stop.index("")
        yield f"generate_completions.stop.{index}: found '', at which every completion would end at once; allowed: text, not empty"


def check_positives(fetch_positives: FetchPositivesParams) -> Faults:
    """Some file can be a positive."""
    if fetch_positives.min_file_bytes > fetch_positives.max_file_bytes:
        found = fetch_positives.min_file_bytes
        yield f"fetch_positives.min_file_bytes: found {found}; allowed: at most max_file_bytes {fetch_positives.max_file_bytes}"


CHECKS: tuple[Callable[..., Faults], ...] = (
    check_tables,
    check_stops,
    check_positives,
    check_vocabulary,
    check_encoder,
    check_recipes,
    check_horizon,
    check_packing,
    check_teacher,
    check_positions,
    check_batches,
    check_parents,
    check_report,
)


def items_of(section: ParamsModel, kind: type[Item]) -> dict[str, Item]:
    """The items of a section with items."""
    return {name: value for name, value in section if isinstance(value, kind)}


def _unknown(field: str, found: Iterable[str], allowed: Iterable[str]) -> Faults:
    names = list(allowed)
    for name in found:
        if name not in names:
            yield f"{field}: found {shown(name)}; {did_you_mean(name, names)}allowed: {', '.join(names)}"


def _twice(field: str, found: list[str]) -> Faults:
    for name in sorted({name for name in found if found.count(name) > 1}):
        yield f"{field}: found {shown(name)} {found.count(name)} times; allowed: each once"


def _other_path(field: str, found: str, named: str) -> Faults:
    if found != named:
        stage, item, key = field.split(".")
        yield f"{field}: found {shown(found)}; allowed: {named}, as {stage}'s item {item} has `{key}` in dvc.yaml; change both together"


def _not_alike(arm: str, first: VariantParams, control: str, second: VariantParams) -> Faults:
    """Same start, budget and schedule; seeds may differ."""
    for key in ("parent", "tokens", "batch_tokens", "schedule"):
        ours, theirs = getattr(first, key), getattr(second, key)
        if ours != theirs:
            allowed, found = (shown(one.model_dump() if isinstance(one, ParamsModel) else one) for one in (ours, theirs))
            yield f"pretrain.{control}.{key}: found {found}; allowed: {allowed}, as pretrain.{arm} has it (report.controls.{arm})"
