"""Sections that contradict each other are refused, with both values in the message."""

from typing import Any

import pytest

from tests.configuration.changed_params import PARAMS, changed, faults

SCHEDULE = PARAMS["pretrain"]["variants"]["enhanced"]["schedule"]
VARIANTS = PARAMS["pretrain"]["variants"]
VARIANT = VARIANTS["enhanced"]
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
            "pretrain.variants.general.batch_tokens: found 1024; allowed: a multiple of pack_tokens.sequence_length 300",
        ),
        (
            {"initialize_model__vocab_size": 8192},
            "initialize_model.vocab_size: found 8192; allowed: no such key, as train_tokenizer.vocab_size holds the value; remove it",
        ),
        ({"train_tokenizer__vocab_size": 7}, "train_tokenizer.vocab_size: found 7; allowed: a whole number above 256 and at most 65536"),
        ({"train_tokenizer__model_max_length": 2000}, "train_tokenizer.model_max_length: found 2000; allowed: at most"),
        ({"measure_bits_per_byte__window_tokens": 1025}, "measure_bits_per_byte.window_tokens: found 1025; allowed: at most"),
        (
            {"measure_bits_per_byte__window_tokens": 257},
            "measure_bits_per_byte.window_tokens: found 257; allowed: at most pack_tokens.sequence_length 256",
        ),
        (
            {"measure_bits_per_byte__window_tokens": None},
            "measure_bits_per_byte.window_tokens: found null, the model's 1024 positions; allowed: at most pack_tokens.sequence_length 256",
        ),
        ({"generate_completions__window_tokens": 4096}, "generate_completions.window_tokens: found 4096; allowed: at most"),
        (
            {"generate_completions__max_new_tokens": 1024},
            "generate_completions.max_new_tokens: found 1024; allowed: below the window, 1024",
        ),
        (
            {"score_baselines__perplexity__beginning_tokens": 1024},
            "score_baselines.perplexity.beginning_tokens: found 1024; allowed: below initialize_model.max_positions 1024, as a document",
        ),
        (
            {"train_annotator__recipes__loops": PARAMS["train_annotator"]["recipes"]["HQ"]},
            "train_annotator.recipes.loops: found the name of another way of choosing files; allowed: any but random, shortest, loops,",
        ),
        ({"initialize_model__heads": 3}, "initialize_model.heads: found 3; allowed: a divisor of hidden_size 256"),
        ({"initialize_model__kv_heads": 3}, "initialize_model.kv_heads: found 3; allowed: a divisor of heads 4"),
        ({"initialize_model__heads": 256, "initialize_model__kv_heads": 1}, "initialize_model.heads: found 256, which gives each 1"),
        ({"select_files__shared__recipe": "HQQ"}, "select_files.shared.recipe: found 'HQQ'; did you mean HQ? allowed: EDU, INS, HQ, HQINS"),
        (
            {"synthesize_documents__recipe": "HQINS"},
            "synthesize_documents.recipe: found 'HQINS'; allowed: no such key, as select_files.shared.recipe holds the value; remove it",
        ),
        ({"generate_completions__stop": ["\ndef ", ""]}, "generate_completions.stop.1: found '', which would end every completion at once"),
        (
            {"select_files__shared__horizon_tokens": 102400},
            "select_files.shared.horizon_tokens: found 102400; allowed: no such key, as pretrain.variants.continued.tokens holds the val",
        ),
        (
            {"select_files__shared__horizon_of": "continud"},
            "select_files.shared.horizon_of: found 'continud'; did you mean continued? allowed: general, continued, continued_random, enh",
        ),
        (
            {"select_files__shared__horizon_of": "general"},
            "select_files.shared.horizon_of: found 'general'; allowed: continued, continued_random, enhanced, enhanced_selected",
        ),
        (
            {"select_files__shared__repeats": 122881},
            "select_files.shared.repeats: found 122881; allowed: at most pretrain.variants.continued.tokens 122880",
        ),
        (
            {"pretrain__variants__continued__tokens": 409600},
            "pretrain.variants.continued_random.tokens: found 122880; allowed: 409600, as its control_of, continued, has it",
        ),
        (
            {"pretrain__variants__general__tokens": 614401},
            "pretrain.variants.general.tokens: found 614401; allowed: a multiple of batch_tokens 1024; the nearest is 614400",
        ),
        (
            {"pretrain__variants__general__tokens": 512},
            "pretrain.variants.general.tokens: found 512; allowed: a multiple of batch_tokens 1024; the nearest is 1024",
        ),
        (
            {"pretrain__variants__enhanced__schedule": SCHEDULE | {"warmup_steps": 101}},
            "pretrain.variants.enhanced.schedule.warmup_steps: found 101; allowed: at most the 60 steps of the phase",
        ),
        (
            {"pretrain__variants__enhanced__schedule": SCHEDULE | {"final_learning_rate": 0.1}},
            "pretrain.variants.enhanced.schedule.final_learning_rate: found 0.1; allowed: at most peak_learning_rate 0.0003",
        ),
        (
            {"pretrain__variants__enhanced__parent": "models/pretrain/continue"},
            "pretrain.variants.enhanced.parent: found 'models/pretrain/continue'; did you mean models/pretrain/continued? allowed: models/",
        ),
        (
            {"pretrain__variants__enhanced__parent": "general"},
            "pretrain.variants.enhanced.parent: found 'general'; did you mean models/pretrain/general? allowed: models/initialize_model,",
        ),
        (
            {"pretrain__variants__enhanced_selected__schedule": SCHEDULE | {"warmup_steps": 9}},
            "pretrain.variants.enhanced_selected.schedule.warmup_steps: found 9; allowed: 5, as its control_of, enhanced, has it",
        ),
        (
            {"pretrain__variants__general__parent": "models/pretrain/enhanced"},
            "pretrain.variants.general.parent: found 'models/pretrain/enhanced'; allowed: models/initialize_model",
        ),
        (
            {"pretrain__variants__initial": VARIANT},
            "pretrain.variants.initial: found a variant of the name of the untrained model; allowed: any other name",
        ),
        ({"pretrain__variants__in/side": VARIANT}, "pretrain.variants: found the key 'in/side'; allowed: text of the form "),
        (
            {"pretrain__variants__enhanced_selected__control_of": "selected"},
            "pretrain.variants.enhanced_selected.control_of: found 'selected'; allowed: general, continued, enhanced",
        ),
        (
            {"pretrain__variants__enhanced_selected__control_of": "enhanced_selected"},
            "pretrain.variants.enhanced_selected.control_of: found 'enhanced_selected'; did you mean enhanced? allowed: general, contin",
        ),
        (
            {"pretrain__variants__enhanced_selected__control_of": "continued_random"},
            "pretrain.variants.enhanced_selected.control_of: found 'continued_random'; did you mean continued? allowed: general, continued",
        ),
        (
            {"pretrain__variants__enhanced_selected__tokens": 204800},
            "pretrain.variants.enhanced_selected.tokens: found 204800; allowed: 61440, as its control_of, enhanced, has it",
        ),
        (
            {"pretrain__variants__general__packs__languages": ["rust"]},
            "pretrain.variants.general.packs.languages: found 'rust'; allowed: c, cpp, css",
        ),
        (
            {"pretrain__variants__general__packs__files": "data/select_files/slected"},
            "pretrain.variants.general.packs.files: found 'data/select_files/slected'; did you mean data/select_files/selected? allowed: ",
        ),
        (
            {"pretrain__variants__enhanced__packs__documents": None},
            "pretrain.variants.enhanced.packs.documents: found null; allowed: text",
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
        (
            {"train_annotator__recipes__EDU__positives": ["high_quality"]},
            "train_annotator.recipes.EDU.positives: found ['high_quality']; allowed: []",
        ),
        (
            {"train_annotator__recipes__HQ__positives": []},
            "train_annotator.recipes.HQ.positives: found []; allowed: one or more for a classification",
        ),
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
        (
            {"train_branches__parent": "models/pretrain/generall"},
            "train_branches.parent: found 'models/pretrain/generall'; did you mean models/pretrain/general? allowed: models/pretrain/gen",
        ),
        (
            {"train_branches__parent": "models/pretrain/continued"},
            "train_branches.parent: found 'models/pretrain/continued'; allowed: a model that train_branches depends on in dvc.yaml; "
            "add models/pretrain/continued, data/pack_tokens/continued to its deps",
        ),
        (
            {"train_branches__batch_tokens": 640},
            "train_branches.batch_tokens: found 640; allowed: a multiple of pack_tokens.sequence_length 256",
        ),
        (
            {"train_branches__endpoint": ["humaneval", "mbpp_plus"]},
            "train_branches.endpoint: found 'mbpp_plus'; allowed: validation, held_out, unseen, humaneval",
        ),
        (
            {"train_branches__claims": [["HQINS", "random"], ["random", "HQINS"]]},
            "train_branches.claims.1: found the arms of claims.0 again, random and HQINS; allowed: each two arms once",
        ),
        ({"train_branches__arms__HQINS__by": "HQI"}, "train_branches.arms.HQINS.by: found 'HQI'; did you mean HQ? allowed: random, "),
        (
            {"train_branches__arms__repository_matched__matched_to": "HQ"},
            "train_branches.arms.repository_matched.matched_to: found 'HQ'; ",
        ),
    ],
)
def test_what_disagrees_is_named(values: dict[str, Any], fault: str) -> None:
    told = faults(changed(**values))
    assert any(one.startswith(fault) for one in told), told


