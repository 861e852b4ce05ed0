"""Finds sections of params.yaml that contradict each other or the graph.

A check is a generator of faults whose arguments are named after the sections that it compares (`graph`: the stages of dvc.yaml): it runs
where all of them are valid.
"""

import inspect
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, get_args

from snowcoder.baselines.baseline_params import BASELINES, ScoreBaselinesParams
from snowcoder.benchmarks.loading import FetchBenchmarksParams
from snowcoder.configuration.sections import RecipesSection, RulesSection, VariantsSection
from snowcoder.corpus.sources import FetchCorpusParams
from snowcoder.embedding.encoder_source import EmbedParams, local_folder
from snowcoder.evaluation.generating.completions import GenerateCompletionsParams
from snowcoder.evaluation.measuring.bits_per_byte_params import MeasureBitsPerByteParams
from snowcoder.experiment.branch_params import BranchesParams
from snowcoder.filtering.rules import FilterParams
from snowcoder.pipeline.param_faults import did_you_mean, shown
from snowcoder.pipeline.params import ParamsModel
from snowcoder.positives.kinds import FetchPositivesParams
from snowcoder.pretraining.model import ModelParams
from snowcoder.pretraining.trained_sequences import lineage
from snowcoder.pretraining.training_params import VariantParams
from snowcoder.selection.arms import RANDOM, arm_faults
from snowcoder.synthesis.acceptance_params import AcceptParams
from snowcoder.synthesis.synthesis_params import SynthesizeParams, TeacherParams
from snowcoder.tokenization.packing import NO_DOCUMENTS, PackingParams
from snowcoder.tokenization.tokenizer import TokenizerParams
from snowcoder.words import INITIAL

INITIAL_MODEL = "models/initialize_model"
TOKENS, DOCUMENTS = "data/tokenize_files", "data/accept_documents"

# of measure_bits_per_byte, apart from the benchmarks
TEXT_SETS = ("validation", "held_out", "unseen")

TEACHERS = [kind for model in get_args(get_args(TeacherParams)[0]) for kind in get_args(model.model_fields["kind"].annotation)]

Faults = Iterator[str]


def disagreements(sections: Mapping[str, ParamsModel], graph: Mapping[str, Any]) -> list[str]:
    """Faults of all checks whose sections are valid."""
    known: dict[str, Any] = {**sections, "graph": graph}
    faults: list[str] = []
    for check in CHECKS:
        names = inspect.signature(check).parameters
        if names.keys() <= known.keys():
            faults += check(**{name: known[name] for name in names})
    return faults


