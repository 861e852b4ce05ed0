"""Every input to a model gets exactly one start token, and every end token ends a completion."""

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.errors import CheckpointError, EngineError, ParameterError
from snowcoder.inference.engine import Chat, Completion, Prompt, Sampling
from snowcoder.inference.engines.transformers_engine import TransformersEngine
from snowcoder.inference.local.border_tokens import completion_end_ids, open_tokenizer, start_once
from snowcoder.inference.local.chat_template import read_chat_template
from snowcoder.inference.local.model_folder import open_folder
from tests.inference.chat_folder import CHATML, make_chat_tokenizer, save_chat_folder

CHAT = Chat("", "add two numbers")


def encode(folder: Path, prompt: Prompt, document_start: bool = False, room: int = 1000) -> list[str]:
    """The tokens that both engines give the model."""
    found = open_folder(folder, document_start)
    return [found.tokenizer.id_to_token(token) for token in found.encoder.encode(prompt, room)]


@pytest.mark.parametrize("document_start", [True, False])
@pytest.mark.parametrize("eos_after", [True, False])
@pytest.mark.parametrize(
    ("prompt", "template", "second"),
    [
        ("def f(x):", CHATML, "def"),
        ("<s>def f(x):", CHATML, "def"),  # a text that brings its own, as a rendered chat does
        (CHAT, CHATML, "<|im_start|>"),  # the template writes none, the tokenizer does
        (CHAT, "<s>" + CHATML, "<|im_start|>"),
        (CHAT, "{{ bos_token }}" + CHATML, "<|im_start|>"),
    ],
)
def test_a_tokenizer_that_adds_bos_gives_one(
    tmp_path: Path, prompt: Prompt, template: str, second: str, eos_after: bool, document_start: bool
) -> None:
    save_chat_folder(tmp_path, template, make_chat_tokenizer(True, eos_after))
    tokens = encode(tmp_path, prompt, document_start)
    assert tokens[0] == "<s>"
    assert tokens[1].startswith(second[:1])
    assert tokens.count("<s>") == 1
    assert tokens[-1] != "<|im_end|>"


@pytest.mark.parametrize(("document_start", "n_starts"), [(False, 0), (True, 1)])
def test_a_tokenizer_that_adds_nothing_gives_bos_where_a_document_start_is_asked_for(
    tmp_path: Path, document_start: bool, n_starts: int
) -> None:
    save_chat_folder(tmp_path, None, make_chat_tokenizer(bos_before=False, eos_after=True))
    tokens = encode(tmp_path, "def f(x):", document_start)
    assert (tokens.count("<s>"), tokens[0] == "<s>") == (n_starts, bool(n_starts))


def test_bos_and_eos_in_one_token_are_told_apart_by_their_place(tmp_path: Path) -> None:
    tokenizer = make_chat_tokenizer()
    tokenizer.post_processor = type(tokenizer.post_processor)(single="<s> $A <s>", special_tokens=[("<s>", tokenizer.token_to_id("<s>"))])
    save_chat_folder(tmp_path, tokenizer=tokenizer, tokenizer_config={"eos_token": "<s>"})
    assert encode(tmp_path, "x") == ["<s>", "x"]


def test_a_document_start_without_a_bos_token_is_refused(tmp_path: Path) -> None:
    save_chat_folder(tmp_path, None, make_chat_tokenizer(bos_before=False), tokenizer_config={"bos_token": None})
    with pytest.raises(ParameterError, match=r"document_start: found true, but the tokenizer in .* has no bos token"):
        encode(tmp_path, "x", document_start=True)
    assert encode(tmp_path, "x") == ["x"]
    with pytest.raises(EngineError, match="an empty prompt has no token"):
        encode(tmp_path, "")


def test_a_tokenizer_without_post_processor_puts_nothing(tmp_path: Path) -> None:
    save_chat_folder(tmp_path)
    raw = json.loads((tmp_path / "tokenizer.json").read_text())
    (tmp_path / "tokenizer.json").write_text(json.dumps(raw | {"post_processor": None}))
    assert encode(tmp_path, "x") == ["x"]


