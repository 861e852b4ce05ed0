"""A Llama of 20 thousand parameters with random weights, and a byte-level tokenizer of 300 ids: real parts, small."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM

from snowcoder.inference.local.model_folder import LoadedModel
from snowcoder.tokenization.tokenizer import EOS_TOKEN, save_tokenizer

TEXTS = [
    "def add(a, b):\n    return a + b\n",
    "class Stack:\n    def push(self, item):\n        self.items.append(item)\n",
    'def is_even(n: int) -> bool:\n    """Even?"""\n    return n % 2 == 0\n\n\nprint(is_even(2))\n',
]
WINDOW = 96


def make_tokenizer() -> Tokenizer:
    """Trained on TEXTS; id 0 is the document border."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=[EOS_TOKEN], initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(TEXTS * 3, trainer)
    return tokenizer


def make_model(vocab_size: int, seed: int = 0, hidden_size: int = 32) -> LlamaForCausalLM:
    """Random weights; large ones, so that greedy choices are not near ties."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        hidden_size=hidden_size,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        vocab_size=vocab_size,
        max_position_embeddings=WINDOW,
        tie_word_embeddings=False,
        initializer_range=0.3,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=0,
    )
    return LlamaForCausalLM(config).eval()


def as_loaded(model: LlamaForCausalLM, tokenizer: Tokenizer, end_ids: Sequence[int] = (0,)) -> LoadedModel:
    """As a folder of them is loaded whose documents begin with id 0."""
    return LoadedModel(Path("tiny"), tokenizer, [0], list(end_ids), None, model)


def save_folder(model: LlamaForCausalLM, tokenizer: Tokenizer, folder: Path) -> None:
    """As the stages of the model side write it."""
    model.save_pretrained(folder)
    save_tokenizer(tokenizer, folder, WINDOW)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that wait for each other make tiny operations a hundred times slower on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    """The tokenizer, made once."""
    return make_tokenizer()


@pytest.fixture(scope="session")
def model(tokenizer: Tokenizer) -> LlamaForCausalLM:
    """The model, made once."""
    return make_model(tokenizer.get_vocab_size())
