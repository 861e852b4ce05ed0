"""One tiny model and tokenizer for all tests of evaluation."""

from collections.abc import Iterator

import pytest
import torch
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from tests.inference.tiny_llama import make_model, make_tokenizer


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    # threads that wait for each other make tiny operations a hundred times slower on a busy machine
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return make_tokenizer()


@pytest.fixture(scope="session")
def model(tokenizer: Tokenizer) -> LlamaForCausalLM:
    return make_model(tokenizer.get_vocab_size())
