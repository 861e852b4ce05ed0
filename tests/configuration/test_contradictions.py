"""Sections that contradict each other are refused, with both values."""

import copy
from typing import Any

import pytest

from snowcoder.configuration.checking import faults_of
from snowcoder.configuration.graph import Graph
from tests.configuration.changed_params import GRAPH, PARAMS, ROOT, changed, faults

SCHEDULE = PARAMS["pretrain"]["enhanced"]["schedule"]
DATASETS = {"kind": "datasets", "high_quality": [], "instruction": []}


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        (
            {"pack_tokens__sequence_length": 2048},
            "pack_tokens.sequence_length: found 2048; allowed: at most initialize_model.max_positions 1024",
        ),
        (
            {"pack_tokens__sequence_length": 300},
            "pretrain.general.batch_tokens: found 1024; allowed: a multiple of pack_tokens.sequence_length 300",
        ),
        ({"initialize_model__vocab_size": 8193}, "initialize_model.vocab_size: found 8193; allowed: train_tokenizer.vocab_size 8192"),
        ({"train_tokenizer__model_max_length": 2000}, "train_tokenizer.model_max_length: found 2000; allowed: at most"),
        ({"measure_bits_per_byte__window_tokens": 1025}, "measure_bits_per_byte.window_tokens: found 1025; allowed: at most"),
        ({"generate_completions__window_tokens": 4096}, "generate_completions.window_tokens: found 4096; allowed: at most"),
        (
            {"generate_completions__max_new_tokens": 1024},
            "generate_completions.max_new_tokens: found 1024; allowed: below the window, 1024",
        ),
        ({"initialize_model__heads": 3}, "initialize_model.heads: found 3; allowed: a divisor of hidden_size 256"),
        ({"initialize_model__kv_heads": 3}, "initialize_model.kv_heads: found 3; allowed: a divisor of heads 4"),
        ({"initialize_model__heads": 256, "initialize_model__kv_heads": 1}, "initialize_model.heads: found 256, which gives each 1"),
        ({"select_files__recipe": "HQQ"}, "select_files.recipe: found 'HQQ'; did you mean HQ? allowed: EDU, INS, HQ, HQINS"),
        ({"synthesize_documents__recipe": "hqins"}, "synthesize_documents.recipe: found 'hqins'; did you mean HQINS? allowed: EDU"),
        ({"report__recipes": ["EDU", "HQI"]}, "report.recipes: found 'HQI'; did you mean HQ? allowed: EDU, INS, HQ, HQINS"),
        ({"report__recipes": ["EDU", "HQ", "EDU"]}, "report.recipes: found 'EDU' 2 times; allowed: each once"),
        ({"report__rules": ["random", "random"]}, "report.rules: found 'random' 2 times; allowed: each once"),
        (
            {"report__controls": {"continued": "continued"}},
            "report.controls.continued: found 'continued', which differs from itself in nothing; allowed: another one: general",
        ),
        ({"generate_completions__stop": ["\ndef ", ""]}, "generate_completions.stop.1: found '', at which every completion would end at"),
        ({"report__rules": ["slected"]}, "report.rules: found 'slected'; did you mean selected? allowed: selected, random"),
        (
            {"select_files__horizon_tokens": 102400},
            "select_files.horizon_tokens: found 102400; allowed: the same as pretrain.continued.tokens 204800 and "
            "pretrain.continued_random.tokens 204800; change all of them together",
        ),
        (
            {"pretrain__continued__tokens": 409600},
            "select_files.horizon_tokens: found 204800; allowed: the same as pretrain.continued.tokens",
        ),
        (
            {"pretrain__general__tokens": 614401},
            "pretrain.general.tokens: found 614401; allowed: a multiple of batch_tokens 1024; the nearest is 614400",
        ),
        (
            {"pretrain__general__tokens": 512},
            "pretrain.general.tokens: found 512; allowed: a multiple of batch_tokens 1024; the nearest is 1024",
        ),
        (
            {"pretrain__enhanced__schedule": SCHEDULE | {"warmup_steps": 101}},
            "pretrain.enhanced.schedule.warmup_steps: found 101; allowed: at most the 100 steps of the phase",
        ),
        (
            {"pretrain__enhanced__schedule": SCHEDULE | {"final_learning_rate": 0.1}},
            "pretrain.enhanced.schedule.final_learning_rate: found 0.1; allowed: at most peak_learning_rate 0.0002",
        ),
        (
            {"pretrain__enhanced__parent": "models/pretrain/enhance"},
            "pretrain.enhanced.parent: found 'models/pretrain/enhance'; allowed: models/",
        ),
        (
            {"report__variants__enhanced": "general"},
            "report.variants.enhanced: found 'general'; allowed: what pretrain.enhanced.parent names",
        ),
        (
            {"report__variants__enhanced": "contined"},
            "report.variants.enhanced: found 'contined'; did you mean continued? allowed: initial",
        ),
        ({"report__variants__instruct": "general"}, "report.variants: found 'instruct'; allowed: general, continued"),
        ({"report__controls__enhanced": "selected"}, "report.controls.enhanced: found 'selected'; did you mean enhanced_selected? allowed"),
        ({"report__controls__genral": "general"}, "report.controls: found 'genral'; did you mean general? allowed"),
        (
            {"pretrain__enhanced_selected__tokens": 204800},
            "pretrain.enhanced_selected.tokens: found 204800; allowed: 102400, as pretrain.enhanced has it (report.controls.enhanced)",
        ),
        ({"pack_tokens__general__languages": ["rust"]}, "pack_tokens.general.languages: found 'rust'; allowed: c, cpp, css"),
        (
            {"pack_tokens__general__files": "data/split_files"},
            "pack_tokens.general.files: found 'data/split_files'; allowed: data/tokenize_files",
        ),
        (
            {"pack_tokens__enhanced__documents": None},
            "pack_tokens.enhanced.documents: found null with python_fraction 0.5; allowed: a folder",
        ),
        (
            {"pack_tokens__instruct": {"files": "data/x"}},
            "pack_tokens.instruct: unknown parameter (found {'files': 'data/x'}); allowed: sequence_",
        ),
        ({"fetch_corpus__languages": ["klingon"]}, "fetch_corpus.languages: unknown klingon; allowed: c, cpp"),
        (
            {"fetch_corpus__max_file_bytes": 240001},
            "fetch_corpus.max_file_bytes: found 240001; allowed: at most max_bytes_per_repository 240000",
        ),
        (
            {"fetch_positives__min_file_bytes": 100001},
            "fetch_positives.min_file_bytes: found 100001; allowed: at most max_file_bytes 100000",
        ),
        (
            {"fetch_corpus__source": {"kind": "json", "path": "data"}},
            "fetch_corpus.source.kind: found 'json'; did you mean jsonl? allowed: wheels, directory, jsonl, parquet, huggingface",
        ),
        ({"fetch_corpus__source": {"path": "data"}}, "fetch_corpus.source.kind: missing next to path; allowed: wheels, directory"),
        (
            {"fetch_positives__source": DATASETS},
            "fetch_positives.source.high_quality: found []; allowed: a list of a mapping with kind: jsonl",
        ),
        ({"train_annotator__EDU__positives": ["high_quality"]}, "train_annotator.EDU.positives: found ['high_quality']; allowed: []"),
        ({"train_annotator__HQ__positives": []}, "train_annotator.HQ.positives: found []; allowed: one or more for a classification"),
        (
            {"accept_documents__max_seed_containment": {"vllm": 0.5}},
            "accept_documents.max_seed_containment.extractive: missing; allowed: a number from 0 to 1",
        ),
        ({"embed_files__section_tokens": 513}, "embed_files.section_tokens: found 513; allowed: at most 512, the positions of the encoder"),
        (
            {"embed_files__encoder__name": "no.such.package"},
            "embed_files.encoder.name: found 'no.such.package'; allowed: an installed package",
        ),
        (
            {"filter_files__opt_out": "data/corpus.csv"},
            "filter_files.opt_out: found 'data/corpus.csv'; allowed: a path in the deps of filter_files",
        ),
        (
            {"fetch_benchmarks__names": ["humaneva"]},
            "fetch_benchmarks.names: unknown benchmark 'humaneva'; did you mean humaneval? allowed",
        ),
        ({"train_tokenizer__pinned_folder": "data"}, "train_tokenizer.pinned_sha256: found null; allowed: 64 hex digits"),
        ({"label_files__labeller": "engine"}, "label_files.judge: found null; allowed: for labeller engine a mapping with engine"),
    ],
)
def test_what_disagrees_is_named(values: dict[str, Any], fault: str) -> None:
    told = faults(changed(**values))
    assert any(one.startswith(fault) for one in told), told


