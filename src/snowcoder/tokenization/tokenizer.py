"""Trains a byte-level BPE tokenizer on the train split, or takes one from a pinned folder, as a Hugging Face fast tokenizer.

in: texts  out: folder with tokenizer.json, tokenizer_config.json, special_tokens_map.json (AutoTokenizer.from_pretrained loads it)

Pre-tokenizer: the pattern of Qwen2.5-Coder (huggingface.co/Qwen/Qwen2.5-Coder-7B, tokenizer.json), itself GPT-4's with single digits:
- each digit is one token (as in DeepSeek-Coder and StarCoder2): numbers of one length are split in one way;
- a piece never reaches from a line into the next line's indentation, so that a prompt which ends in a newline is cut exactly where the
  whole text is cut (GPT-2's pattern joins newline and indentation, and such a prompt then ends in a token never seen before code);
- the last space of an indentation belongs to the word: `return` is one token, wherever on the line it is.
Measured on 2.4 MB of held-out code at a vocabulary of 8192: 3.62 bytes per token, against 3.42 for GPT-2's pattern with single digits.

Training gives the same bytes for any order of the texts and any number of threads: pieces are counted, the alphabet is fixed, equal counts
are decided by token ids. (Seen with tokenizers 0.23.3: 15 fresh processes, 1-7 threads, shuffled texts, ties throughout.)
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

import numpy as np
from pydantic import Field, model_validator
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from snowcoder.errors import EmptyResultError, ParameterError, ShardError
from snowcoder.pipeline.params import ExistingPath, ParamsModel
from snowcoder.storage.files import sha256_file, write_json
from snowcoder.storage.workspace import find_path
from snowcoder.words import EOS_ID

EOS_TOKEN = "<|endoftext|>"
# Tokens are stored as uint16.
MAX_VOCAB_SIZE = 2**16
N_BYTE_VALUES = 256
PRE_TOKENIZER_PATTERN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


class TokenizerParams(ParamsModel):
    """How the tokenizer is trained, or which one is taken."""

    vocab_size: int = Field(gt=N_BYTE_VALUES, le=MAX_VOCAB_SIZE)
    """Tokens, end of text included, of the tokenizer (or fewer: a small corpus, a pinned one) and of the model's embeddings; at most what
    uint16 holds, as tokens are stored (paper: 64,000).
    """
    min_frequency: int = Field(ge=1)
    """Occurrences that a pair of tokens must have to be merged."""
    max_train_bytes: int = Field(gt=0)
    """Bytes of text to train on, at most; files are taken in the order of their content hash."""
    model_max_length: int = Field(gt=1)
    """Tokens of the model's window, which AutoTokenizer reports to its users."""
    pinned_folder: ExistingPath | None = None
    """A tokenizer folder to use instead of training: byte-level, '<|endoftext|>' is id 0, as StarCoder2's; null: train."""
    pinned_sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    """The sha256 of that folder's tokenizer.json; required with pinned_folder."""

    @model_validator(mode="after")
    def _pinned_by_hash(self) -> Self:
        if self.pinned_folder and not self.pinned_sha256:
            path = f"{self.pinned_folder}/tokenizer.json"
            raise ValueError(f"pinned_sha256: found null; allowed: 64 hex digits, those that `sha256sum {path}` prints")
        return self


def train_tokenizer(texts: Iterable[str], params: TokenizerParams) -> Tokenizer:
    """Train on `texts`, in any order. Raises EmptyResultError if nothing can be merged."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(PRE_TOKENIZER_PATTERN), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=params.vocab_size,
        min_frequency=params.min_frequency,
        special_tokens=[EOS_TOKEN],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    if tokenizer.get_vocab_size() <= N_BYTE_VALUES + 1:
        raise EmptyResultError("train_tokenizer: no pair of bytes is frequent enough to merge; add text, or lower min_frequency")
    tokenizer.encode_special_tokens = True
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, folder: Path, model_max_length: int) -> None:
    """Write a folder that AutoTokenizer loads; by hand, so that no data stage imports transformers."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=True)
    special = {"bos_token": EOS_TOKEN, "eos_token": EOS_TOKEN, "pad_token": EOS_TOKEN}
    write_json(folder / "special_tokens_map.json", special)
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": model_max_length,
        "clean_up_tokenization_spaces": False,
        "padding_side": "left",
        **special,
    }
    write_json(folder / "tokenizer_config.json", config)


def load_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of a folder; '<|endoftext|>' inside a text is encoded as plain text. Raises ShardError if it cannot be used."""
    path = folder / "tokenizer.json"
    tokenizer = _read_tokenizer(path)
    if tokenizer.token_to_id(EOS_TOKEN) != EOS_ID:
        raise ShardError(f"{path}: {EOS_TOKEN} has id {tokenizer.token_to_id(EOS_TOKEN)}; it must be {EOS_ID}: use another tokenizer")
    # A setting of the running object, not saved in the file.
    tokenizer.encode_special_tokens = True
    return tokenizer


def _read_tokenizer(path: Path) -> Tokenizer:
    if not path.exists():
        raise ShardError(f"{path}: not found; run `dvc repro train_tokenizer`")
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception
        raise ShardError(f"{path}: not a tokenizer ({error}); run `dvc repro -f train_tokenizer`") from error


def load_pinned(params: TokenizerParams) -> Tokenizer:
    """The tokenizer of `pinned_folder`. Raises ParameterError if its hash differs, its ids do not fit uint16, or it would not
    reproduce every text exactly.
    """
    folder = find_path(params.pinned_folder or "")
    path = folder / "tokenizer.json"
    found = sha256_file(path) if path.is_file() else "no such file"
    if found != params.pinned_sha256:
        raise ParameterError(f"params.yaml: train_tokenizer.pinned_sha256: found {found} for {path}, expected {params.pinned_sha256}")
    size = max(_read_tokenizer(path).get_vocab().values(), default=0) + 1
    if size > MAX_VOCAB_SIZE:
        raise ParameterError(
            f"params.yaml: train_tokenizer.pinned_folder: {path}: found {size} token ids; allowed: up to {MAX_VOCAB_SIZE}, as tokens are "
            "stored as uint16; use a tokenizer with a smaller vocabulary, or train one (pinned_folder: null)"
        )
    tokenizer = load_tokenizer(folder)
    vocabulary = json.loads(tokenizer.to_str())
    plain = [token["content"] for token in vocabulary["added_tokens"] if not token["special"]]
    if vocabulary["normalizer"] is not None or plain or not set(pre_tokenizers.ByteLevel.alphabet()) <= set(tokenizer.get_vocab()):
        raise ParameterError(
            f"params.yaml: train_tokenizer.pinned_folder: {path}: normalizer {vocabulary['normalizer']}, added plain tokens {plain}; "
            "allowed: all 256 bytes, no normalizer, special tokens only; other tokenizers do not reproduce every text"
        )
    return tokenizer


def encode_batch(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    """Ids of each text, without special tokens; '<|endoftext|>' in a text is plain text."""
    return [encoding.ids for encoding in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]


def token_byte_lengths(tokenizer: Tokenizer) -> np.ndarray:
    """int64 [vocab_size]: bytes of each token, 0 for special tokens (a byte-level token has one character per byte)."""
    special = set(tokenizer.get_added_tokens_decoder())
    size = max(tokenizer.get_vocab().values()) + 1
    lengths = np.zeros(size, dtype=np.int64)
    for token, index in tokenizer.get_vocab().items():
        lengths[index] = 0 if index in special else len(token)
    return lengths
