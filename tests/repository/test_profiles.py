"""Every profile validates, section by section, and its sections agree with each other."""

from pathlib import Path
from typing import Any

import pytest

from snowcoder.annotator.encoder_source import EmbedParams
from snowcoder.annotator.examples import AnnotatorParams, RecipeParams
from snowcoder.annotator.labelling import LabelParams
from snowcoder.annotator.positive_kinds import FetchPositivesParams
from snowcoder.annotator.selection import RuleParams, SelectionParams
from snowcoder.benchmarks.loading import FetchBenchmarksParams
from snowcoder.corpus.sources import FetchCorpusParams
from snowcoder.corpus.split import SplitParams
from snowcoder.decontamination.settings import DecontaminationParams
from snowcoder.deduplication.settings import DeduplicationParams
from snowcoder.errors import ParameterError
from snowcoder.evaluation.bits_per_byte_settings import MeasureBitsPerByteParams
from snowcoder.evaluation.completions import GenerateCompletionsParams
from snowcoder.evaluation.grading import ExecuteCompletionsParams
from snowcoder.filtering.rules import FilterParams
from snowcoder.params import ParamsModel, load_item, load_section, read_yaml
from snowcoder.pretraining.model import ModelParams, llama_config
from snowcoder.pretraining.settings import TrainingParams, VariantParams
from snowcoder.reporting.settings import ReportParams
from snowcoder.synthesis.acceptance_settings import AcceptParams
from snowcoder.synthesis.generation import SynthesizeParams
from snowcoder.tokenization.packing import PackingItemParams, PackingParams
from snowcoder.tokenization.tokenizer import TokenizerParams
from tools.apply_profile import apply_profile

ROOT = Path(__file__).resolve().parents[2]
PROFILES = ["nano", *sorted(path.stem for path in (ROOT / "profiles").glob("*.yaml"))]
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
    "synthesize_documents": SynthesizeParams,
    "accept_documents": AcceptParams,
    "initialize_model": ModelParams,
    "generate_completions": GenerateCompletionsParams,
    "execute_completions": ExecuteCompletionsParams,
    "measure_bits_per_byte": MeasureBitsPerByteParams,
    "report": ReportParams,
}
ITEM_SECTIONS: dict[str, tuple[type[ParamsModel], type[ParamsModel], str]] = {
    "train_annotator": (AnnotatorParams, RecipeParams, "HQINS"),
    "select_files": (SelectionParams, RuleParams, "selected"),
    "pack_tokens": (PackingParams, PackingItemParams, "general"),
    "pretrain": (TrainingParams, VariantParams, "general"),
}


def params_of(profile: str, tmp_path: Path) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text((ROOT / "params.yaml").read_text())
    if profile != "nano":
        apply_profile(ROOT / "profiles" / f"{profile}.yaml", path)
    return path


@pytest.mark.parametrize("profile", PROFILES)
def test_every_section_validates(profile: str, tmp_path: Path) -> None:
    path = params_of(profile, tmp_path)
    assert set(read_yaml(path)) == SECTIONS.keys() | ITEM_SECTIONS.keys()
    for section, model in SECTIONS.items():
        load_section(section, model, path)
    for section, (shared, item, name) in ITEM_SECTIONS.items():
        load_item(section, name, shared, item, path)


@pytest.mark.parametrize("profile", PROFILES)
def test_sections_agree(profile: str, tmp_path: Path) -> None:
    params: dict[str, Any] = read_yaml(params_of(profile, tmp_path))
    pretrain, sequence_length = params["pretrain"], params["pack_tokens"]["sequence_length"]
    for variant in ("continued", "continued_random"):
        assert pretrain[variant]["tokens"] == params["select_files"]["horizon_tokens"], variant
    assert params["initialize_model"]["vocab_size"] == params["train_tokenizer"]["vocab_size"]
    assert params["initialize_model"]["max_positions"] >= sequence_length
    for variant in params["report"]["variants"]:
        assert pretrain[variant]["batch_tokens"] % sequence_length == 0, variant
    # a control differs from its arm in its data alone
    for arm, control in params["report"]["controls"].items():
        assert pretrain[arm] == pretrain[control]


def test_paper_profile_builds_the_model_of_table_1(tmp_path: Path) -> None:
    import torch
    from transformers import LlamaForCausalLM

    params = load_section("initialize_model", ModelParams, params_of("paper", tmp_path))
    with torch.device("meta"):
        model = LlamaForCausalLM(llama_config(params))
    assert (params.layers, params.hidden_size, params.ffn_size, params.heads, params.vocab_size) == (24, 2048, 5632, 16, 64_000)
    # 1.233B without the tied embedding of 0.131B
    assert sum(parameter.numel() for parameter in model.parameters()) == 1_364_297_728


def test_a_profile_may_not_bring_in_unknown_keys(tmp_path: Path) -> None:
    (tmp_path / "odd.yaml").write_text("pretrain: {genral: {tokens: 1}}\n")
    path = params_of("nano", tmp_path)
    with pytest.raises(ParameterError, match=r"odd\.yaml: pretrain\.genral: unknown parameter"):
        apply_profile(tmp_path / "odd.yaml", path)
