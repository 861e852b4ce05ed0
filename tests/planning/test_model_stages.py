"""Cost of running models, against hand-computed points."""

import json
from pathlib import Path

import pytest

from snowcoder.benchmarks.loading import FetchBenchmarksParams
from snowcoder.embedding.encoder_source import EmbedParams
from snowcoder.evaluation.generating.completions import GenerateCompletionsParams
from snowcoder.evaluation.measuring.bits_per_byte_params import MeasureBitsPerByteParams
from snowcoder.evaluation.unseen.unseen_params import FetchUnseenParams
from snowcoder.inference.engines.engine_params import OpenAIEngineParams
from snowcoder.labels.labelling import LabelParams
from snowcoder.labels.llm_labelling import JudgeParams
from snowcoder.pipeline.params import load_section
from snowcoder.planning.corpus_size import CorpusSize
from snowcoder.planning.model_stages import (
    encoder_flops_per_token,
    n_problems,
    n_unseen,
    named_parameters,
    plan_bits_per_byte,
    plan_completions,
    plan_embedding,
    plan_labels,
    plan_synthesis,
)
from snowcoder.planning.speeds import ENCODING_UTILISATION, Speeds
from snowcoder.planning.stage_plan import NotPlanned, StagePlan
from snowcoder.synthesis.synthesis_params import SynthesizeParams
from tests.planning.test_pretraining_cost import PAPER
from tests.repository.test_profiles import params_of

ARCTIC_EMBED_M = {"num_hidden_layers": 12, "hidden_size": 768, "intermediate_size": 3072}
SPEEDS = Speeds(training=4e14, encoding=1e14, decoding=1.2e14, decode_layer_s=1e-3, n_devices=1, origin="test")
CORPUS = CorpusSize(files=1000, train_files=900, python_files=600, n_bytes=4e6, tokens=1e6, sections=2500, origin="test")


def planned(plan: StagePlan | NotPlanned) -> StagePlan:
    assert isinstance(plan, StagePlan)
    return plan


def test_flops_of_an_encoder_and_the_published_hours_behind_its_share() -> None:
    # 12 layers of 4 x 768^2 + 2 x 768 x 3072 = 7,077,888 parameters; attention 4 x 12 x 768 x 512
    per_token = encoder_flops_per_token(ARCTIC_EMBED_M, 512)
    assert per_token == 2 * 84_934_656 + 18_874_368 == 188_743_680
    # 15T tokens in 6,000 H100 hours would be 13.2% of the peak if none were cut off
    share = 15e12 * per_token / (6000 * 3600) / 989.4e12
    assert share == pytest.approx(0.1325, abs=1e-4)
    assert share > ENCODING_UTILISATION


def test_embedding_counts_full_sections(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(ARCTIC_EMBED_M))
    params = load_section("embed_files", EmbedParams, params_of("paper", tmp_path))
    plan = plan_embedding(params, tmp_path, CORPUS, SPEEDS)
    assert plan.tokens == 2500 * 512
    assert plan.hours == pytest.approx(2500 * 512 * 188_743_680 / 1e14 / 3600)
    assert plan.disk_bytes == 2500 * (4 * 768 + 670)
    uncounted = plan_embedding(params, tmp_path, CorpusSize(1000, 900, 600, 4e6, 1e6, None, "test"), SPEEDS)
    assert uncounted.tokens == 3000 * 512


@pytest.mark.parametrize(
    ("model", "n_parameters"),
    [
        ("meta-llama/Llama-3.1-70B-Instruct", 70e9),
        ("Qwen/Qwen2.5-Coder-7B-Instruct", 7e9),
        ("Qwen/Qwen2.5-Coder-0.5B", 0.5e9),
        ("models/general", None),
        ("deepseek-coder-1.3b-base", 1.3e9),
    ],
)
def test_a_model_s_size_by_its_name(model: str, n_parameters: float | None) -> None:
    assert named_parameters(model) == n_parameters


