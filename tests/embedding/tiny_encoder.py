"""A BERT with a few thousand random weights and a WordPiece tokenizer of two dozen words, in the folder layout of an encoder."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertModel

from snowcoder.embedding.encoder_source import EmbedParams, EncoderParams
from snowcoder.storage.files import sha256_file

GOOD, POOR, PLAIN = ([f"{kind}{number}" for number in range(6)] for kind in ("good", "poor", "plain"))
WORDS = [*GOOD, *POOR, *PLAIN]


def write_encoder(folder: Path) -> Path:
    """config.json, model.safetensors and tokenizer.json of a BERT with random weights."""
    vocabulary = {word: number for number, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS])}
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=32,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def embed_params(folder: Path, weights_sha256: str = "", pooling: str = "mean") -> EmbedParams:
    """Sections of 16 tokens, float32, one thread."""
    digest = weights_sha256 or sha256_file(folder / "model.safetensors")
    encoder = EncoderParams.model_validate(
        {"source": "folder", "name": str(folder), "revision": "", "weights_sha256": digest, "pooling": pooling}
    )
    return EmbedParams(
        encoder=encoder, pool_fraction=1.0, pool_seed=1, section_tokens=16, batch_tokens=256, bf16=False, cpu_threads=1, device="cpu"
    )


def text_of(quality: list[str], index: int) -> str:
    """30 words, every third of `quality`: three sections."""
    return " ".join(quality[(index + 5 * place) % 6] if place % 3 == 0 else PLAIN[(index * place) % 6] for place in range(30))
