"""Plans a whole profile: every stage whose cost a model or a measured rate predicts, in the order of the graph.

in: a params.yaml, the phases of its variants, speeds, the size of the corpus   out: StagePlan and NotPlanned, one per stage
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from snowcoder.benchmarks.loading import FetchBenchmarksParams
from snowcoder.embedding.encoder_source import EmbedParams, find_encoder
from snowcoder.errors import ParameterError
from snowcoder.evaluation.generating.completions import GenerateCompletionsParams
from snowcoder.evaluation.measuring.bits_per_byte_params import MeasureBitsPerByteParams
from snowcoder.evaluation.unseen.unseen_params import FetchUnseenParams
from snowcoder.experiment.branch_params import BranchesParams
from snowcoder.labels.labelling import LabelParams
from snowcoder.pipeline.params import load_section
from snowcoder.planning.branches_cost import plan_branch_stage
from snowcoder.planning.core_stages import plan_tables
from snowcoder.planning.corpus_size import CorpusSize
from snowcoder.planning.model_stages import (
    n_problems,
    n_unseen,
    plan_bits_per_byte,
    plan_completions,
    plan_embedding,
    plan_labels,
    plan_synthesis,
)
from snowcoder.planning.pretraining_cost import count_parameters, plan_phase
from snowcoder.planning.speeds import Speeds
from snowcoder.planning.stage_plan import NotPlanned, StagePlan
from snowcoder.pretraining.model import ModelParams
from snowcoder.pretraining.training_params import PhaseParams, TrainingParams
from snowcoder.pretraining.watch.throughput import flops_per_token
from snowcoder.synthesis.synthesis_params import SynthesizeParams

CORE_STAGES = (
    "fetch_corpus",
    "fetch_positives",
    "fetch_unseen",
    "fetch_benchmarks",
    "measure_signals",
    "filter_files",
    "deduplicate_files",
    "decontaminate_files",
    "split_files",
    "train_tokenizer",
    "tokenize_files",
    "train_annotator",
    "compare_annotators",
    "score_files",
    "select_files",
    "accept_documents",
    "pack_tokens",
    "initialize_model",
    "score_baselines",
    "execute_completions",
    "report",
)


@dataclass(frozen=True)
class Training:
    """What is pretrained. phases: {variant: phase}."""

    shape: ModelParams
    shared: TrainingParams
    phases: Mapping[str, PhaseParams]
    sequence_length: int

    @property
    def flops_per_token(self) -> int:
        """Forward and backward."""
        return flops_per_token(count_parameters(self.shape), self.shape.layers, self.shape.hidden_size, self.sequence_length)


def plan_pretraining(training: Training, speeds: Speeds) -> list[StagePlan]:
    """Every variant. Raises ParameterError if the devices do not divide a batch."""
    plans, tokens_per_s = [], speeds.n_devices * speeds.training / training.flops_per_token
    for variant, phase in training.phases.items():
        sequences = phase.batch_tokens // training.sequence_length
        if sequences % speeds.n_devices:
            raise ParameterError(
                f"--devices {speeds.n_devices}: a batch of pretrain.variants.{variant} has {sequences} sequences, which they cannot share "
                f"equally; allowed: a divisor of {sequences}"
            )
        plans.append(plan_phase(variant, training.shape, phase, training.sequence_length, tokens_per_s, speeds.n_devices))
    return plans


def plan_models(params: Path, training: Training, corpus: CorpusSize, speeds: Speeds) -> list[StagePlan | NotPlanned]:
    """Every stage that runs a model. Raises ParameterError, SourceError (the encoder is not there)."""
    embedding = load_section("embed_files", EmbedParams, params)
    problems = n_problems(load_section("fetch_benchmarks", FetchBenchmarksParams, params))
    unseen = n_unseen(load_section("fetch_unseen", FetchUnseenParams, params))
    n_variants = len(training.phases)
    completions = load_section("generate_completions", GenerateCompletionsParams, params)
    bits = load_section("measure_bits_per_byte", MeasureBitsPerByteParams, params)
    branches = load_section("train_branches", BranchesParams, params)
    measured_once = plan_bits_per_byte(bits, problems, unseen, 1, training.shape, corpus.bytes_per_token, speeds)
    return [
        plan_embedding(embedding, find_encoder(embedding.encoder), corpus, speeds),
        plan_labels(load_section("label_files", LabelParams, params), speeds),
        plan_synthesis(load_section("synthesize_documents", SynthesizeParams, params), corpus, speeds),
        *plan_pretraining(training, speeds),
        plan_completions(completions, problems, n_variants, training.shape, corpus.bytes_per_token, speeds),
        plan_bits_per_byte(bits, problems, unseen, n_variants + 1, training.shape, corpus.bytes_per_token, speeds),
        plan_branch_stage(branches, training.shape, training.flops_per_token, measured_once, speeds),
        plan_tables(corpus),
    ]