def test_a_prompt_that_is_cut_has_no_start(tmp_path: Path) -> None:
    save_chat_folder(tmp_path)
    assert encode(tmp_path, "x" * 9, room=4) == ["x"] * 4


@given(st.lists(st.integers(0, 3), max_size=3), st.lists(st.integers(0, 3), max_size=6))
def test_start_once_adds_nothing_twice(start: list[int], ids: list[int]) -> None:
    once = start_once(start, ids)
    assert once[: len(start)] == start
    assert once[len(start) :] in (ids, ids[len(start) :])
    assert start_once(start, once) == once


def test_every_end_token_that_the_folder_names_ends_a_completion(tmp_path: Path) -> None:
    # the tokenizer says <|im_end|>, config.json the end of text, generation_config.json one more: each of Qwen's files says something else
    save_chat_folder(tmp_path, ends=["<|im_end|>", "<|im_start|>"])
    loaded = open_folder(tmp_path, document_start=False).load("float32", 1)
    assert [loaded.tokenizer.id_to_token(token) for token in loaded.end_ids] == ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    letter = loaded.tokenizer.token_to_id("a")
    for end in loaded.end_ids:
        engine = TransformersEngine(loaded, 2, 512)
        engine._model = _writes(loaded.model, [letter, letter, end])
        assert engine.generate(["x"], Sampling(20)) == [Completion("aa", "stop", 2, 2)]


def test_the_token_with_which_the_template_ends_a_turn_is_an_end_even_if_no_file_names_it(tmp_path: Path) -> None:
    # a base model with a template, whose eos is the end of text
    save_chat_folder(tmp_path, ends=["<|endoftext|>"], tokenizer_config={"eos_token": "<|endoftext|>"})
    tokenizer = open_tokenizer(tmp_path)
    assert completion_end_ids(tokenizer, tmp_path, None) == [0]
    assert completion_end_ids(tokenizer, tmp_path, read_chat_template(tokenizer, tmp_path)) == [
        0,
        tokenizer.convert_tokens_to_ids("<|im_end|>"),
    ]


def test_a_folder_without_any_end_token_is_refused(tmp_path: Path) -> None:
    save_chat_folder(tmp_path, None, tokenizer_config={"eos_token": None})
    for name in ("config.json", "generation_config.json"):
        path = tmp_path / name
        path.write_text(json.dumps({key: value for key, value in json.loads(path.read_text()).items() if key != "eos_token_id"}))
    with pytest.raises(CheckpointError, match="no token ends a completion; set eos_token_id"):
        completion_end_ids(open_tokenizer(tmp_path), tmp_path, None)


@pytest.mark.parametrize("pad_token", [None, "<|im_end|>", "<s>"])
def test_padding_needs_no_padding_token(tmp_path: Path, pad_token: str | None) -> None:
    save_chat_folder(tmp_path, tokenizer_config={"pad_token": pad_token, "padding_side": "right"})
    prompts = ["x", "def add(a, b):\n    return", "class A:\n    def f(self, item):\n        return self"]
    loaded = open_folder(tmp_path, document_start=False).load("float32", 1)
    together, alone = (TransformersEngine(loaded, size, 512).generate(prompts, Sampling(16)) for size in (3, 1))
    assert together == alone
    assert len({completion.text for completion in together}) == 3


def _writes(model: torch.nn.Module, tokens: list[int]) -> torch.nn.Module:
    """The model, whose answer is `tokens`, whatever it reads; the last one again and again."""
    steps = iter([*tokens, *[tokens[-1]] * 100])

    def answer(module: torch.nn.Module, inputs: object, output: torch.Tensor) -> torch.Tensor:
        forced = torch.full_like(output, -1e9)
        forced[..., next(steps)] = 0.0
        return forced

    for hook in list(model.lm_head._forward_hooks):
        del model.lm_head._forward_hooks[hook]
    model.lm_head.register_forward_hook(answer)
    return model