def test_the_papers_synthesis_ends_at_what_may_be_spent(tmp_path: Path) -> None:
    params = load_section("synthesize_documents", SynthesizeParams, params_of("paper", tmp_path))
    huge = CorpusSize(2e8, 2e8, 1e8, 1.6e12, 4e11, None, "test")
    plan = planned(plan_synthesis(params, huge, SPEEDS))
    # 1e8 x 0.05 / 0.5 = 10M seeds of 4000 / 3.5 + 300 + 1024 tokens would be 24.7e9; 6e9 may be spent
    assert plan.tokens == 6e9
    requests = 6e9 / (4000 / 3.5 + 300 + 1024)
    seconds = 2 * 70e9 * requests * (1024 / 1.2e14 + (4000 / 3.5 + 300) / 4e14)
    assert plan.hours == pytest.approx(seconds / 3600)
    assert "ended by max_spend_tokens" in plan.basis
    spread = planned(plan_synthesis(params, huge, SPEEDS._replace(n_devices=8)))
    assert (spread.hours, spread.n_devices) == (pytest.approx(plan.hours / 8), 8)
    small = planned(plan_synthesis(params, CORPUS, SPEEDS))
    assert small.tokens == pytest.approx(60 * (4000 / 3.5 + 300 + 1024))


def test_rules_are_no_model_s_work(tmp_path: Path) -> None:
    path = params_of("nano", tmp_path)
    labels = plan_labels(load_section("label_files", LabelParams, path), SPEEDS)
    documents = plan_synthesis(load_section("synthesize_documents", SynthesizeParams, path), CORPUS, SPEEDS)
    assert [type(labels), type(documents)] == [NotPlanned, NotPlanned]


def test_labels_of_a_judge() -> None:
    engine = OpenAIEngineParams(kind="openai", model="Llama-3.1-70B")
    judge = JudgeParams(engine=engine, max_characters=3500, max_new_tokens=100, max_refused_fraction=0.1)
    plan = planned(
        plan_labels(LabelParams(labeller="engine", judge=judge, sample_files=1000, seed=1, pool_fraction=1.0, pool_seed=1), SPEEDS)
    )
    assert plan.tokens == pytest.approx(1000 * (1000 + 300 + 50))
    assert plan.flops == pytest.approx(2 * 70e9 * plan.tokens)


def test_completions_wait_for_the_decoder_s_python_where_a_model_is_small(tmp_path: Path) -> None:
    params = load_section("generate_completions", GenerateCompletionsParams, params_of("paper", tmp_path))
    plan = plan_completions(params, problems=164, n_items=5, shape=PAPER, bytes_per_token=4.0, speeds=SPEEDS)
    # one batch of 164: 768 passes of 24 layers at a millisecond, five models
    assert plan.hours == pytest.approx(5 * 768 * 24e-3 / 3600)
    assert plan.tokens == 5 * (164 * 768 + 164 * 450 / 4)
    waits_for_nothing = plan_completions(params, 164, 5, PAPER, 4.0, SPEEDS._replace(decode_layer_s=0.0))
    seconds = 2 * 1_364_297_728 * (164 * 768 / 1.2e14 + 164 * 450 / 4 / 4e14)
    assert waits_for_nothing.hours == pytest.approx(5 * seconds / 3600)


def test_bits_per_byte_read_what_params_allow(tmp_path: Path) -> None:
    params = load_section("measure_bits_per_byte", MeasureBitsPerByteParams, params_of("nano", tmp_path))
    plan = plan_bits_per_byte(params, problems=164, unseen=600, n_items=6, shape=PAPER, bytes_per_token=4.0, speeds=SPEEDS)
    n_bytes = 60_000 + (200 + 600) * (450 + 438) + 164 * (450 + 181)
    assert plan.tokens == 6 * n_bytes / 4
    assert plan.flops == pytest.approx(plan.tokens * (2 * 1_364_297_728 + 4 * 24 * 2048 * 256))


def test_evaluation_only_functions_are_counted_by_distribution(tmp_path: Path) -> None:
    every, few = (load_section("fetch_unseen", FetchUnseenParams, params_of(profile, tmp_path)) for profile in ("nano", "toy"))
    assert n_unseen(every) == every.functions.max_functions_per_repository * len(Path("data/unseen.lock").read_text().splitlines())
    assert few.only_repositories is not None
    assert n_unseen(few) == few.functions.max_functions_per_repository * len(few.only_repositories)


def test_problems_are_counted_by_benchmark() -> None:
    names = ["humaneval_plus", "mbpp_plus", "evoeval_subtle", "bigcodebench"]
    assert n_problems(FetchBenchmarksParams(names=names, sha256=dict.fromkeys(names, "0" * 64))) == 164 + 378 + 100 + 1140
