"""The frozen encoder: batches by a fixed rule, pooling, and the same vectors in any batch."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import BertConfig, BertModel

from snowcoder.embedding.encoder import Encoder, batches_by_length


@pytest.fixture(scope="module")
def tiny_encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny_encoder")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=50, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, max_position_embeddings=32
    )
    BertModel(config).save_pretrained(folder)
    return folder


@given(st.lists(st.integers(2, 64), max_size=60), st.integers(1, 300))
def test_batches_hold_every_section_once_within_the_budget(lengths: list[int], batch_tokens: int) -> None:
    batches = batches_by_length(lengths, batch_tokens)
    assert sorted(position for batch in batches for position in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[position] for position in batch) <= batch_tokens


def test_batches_of_a_hand_computed_case() -> None:
    # by length, then position: 1 (2), 3 (2), 0 (5), 2 (9); 2 x 2 fits into 10, a third of length 5 does not; 5 and 9 do not
    assert batches_by_length([5, 2, 9, 2], 10) == [[1, 3], [0], [2]]


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_vectors_equal_those_of_the_model_without_padding(tiny_encoder_folder: Path, pooling: str) -> None:
    sections = [[1, 7, 2], [1, 9, 8, 7, 6, 2], [1, 2], [1, 30, 31, 32, 2]]
    found = Encoder(tiny_encoder_folder, pooling, bf16=False, cpu_threads=1, device="cpu").embed(sections, 64, "test")
    model = BertModel.from_pretrained(tiny_encoder_folder).eval()
    for ids, vector in zip(sections, found, strict=True):
        with torch.inference_mode():
            hidden = model(torch.tensor([ids])).last_hidden_state[0]
        pooled = hidden.mean(dim=0) if pooling == "mean" else hidden[0]
        np.testing.assert_allclose(vector, (pooled / pooled.norm()).numpy(), atol=1e-5)


def test_the_same_sections_give_the_same_bytes(tiny_encoder_folder: Path) -> None:
    sections = [[1, *range(3, 3 + n), 2] for n in (0, 5, 11, 5, 20, 1)]
    first, second = (Encoder(tiny_encoder_folder, "mean", True, 2, "cpu").embed(sections, 40, "test") for _ in range(2))
    assert first.tobytes() == second.tobytes()
    np.testing.assert_allclose(np.linalg.norm(first, axis=1), 1.0, atol=1e-5)
