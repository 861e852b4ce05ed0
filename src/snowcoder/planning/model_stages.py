"""Predicts the cost of stages that run a model without training it: embedding, labels, synthesis, completions, bits per byte.

Each runs in one process on one device, whatever the number that train; but a teacher or judge is taken to be served by all of them.

FLOPs of a pass over a token: 2 N + 4 L d T (N parameters, L layers of width d, T tokens that attend to each other); of an encoder, whose
embedding is a table, N counts the layers alone. Of a written token: 2 N.
"""

import json
import math
import re
from pathlib import Path
from typing import Any

from snowcoder.benchmarks.loading import FetchBenchmarksParams
from snowcoder.embedding.encoder_source import EmbedParams
from snowcoder.evaluation.generating.completions import GenerateCompletionsParams
from snowcoder.evaluation.measuring.bits_per_byte_params import MeasureBitsPerByteParams
from snowcoder.evaluation.unseen.unseen_params import FetchUnseenParams
from snowcoder.labels.labelling import LabelParams
from snowcoder.planning.corpus_size import CorpusSize
from snowcoder.planning.pretraining_cost import count_parameters
from snowcoder.planning.speeds import Speeds
from snowcoder.planning.stage_plan import NotPlanned, StagePlan
from snowcoder.pretraining.model import ModelParams
from snowcoder.synthesis.synthesis_params import SynthesizeParams

# Problems by benchmark, as published
PROBLEMS = {"humaneval": 164, "humaneval_plus": 164, "mbpp_plus": 378, "bigcodebench": 1140}
EVOEVAL_PROBLEMS = 100  # of each part
# Measured on the default profile: bytes of a HumanEval prompt (a documented function's has some more) and solution, of a function's body
PROMPT_BYTES, SOLUTION_BYTES, FUNCTION_BYTES = 450, 181, 438
INSTRUCTION_TOKENS = 300  # of a teacher's or judge's prompt apart from the file: assumed
CHARACTERS_PER_TOKEN = 3.5  # of an instruction-tuned model's tokenizer on code: assumed
WRITTEN_SHARE = 0.5  # of max_new_tokens that an answer takes in the mean: assumed
ROW_BYTES = 670  # of a section's columns apart from its vector (measured: 8.68 MB for 3,937 sections of 384 numbers)


def n_problems(benchmarks: FetchBenchmarksParams) -> int:
    """Of all benchmarks together."""
    return sum(PROBLEMS.get(name, EVOEVAL_PROBLEMS) for name in benchmarks.names)


def encoder_flops_per_token(config: dict[str, Any], section_tokens: int) -> int:
    """Of a BERT's config.json, per token of a full section."""
    layers, width, inner = config["num_hidden_layers"], config["hidden_size"], config["intermediate_size"]
    return 2 * layers * (4 * width**2 + 2 * width * inner) + 4 * layers * width * section_tokens


def plan_embedding(params: EmbedParams, encoder: Path, corpus: CorpusSize, speeds: Speeds) -> StagePlan:
    """encoder: its folder. Every section is taken as full."""
    config = json.loads((encoder / "config.json").read_text())
    sections = corpus.full_sections(params.pool_fraction)
    tokens = sections * params.section_tokens
    flops = tokens * encoder_flops_per_token(config, params.section_tokens)
    disk = sections * (4 * config["hidden_size"] + ROW_BYTES)
    counted = "counted" if corpus.sections is not None else "three a file at most"
    return StagePlan("embed_files", tokens, flops, flops / speeds.encoding / 3600, disk, 1, f"{sections:,.0f} sections ({counted})")


def named_parameters(model: str) -> float | None:
    """Parameters of a model by its name: `…-70B-…` has 70e9; None where the name does not say."""
    found = re.search(r"(?<![\w.])(\d+(?:\.\d+)?)[bB](?![\w])", Path(model).name)
    return float(found[1]) * 1e9 if found else None


def plan_labels(params: LabelParams, speeds: Speeds) -> StagePlan | NotPlanned:
    """An LLM's; the rubric's are a processor's work."""
    if params.judge is None:
        return NotPlanned("label_files", "labelled by the rubric")
    prompt = params.judge.max_characters / CHARACTERS_PER_TOKEN + INSTRUCTION_TOKENS
    written = params.judge.max_new_tokens * WRITTEN_SHARE
    model = getattr(params.judge.engine, "model", "")
    return _answers("label_files", params.sample_files, prompt, written, model, None, speeds)