@pytest.mark.parametrize(
    "values",
    [
        {"pretrain__variants__continued__seed": 7},
        {"select_files__shared__repeats": 2},
        {"select_files__shared__recipe": "EDU"},
        {"pretrain__variants__enhanced_selected__packs__languages": ["python"]},
        {"train_annotator__shared__encoder": "tuned"},
        {"filter_files__opt_out": None},
        {"generate_completions__engine": "vllm"},
        {"filter_files__max_digit_fraction": 1},
        {"pretrain__variants": {"general": VARIANTS["general"], "continued": VARIANTS["continued"]}},
        {"pretrain__variants__enhanced_general": VARIANTS["enhanced_selected"]},
        {"train_branches__endpoint": ["humaneval", "unseen"], "train_branches__claims": []},
        {"train_branches__learning_rates": [1e-3], "train_branches__sensitivity_draws": 0},
    ],
)
def test_experiments_that_people_run_are_accepted(values: dict[str, Any]) -> None:
    assert faults(changed(**values)) == []


def test_a_section_at_fault_does_not_hide_what_others_disagree_on() -> None:
    told = faults(changed(filter_files__mask="yes", select_files__shared__recipe="HQQ"))
    assert [one.split(":")[0] for one in told] == ["filter_files.mask", "select_files.shared.recipe"]


def test_a_bound_that_two_sections_have_is_said_of_the_one_that_holds_the_value() -> None:
    told = faults(changed(pretrain__variants__continued__tokens="many"))
    assert {one.split(":")[0] for one in told} == {"pretrain.variants.continued.tokens"}


def test_variants_that_are_missing_are_not_told_of_the_section_that_reads_them() -> None:
    params = changed()
    params["pretrain"] = {"shared": params["pretrain"]["shared"], "general": {}}
    assert [one.split(":")[0] for one in faults(params)] == ["pretrain.variants", "pretrain.general"]