def check_positions(
    initialize_model: ModelParams,
    train_tokenizer: TokenizerParams,
    pack_tokens: PackingParams,
    generate_completions: GenerateCompletionsParams,
    measure_bits_per_byte: MeasureBitsPerByteParams,
    score_baselines: ScoreBaselinesParams,
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
    if score_baselines.perplexity.beginning_tokens >= positions:
        found = score_baselines.perplexity.beginning_tokens
        allowed = f"below initialize_model.max_positions {positions}, as a document start comes before them"
        yield f"score_baselines.perplexity.beginning_tokens: found {found}; allowed: {allowed}"
    window = generate_completions.window_tokens or positions
    if generate_completions.max_new_tokens >= window:
        found = generate_completions.max_new_tokens
        yield f"generate_completions.max_new_tokens: found {found}; allowed: below the window, {window}, which holds the prompt too"


def check_likelihood_window(
    initialize_model: ModelParams, pack_tokens: PackingParams, measure_bits_per_byte: MeasureBitsPerByteParams
) -> Faults:
    """Likelihoods are measured at lengths that were trained: what lies beyond a training sequence says nothing about the data."""
    window, length = measure_bits_per_byte.window_tokens, pack_tokens.sequence_length
    if (window or initialize_model.max_positions) > length:
        found = window or f"null, the model's {initialize_model.max_positions} positions"
        yield f"measure_bits_per_byte.window_tokens: found {found}; allowed: at most pack_tokens.sequence_length {length}"


def check_batches(pack_tokens: PackingParams, pretrain: VariantsSection) -> Faults:
    """A batch is whole sequences."""
    length = pack_tokens.sequence_length
    for name, variant in pretrain.variants.items():
        if variant.batch_tokens % length:
            allowed = f"a multiple of pack_tokens.sequence_length {length}"
            yield f"pretrain.variants.{name}.batch_tokens: found {variant.batch_tokens}; allowed: {allowed}"


def check_horizon(select_files: RulesSection, pretrain: VariantsSection) -> Faults:
    """The budget of the selection equals the tokens trained on it."""
    shared, field = select_files.shared, "select_files.shared"
    selecting = [name for name, variant in pretrain.variants.items() if variant.packs.files in _selections(select_files)]
    yield from _unknown(f"{field}.horizon_of", [shared.horizon_of], selecting)
    if shared.horizon_tokens < shared.repeats:
        allowed = f"at most pretrain.variants.{shared.horizon_of}.tokens {shared.horizon_tokens}"
        yield f"{field}.repeats: found {shared.repeats}; allowed: {allowed}"


def check_recipes(train_annotator: RecipesSection, select_files: RulesSection) -> Faults:
    """Only trained recipes are read."""
    yield from _unknown("select_files.shared.recipe", [select_files.shared.recipe], train_annotator.recipes)
    for name, recipe in train_annotator.recipes.items():
        if name in (RANDOM, *BASELINES):
            taken = ", ".join((RANDOM, *BASELINES))
            yield f"train_annotator.recipes.{name}: found the name of another way of choosing files; allowed: any but {taken}"
        if (recipe.kind == "regression") != (not recipe.positives):
            allowed = "[] for a regression" if recipe.kind == "regression" else "one or more for a classification"
            yield f"train_annotator.recipes.{name}.positives: found {recipe.positives}; allowed: {allowed}"


def check_packing(pretrain: VariantsSection, select_files: RulesSection, fetch_corpus: FetchCorpusParams) -> Faults:
    """Every variant packs what some stage makes, in languages that the corpus has."""
    for name, variant in pretrain.variants.items():
        field = f"pretrain.variants.{name}.packs"
        yield from _unknown(f"{field}.files", [variant.packs.files], [TOKENS, *_selections(select_files), DOCUMENTS])
        yield from _unknown(f"{field}.documents", [variant.packs.documents], [NO_DOCUMENTS, DOCUMENTS])
        yield from _unknown(f"{field}.languages", variant.packs.languages or [], fetch_corpus.languages)


def check_parents(pretrain: VariantsSection) -> Faults:
    """A variant starts from a model that is there before it, in the order of the file."""
    before = [INITIAL_MODEL]
    for name, variant in pretrain.variants.items():
        parent = variant.parent
        hint = f"did you mean models/pretrain/{parent}? " if f"models/pretrain/{parent}" in before else ""
        yield from _unknown(f"pretrain.variants.{name}.parent", [parent], before, hint)
        before.append(f"models/pretrain/{name}")
    if INITIAL in pretrain.variants:
        yield f"pretrain.variants.{INITIAL}: found a variant of the name of the untrained model; allowed: any other name"


def check_controls(pretrain: VariantsSection) -> Faults:
    """A control is compared with a variant that is none, and differs from it in nothing but its data and seed."""
    variants = pretrain.variants
    for control, variant in variants.items():
        if variant.control_of is None:
            continue
        arms = [name for name, other in variants.items() if other.control_of is None and name != control]
        yield from _unknown(f"pretrain.variants.{control}.control_of", [variant.control_of], arms)
        if variant.control_of in arms:
            yield from _not_alike(variant.control_of, variants[variant.control_of], control, variant)


def check_branches(
    train_branches: BranchesParams,
    pack_tokens: PackingParams,
    pretrain: VariantsSection,
    train_annotator: RecipesSection,
    fetch_benchmarks: FetchBenchmarksParams,
    graph: Mapping[str, Any],
) -> Faults:
    """Branches start from a trained variant, choose by scores that there are, and are compared on sets that are measured."""
    scores = [*train_annotator.recipes, *BASELINES]
    yield from (f"train_branches.{fault}" for fault in arm_faults(train_branches.arms, scores))
    parents = {f"models/pretrain/{name}": name for name in pretrain.variants}
    yield from _unknown("train_branches.parent", [train_branches.parent], parents)
    if train_branches.parent in parents:
        phases = lineage(parents[train_branches.parent], pretrain.variants)
        needed = [train_branches.parent, *(f"data/pack_tokens/{name}" for name in phases)]
        missing = [path for path in needed if path not in graph["train_branches"]["deps"]]
        if missing:
            allowed = f"a model that train_branches depends on in dvc.yaml; add {', '.join(missing)} to its deps"
            yield f"train_branches.parent: found {shown(train_branches.parent)}; allowed: {allowed}"
    if train_branches.batch_tokens % pack_tokens.sequence_length:
        allowed = f"a multiple of pack_tokens.sequence_length {pack_tokens.sequence_length}"
        yield f"train_branches.batch_tokens: found {train_branches.batch_tokens}; allowed: {allowed}"
    claims = train_branches.claims
    for number, pair in enumerate(claims):
        earlier = [other for other, one in enumerate(claims[:number]) if set(one) == set(pair)]
        if earlier:  # in either order: it is one test, which a page would count twice
            yield f"train_branches.claims.{number}: found {shown(pair)}; allowed: other arms than those of claims.{earlier[0]}"
    yield from _unknown("train_branches.endpoint", train_branches.endpoint, [*TEXT_SETS, *fetch_benchmarks.names])


def check_teacher(synthesize_documents: SynthesizeParams, accept_documents: AcceptParams) -> Faults:
    """Documents of every teacher have a limit on how much they may copy."""
    kind, limits = synthesize_documents.engine.kind, accept_documents.max_seed_containment
    yield from _unknown("accept_documents.max_seed_containment", limits, TEACHERS)
    if kind not in limits:
        allowed = f"a number from 0 to 1 for each synthesize_documents.engine.kind in use, here {kind}"
        yield f"accept_documents.max_seed_containment.{kind}: missing; allowed: {allowed}"


def check_encoder(embed_files: EmbedParams) -> Faults:
    """An encoder that is already on this machine has enough positions."""
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


def check_tables(filter_files: FilterParams, graph: Mapping[str, Any]) -> Faults:
    """DVC reruns the filters if a table among its dependencies changes."""
    deps = graph["filter_files"].get("do", graph["filter_files"])["deps"]
    for field, path in (("exceptions", filter_files.exceptions), ("opt_out", filter_files.opt_out)):
        if path is not None and path not in deps:
            yield f"filter_files.{field}: found {shown(path)}; allowed: a path in the deps of filter_files in dvc.yaml; add it there"


def check_stops(generate_completions: GenerateCompletionsParams) -> Faults:
    """A completion ends at the first of them: an empty one would match at once."""
    if "" in generate_completions.stop:
        index = generate_completions.stop.index("")
        yield f"generate_completions.stop.{index}: found '', which would end every completion at once; allowed: text, not empty"


def check_positives(fetch_positives: FetchPositivesParams) -> Faults:
    """At least some files can be positives."""
    if fetch_positives.min_file_bytes > fetch_positives.max_file_bytes:
        found = fetch_positives.min_file_bytes
        yield f"fetch_positives.min_file_bytes: found {found}; allowed: at most max_file_bytes {fetch_positives.max_file_bytes}"


CHECKS: tuple[Callable[..., Faults], ...] = (
    check_tables,
    check_stops,
    check_positives,
    check_encoder,
    check_recipes,
    check_horizon,
    check_packing,
    check_teacher,
    check_positions,
    check_likelihood_window,
    check_batches,
    check_branches,
    check_parents,
    check_controls,
)


def _selections(select_files: RulesSection) -> list[str]:
    return [f"data/select_files/{rule}" for rule in select_files.rules]


def _unknown(field: str, found: Iterable[str], allowed: Iterable[str], hint: str = "") -> Faults:
    names = list(allowed)
    for name in found:
        if name not in names:
            yield f"{field}: found {shown(name)}; {hint or did_you_mean(name, names)}allowed: {', '.join(names)}"


def _not_alike(arm: str, first: VariantParams, control: str, second: VariantParams) -> Faults:
    """Same start, budget and schedule; seeds may differ."""
    for key in ("parent", "tokens", "batch_tokens", "schedule"):
        ours, theirs = getattr(first, key), getattr(second, key)
        for path, (found, allowed) in _differences(key, theirs, ours).items():
            yield f"pretrain.variants.{control}.{path}: found {found}; allowed: {allowed}, as its control_of, {arm}, has it"


def _differences(path: str, found: object, allowed: object) -> dict[str, tuple[str, str]]:
    """The values that differ, as shown: of two mappings, those of each key, since whole ones are too long to show."""
    if not (isinstance(found, ParamsModel) and isinstance(allowed, ParamsModel)):
        return {} if found == allowed else {path: (shown(found), shown(allowed))}
    ours, theirs = found.model_dump(), allowed.model_dump()
    return {f"{path}.{key}": (shown(ours[key]), shown(theirs[key])) for key in ours if key in theirs and ours[key] != theirs[key]}