def plan_synthesis(params: SynthesizeParams, corpus: CorpusSize, speeds: Speeds) -> StagePlan | NotPlanned:
    """A model's; the extractive teacher is a processor's work. max_spend_tokens ends it early."""
    if params.generation is None:
        return NotPlanned("synthesize_documents", "written by the extractive teacher")
    seeds = corpus.python_files * params.seed_top_fraction / params.generation.python_fraction
    prompt = params.generation.max_seed_bytes / CHARACTERS_PER_TOKEN + INSTRUCTION_TOKENS
    written = params.generation.max_new_tokens * WRITTEN_SHARE
    model, limit = getattr(params.engine, "model", ""), getattr(params.engine, "max_spend_tokens", None)
    return _answers("synthesize_documents", seeds * params.generation.samples_per_seed, prompt, written, model, limit, speeds)


def plan_completions(
    params: GenerateCompletionsParams, problems: int, n_items: int, shape: ModelParams, bytes_per_token: float, speeds: Speeds
) -> StagePlan:
    """All variants; every completion is taken to be as long as it may be."""
    written, read = problems * params.max_new_tokens, problems * PROMPT_BYTES / bytes_per_token
    n_parameters = count_parameters(shape)
    seconds = 2 * n_parameters * (written / speeds.decoding + read / speeds.training)
    if params.engine == "transformers":
        passes = math.ceil(problems / params.batch_size) * params.max_new_tokens
        seconds = max(seconds, passes * shape.layers * speeds.decode_layer_s)
    basis = f"{problems} problems, {params.max_new_tokens} tokens each, {n_items} models"
    tokens, disk = n_items * (written + read), n_items * written * bytes_per_token
    return StagePlan(f"generate_completions x {n_items}", tokens, 2 * n_parameters * tokens, n_items * seconds / 3600, disk, 1, basis)


def n_unseen(params: FetchUnseenParams) -> int:
    """Evaluation-only functions, at most."""
    lock, *_ = params.source.inputs()
    distributions = params.only_repositories or lock.read_text().splitlines()
    return len(distributions) * params.functions.max_functions_per_repository


def plan_bits_per_byte(
    params: MeasureBitsPerByteParams, problems: int, unseen: int, n_items: int, shape: ModelParams, bytes_per_token: float, speeds: Speeds
) -> StagePlan:
    """All variants and the untrained model. unseen: evaluation-only functions."""
    functions = (params.validation.max_functions + unseen) * (PROMPT_BYTES + FUNCTION_BYTES)
    n_bytes = params.held_out.max_bytes + functions + problems * (PROMPT_BYTES + SOLUTION_BYTES)
    tokens = n_items * n_bytes / bytes_per_token
    window = params.window_tokens or shape.max_positions
    flops = tokens * (2 * count_parameters(shape) + 4 * shape.layers * shape.hidden_size * window)
    basis = f"{n_bytes / 1e6:,.2f} MB of text at most, {n_items} models"
    return StagePlan(f"measure_bits_per_byte x {n_items}", tokens, flops, flops / speeds.training / 3600, 0, 1, basis)


def _answers(
    stage: str, requests: float, prompt_tokens: float, written_tokens: float, model: str, limit: int | None, speeds: Speeds
) -> StagePlan | NotPlanned:
    """As if it ran on the same devices, wherever it is served; a model too large for one takes several, at the same speed."""
    n_parameters = named_parameters(model)
    if n_parameters is None:
        return NotPlanned(stage, f"the name {model!r} does not tell the model's size")
    asked = requests * (prompt_tokens + written_tokens)
    tokens = min(asked, limit) if limit is not None else asked
    requests *= tokens / asked
    seconds = 2 * n_parameters * requests * (written_tokens / speeds.decoding + prompt_tokens / speeds.training)
    ended = ", ended by max_spend_tokens" if tokens < asked else ""
    basis = f"{requests:,.0f} requests of {prompt_tokens:,.0f} + {written_tokens:,.0f} tokens to {n_parameters / 1e9:g}B parameters{ended}"
    hours, disk = seconds / 3600 / speeds.n_devices, requests * written_tokens * CHARACTERS_PER_TOKEN
    return StagePlan(stage, tokens, 2 * n_parameters * tokens, hours, disk, speeds.n_devices, basis)