@pytest.mark.parametrize(
    "values",
    [
        {"pretrain__continued__seed": 7},
        {"select_files__repeats": 2},
        {"select_files__recipe": "EDU"},
        {"pack_tokens__enhanced_selected__languages": ["python"]},
        {"train_annotator__encoder": "tuned"},
        {"filter_files__opt_out": None},
        {"generate_completions__engine": "vllm"},
        {"filter_files__max_digit_fraction": 1},
        {"report__variants": {"general": "initial"}, "report__controls": {}},
    ],
)
def test_experiments_that_people_run_are_accepted(values: dict[str, Any]) -> None:
    assert faults(changed(**values)) == []


def test_a_section_at_fault_does_not_hide_what_others_disagree_on() -> None:
    told = faults(changed(filter_files__mask="yes", initialize_model__vocab_size=512))
    assert [one.split(":")[0] for one in told] == ["filter_files.mask", "initialize_model.vocab_size"]


def test_a_variant_that_the_graph_does_not_measure_or_report_is_refused() -> None:
    """Added as params.yaml, pack_tokens and pretrain ask: the report would fail for want of it, at the end, or keep what it was."""
    stages = copy.deepcopy(GRAPH.stages)
    for stage in ("pack_tokens", "pretrain"):
        stages[stage]["foreach"]["mine"] = stages[stage]["foreach"]["enhanced"]
    raw = changed(
        pretrain__mine=PARAMS["pretrain"]["enhanced"],
        pack_tokens__mine=PARAMS["pack_tokens"]["enhanced"],
        report__variants=PARAMS["report"]["variants"] | {"mine": "continued"},
    )
    told = faults_of(raw, Graph(stages), ROOT)
    items = "general, continued, continued_random, enhanced, enhanced_selected; add it there"
    assert told[0] == f"report.variants.mine: no such item of generate_completions in dvc.yaml; allowed: {items}"
    assert [fault.split(" in dvc.yaml")[0].split()[-1] for fault in told[:3]] == [
        "generate_completions",
        "execute_completions",
        "measure_bits_per_byte",
    ]
    assert told[3].startswith(
        "report: reads metrics/pack_tokens/mine.json, metrics/pretrain/mine.json, metrics/execute_completions/mine.json, "
    )
    assert len(told) == 4
    made = ["metrics/pack_tokens/mine.json", "metrics/pretrain/mine.json", "metrics/execute_completions/mine.json"]
    made += ["metrics/measure_bits_per_byte/mine.json", "models/pretrain/mine/loss_curve.csv", "data/measure_bits_per_byte/mine"]
    stages["report"]["deps"] += made
    stages["measure_bits_per_byte"]["foreach"]["mine"] = {"model": "models/pretrain/mine"}
    for stage in ("generate_completions", "execute_completions"):
        stages[stage]["foreach"].append("mine")
    assert faults_of(raw, Graph(stages), ROOT) == []


def test_a_name_that_the_report_misspells_is_one_fault() -> None:
    assert len(faults(changed(report__recipes=["EDU", "HQI"], report__rules=["selected"]))) == 1
