import pytest
import torch
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from snowcoder.errors import CheckpointError, ParameterError
from snowcoder.inference.engine import Completion, Sampling
from snowcoder.inference.engines.transformers_engine import TransformersEngine
from snowcoder.inference.local.decoding import decode_batch, nucleus_chooser
from snowcoder.inference.local.model_folder import load_weights, open_folder
from tests.inference.tiny_llama import WINDOW, as_loaded, save_folder

PROMPTS = [
    "def add(a, b):",
    "x",
    "",
    'def is_even(n):\n    """Even?"""',
    "class A:\n    def f(self, item):\n        return",
    "print(",
    "a b c",
]


def _complete_naively(model: LlamaForCausalLM, ids: list[int], n_tokens: int) -> list[int]:
    """One prompt, no cache, no padding: what any faster decoding must equal."""
    whole = list(ids)
    for _ in range(n_tokens):
        with torch.inference_mode():
            whole.append(int(model(torch.tensor([whole])).logits[0, -1].argmax()))
    return whole[len(ids) :]


def _engine(model: LlamaForCausalLM, tokenizer: Tokenizer, batch_size: int, window: int = WINDOW) -> TransformersEngine:
    return TransformersEngine(as_loaded(model, tokenizer), batch_size, window)


def test_padded_and_cached_decoding_equals_the_naive_one(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    prompts = [[0, *tokenizer.encode(prompt).ids] for prompt in PROMPTS]
    found = decode_batch(model, prompts, 20, lambda row: False)
    assert found == [_complete_naively(model, prompt, 20) for prompt in prompts]


def test_rows_that_leave_the_batch_change_no_other(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    prompts = [[0, *tokenizer.encode(prompt).ids] for prompt in PROMPTS]
    alone = [_complete_naively(model, prompt, 40) for prompt in prompts]
    seen: list[int] = []
    for leaving in range(len(prompts)):
        gone = alone[leaving][:8]
        found = decode_batch(model, prompts, 40, lambda row, gone=gone: row[:8] == gone)
        seen.append(len(found[leaving]))
        for row, expected in zip(found, alone, strict=True):
            assert row == expected[: len(row)]
            assert len(row) == (8 if row[:8] == gone else 40)
    assert seen == [8] * len(prompts)


@pytest.mark.parametrize("batch_size", [1, 2, 3, 7, 100])
def test_batch_size_changes_no_completion(model: LlamaForCausalLM, tokenizer: Tokenizer, batch_size: int) -> None:
    sampling = Sampling(24, ("\n", "b"))
    assert _engine(model, tokenizer, batch_size).generate(PROMPTS, sampling) == _engine(model, tokenizer, 4).generate(PROMPTS, sampling)


@pytest.mark.parametrize("workers", [2, 5])
def test_workers_change_nothing(model: LlamaForCausalLM, tokenizer: Tokenizer, workers: int) -> None:
    parallel = TransformersEngine(as_loaded(model, tokenizer), 2, WINDOW, workers)
    assert parallel.generate(PROMPTS, Sampling(24)) == _engine(model, tokenizer, 2).generate(PROMPTS, Sampling(24))


def test_completions_keep_the_order_of_the_prompts(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    engine = _engine(model, tokenizer, 3)
    forward, backward = engine.generate(PROMPTS, Sampling(10)), engine.generate(PROMPTS[::-1], Sampling(10))
    assert forward == backward[::-1]


def test_a_stop_string_is_found_wherever_it_falls(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    # substrings of three characters of unstopped completions, tried as the stop string
    engine = _engine(model, tokenizer, 4)
    tried = 0
    for prompt, whole in zip(PROMPTS, engine.generate(PROMPTS, Sampling(40)), strict=True):
        for start in range(0, len(whole.text) - 3, 5):
            stop = whole.text[start : start + 3]
            if stop.isascii():
                found = engine.generate([prompt], Sampling(40, (stop,)))[0]
                assert (found.text, found.finish_reason) == (whole.text[: whole.text.find(stop)], "stop")
                assert found.n_tokens <= whole.n_tokens
                tried += 1
    assert tried > 10


def _always(model: LlamaForCausalLM, token: int) -> LlamaForCausalLM:
    """A copy of the model that answers one token whatever it reads."""
    copy = LlamaForCausalLM(model.config).eval()
    torch.nn.init.zeros_(copy.lm_head.weight)
    with torch.no_grad():
        copy.model.norm.weight.zero_()
    handle = torch.zeros(model.config.vocab_size)
    handle[token] = 1.0
    copy.lm_head.register_forward_hook(lambda module, inputs, output: output + handle)
    return copy


def test_the_end_token_ends_a_completion_and_is_not_part_of_it(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    assert _engine(_always(model, 0), tokenizer, 2).generate(["x"], Sampling(20)) == [Completion("", "stop", 0, 2)]


def test_without_stop_all_tokens_are_used(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    letter = tokenizer.encode("a").ids[0]
    assert _engine(_always(model, letter), tokenizer, 2).generate(["x"], Sampling(20)) == [Completion("a" * 20, "length", 20, 2)]


def test_a_long_prompt_loses_its_head(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    long = "def add(a, b): return a + b; " * 30
    ids = tokenizer.encode(long).ids
    assert len(ids) > WINDOW
    expected = tokenizer.decode(_complete_naively(model, ids[-(WINDOW - 16) :], 16), skip_special_tokens=True)
    assert _engine(model, tokenizer, 1).generate([long], Sampling(16))[0].text == expected


def test_a_prompt_that_fits_starts_a_document(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    expected = tokenizer.decode(_complete_naively(model, [0, *tokenizer.encode("x").ids], 16), skip_special_tokens=True)
    assert _engine(model, tokenizer, 1).generate(["x"], Sampling(16))[0].text == expected


def test_no_room_for_a_prompt_is_refused(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    with pytest.raises(ParameterError, match="max_new_tokens: found 96; allowed: below the window of 96"):
        _engine(model, tokenizer, 1).generate(["x"], Sampling(WINDOW))


def test_a_saved_model_gives_the_same_completions(model: LlamaForCausalLM, tokenizer: Tokenizer, tmp_path) -> None:
    save_folder(model, tokenizer, tmp_path)
    loaded = load_weights(tmp_path, "float32", 1)
    assert not loaded.training
    assert as_loaded(loaded, tokenizer).window(None, "f") == WINDOW
    assert open_folder(tmp_path, document_start=True).window(32, "f") == 32
    sampling = Sampling(12)
    assert _engine(loaded, tokenizer, 4).generate(PROMPTS, sampling) == _engine(model, tokenizer, 4).generate(PROMPTS, sampling)


def test_precision_is_what_was_asked_for(model: LlamaForCausalLM, tokenizer: Tokenizer, tmp_path) -> None:
    save_folder(model, tokenizer, tmp_path)
    loaded = load_weights(tmp_path, "bfloat16", 1)
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.bfloat16}
    assert len(_engine(loaded, tokenizer, 4).generate(PROMPTS, Sampling(5))) == len(PROMPTS)


def test_a_window_beyond_the_models_limit_is_refused(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    with pytest.raises(ParameterError, match=r"window_tokens: found 97; allowed: up to 96"):
        as_loaded(model, tokenizer).window(WINDOW + 1, "generate_completions.window_tokens")


def test_a_missing_and_a_broken_folder_are_told(model: LlamaForCausalLM, tokenizer: Tokenizer, tmp_path) -> None:
    with pytest.raises(CheckpointError, match=r"config\.json: not found"):
        load_weights(tmp_path / "none", "float32", 1)
    save_folder(model, tokenizer, tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="not a model"):
        load_weights(tmp_path, "float32", 1)


def test_draws_depend_on_seed_and_prompt_alone(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    sampling = Sampling(24, temperature=1.0, seed=3)
    found = _engine(model, tokenizer, 3).generate(PROMPTS, sampling)
    assert found == _engine(model, tokenizer, 100).generate(PROMPTS, sampling)
    assert found[::-1] == _engine(model, tokenizer, 2).generate(PROMPTS[::-1], sampling)
    assert found != _engine(model, tokenizer, 3).generate(PROMPTS, Sampling(24, temperature=1.0, seed=4))


def test_the_same_prompt_gets_other_draws_each_time(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    found = _engine(model, tokenizer, 4).generate(["def add(a, b):"] * 6, Sampling(24, temperature=1.0))
    assert len({completion.text for completion in found}) > 3
    assert found[:3] == _engine(model, tokenizer, 4).generate(["def add(a, b):"] * 3, Sampling(24, temperature=1.0))


def test_a_small_nucleus_is_greedy(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    engine = _engine(model, tokenizer, 4)
    assert engine.generate(PROMPTS, Sampling(24, temperature=1.0, top_p=1e-6)) == engine.generate(PROMPTS, Sampling(24))


def test_draws_follow_the_probabilities() -> None:
    logits = torch.log(torch.tensor([[0.5, 0.3, 0.15, 0.05]])).repeat(4000, 1)
    drawn = nucleus_chooser(range(4000), 1.0, 0.9)(logits, range(4000))[:, 0].bincount(minlength=4) / 4000
    # the last token is outside the nucleus; the others share its part
    assert torch.allclose(drawn, torch.tensor([0.5, 0.3, 0.15, 0.0]) / 0.95, atol=0.03)


def test_models_with_other_tokens_at_the_ends(model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    plain = _engine(model, tokenizer, 4).generate(PROMPTS, Sampling(24))
    same = TransformersEngine(as_loaded(model, tokenizer, end_ids=[0, 1]), 4, WINDOW).generate(PROMPTS, Sampling(24))
    assert [b.text in a.text for a, b in zip(plain, same, strict=True)] == [True] * len(PROMPTS)
