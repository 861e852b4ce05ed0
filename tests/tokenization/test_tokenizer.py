"""The tokenizer reproduces every text, is the same on every run, and loads in other programs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from snowcoder.errors import EmptyResultError, ParameterError, ShardError
from snowcoder.pipeline.params import validate
from snowcoder.storage.files import sha256_file
from snowcoder.tokenization import tokenizer as module
from snowcoder.tokenization.tokenizer import (
    EOS_TOKEN,
    TokenizerParams,
    encode_batch,
    load_pinned,
    load_tokenizer,
    save_tokenizer,
    token_byte_lengths,
    train_tokenizer,
)
from snowcoder.words import EOS_ID
from tests.tokenization.decoding import decode_bytes

LINE_CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\n\r")


def test_special_token_comes_first(tokenizer: Tokenizer) -> None:
    assert tokenizer.token_to_id(EOS_TOKEN) == EOS_ID == 0
    assert tokenizer.get_vocab_size() == 320


@settings(deadline=None)
@given(text=st.text())
def test_round_trip_is_exact(tokenizer: Tokenizer, text: str) -> None:
    (ids,) = encode_batch(tokenizer, [text])
    assert tokenizer.decode(ids, skip_special_tokens=False) == text
    assert decode_bytes(tokenizer, ids) == text.encode()


@settings(deadline=None)
@given(text=st.text())
def test_byte_lengths_add_up(tokenizer: Tokenizer, text: str) -> None:
    lengths = token_byte_lengths(tokenizer)
    (ids,) = encode_batch(tokenizer, [text])
    assert sum(int(lengths[token]) for token in ids) == len(text.encode())


def test_end_of_text_has_no_bytes_and_every_byte_has_a_token(tokenizer: Tokenizer) -> None:
    lengths = token_byte_lengths(tokenizer)
    assert lengths[EOS_ID] == 0
    assert (lengths[1:257] == 1).all()
    assert len(lengths) == 320


def test_end_of_text_inside_a_text_is_plain_text(tokenizer: Tokenizer) -> None:
    (ids,) = encode_batch(tokenizer, [f"a{EOS_TOKEN}b"])
    assert EOS_ID not in ids
    assert tokenizer.decode(ids, skip_special_tokens=True) == f"a{EOS_TOKEN}b"


def test_digits_stand_alone(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode("1024", add_special_tokens=False).tokens == ["1", "0", "2", "4"]


@settings(deadline=None)
@given(
    prompt=st.text(LINE_CHARACTERS),
    indentation=st.integers(0, 8),
    code=st.text(LINE_CHARACTERS.filter(lambda c: not c.isspace()), min_size=1),
)
def test_prompt_that_ends_in_a_newline_is_cut_as_the_whole_text_is(tokenizer: Tokenizer, prompt: str, indentation: int, code: str) -> None:
    rest = " " * indentation + code
    whole, first, second = encode_batch(tokenizer, [f"{prompt}\n{rest}", f"{prompt}\n", rest])
    assert whole == first + second


def test_same_bytes_for_any_order_and_number_of_threads(tmp_path: Path) -> None:
    program = (
        "import hashlib, sys\nfrom snowcoder.tokenization.tokenizer import TokenizerParams, train_tokenizer\n"
        "texts = [f'def f_{i}(a, b):\\n    return a * {i % 7} + b_{i % 3}\\n' for i in range(200)]\n"
        "texts = texts[::-1] if sys.argv[1] == 'reversed' else texts\n"
        "params = TokenizerParams(vocab_size=600, min_frequency=1, max_train_bytes=1, model_max_length=8)\n"
        "print(hashlib.sha256(train_tokenizer(texts, params).to_str().encode()).hexdigest())\n"
    )
    found = set()
    for order, threads in (("as is", "1"), ("reversed", "4"), ("as is", "3")):
        environment = os.environ | {"RAYON_NUM_THREADS": threads, "PYTHONPATH": str(Path(module.__file__).parents[2])}
        found.add(
            subprocess.run([sys.executable, "-c", program, order], env=environment, capture_output=True, text=True, check=True).stdout
        )
    assert len(found) == 1


def test_ids_must_fit_uint16() -> None:
    """Refused as a parameter, before any stage reads a file."""
    raw = {"vocab_size": 65536, "min_frequency": 2, "max_train_bytes": 1, "model_max_length": 8}
    assert validate(raw, TokenizerParams, "train_tokenizer").vocab_size == 65536
    for vocab_size in (65537, 70_000, 151_646):
        allowed = rf"vocab_size: found {vocab_size}; allowed: a whole number above 256 and at most 65536"
        with pytest.raises(ParameterError, match=allowed):
            validate(raw | {"vocab_size": vocab_size}, TokenizerParams, "train_tokenizer")


def test_text_without_a_frequent_pair(tokenizer_params: TokenizerParams) -> None:
    with pytest.raises(EmptyResultError, match="min_frequency"):
        train_tokenizer(["a"], tokenizer_params)


def test_saved_folder_is_loaded_with_plain_end_of_text(tokenizer: Tokenizer, tmp_path: Path) -> None:
    save_tokenizer(tokenizer, tmp_path / "out", 128)
    loaded = load_tokenizer(tmp_path / "out")
    assert loaded.to_str() == tokenizer.to_str()
    assert encode_batch(loaded, [f"x{EOS_TOKEN}"]) == encode_batch(tokenizer, [f"x{EOS_TOKEN}"])


def test_auto_tokenizer_loads_the_folder(tokenizer: Tokenizer, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    save_tokenizer(tokenizer, tmp_path, 128)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    text = "def add ( left ) :\n    return 'naïve 日本' , 12 . \n\n"
    assert loaded(text)["input_ids"] == encode_batch(tokenizer, [text])[0]
    assert loaded.decode(loaded(text)["input_ids"]) == text
    assert (loaded.eos_token_id, loaded.bos_token_id, loaded.pad_token_id) == (0, 0, 0)
    assert loaded.model_max_length == 128
    assert len(loaded) == 320


@pytest.mark.parametrize("content", [None, "{", '{"model": {}}'])
def test_unusable_folder(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(ShardError, match=r"tokenizer.json.*train_tokenizer"):
        load_tokenizer(tmp_path)


def test_tokenizer_with_another_end_of_text(tokenizer: Tokenizer, tmp_path: Path) -> None:
    save_tokenizer(tokenizer, tmp_path, 128)
    path = tmp_path / "tokenizer.json"
    path.write_text(path.read_text().replace(EOS_TOKEN, "<eos>"))
    with pytest.raises(ShardError, match="has id None; it must be 0"):
        load_tokenizer(tmp_path)


def _pinned(folder: Path, sha256: str | None) -> TokenizerParams:
    return TokenizerParams(
        vocab_size=320, min_frequency=2, max_train_bytes=1, model_max_length=8, pinned_folder=str(folder), pinned_sha256=sha256
    )


def test_pinned_tokenizer(tokenizer: Tokenizer, tmp_path: Path) -> None:
    save_tokenizer(tokenizer, tmp_path, 128)
    assert load_pinned(_pinned(tmp_path, sha256_file(tmp_path / "tokenizer.json"))).to_str() == tokenizer.to_str()


@pytest.mark.parametrize("n_tokens", [65_537, 151_646])
def test_pinned_tokenizer_of_a_larger_vocabulary_is_refused_by_its_size(n_tokens: int, tmp_path: Path) -> None:
    """Also where another rule is broken too: such tokenizers have their end of text at the end."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: index for index, token in enumerate([*letters, *(f"a{index}" for index in range(n_tokens - 257))])}
    Tokenizer(models.WordLevel(vocabulary | {EOS_TOKEN: n_tokens - 1}, unk_token=EOS_TOKEN)).save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(ParameterError, match=rf"pinned_folder: .*found {n_tokens} token ids; allowed: up to 65536"):
        load_pinned(_pinned(tmp_path, sha256_file(tmp_path / "tokenizer.json")))


def test_pinned_tokenizer_must_have_its_hash(tokenizer: Tokenizer, tmp_path: Path) -> None:
    save_tokenizer(tokenizer, tmp_path, 128)
    with pytest.raises(ParameterError, match=r"pinned_sha256: found [0-9a-f]{64}"):
        load_pinned(_pinned(tmp_path, "0" * 64))
    with pytest.raises(ValueError, match=r"pinned_sha256: found null; allowed: .*sha256sum .*tokenizer\.json"):
        _pinned(tmp_path, None)


def test_missing_pinned_tokenizer(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="no such file"):
        load_pinned(_pinned(tmp_path, "0" * 64))


def test_pinned_tokenizer_that_rewrites_text_is_refused(tokenizer: Tokenizer, tmp_path: Path) -> None:
    rewriting = Tokenizer.from_str(tokenizer.to_str())
    rewriting.normalizer = normalizers.NFKC()
    save_tokenizer(rewriting, tmp_path, 128)
    with pytest.raises(ParameterError, match="no normalizer"):
        load_pinned(_pinned(tmp_path, sha256_file(tmp_path / "tokenizer.json")))


def test_config_names_no_path(tokenizer: Tokenizer, tmp_path: Path) -> None:
    save_tokenizer(tokenizer, tmp_path, 128)
    assert json.loads((tmp_path / "tokenizer_config.json").read_text())["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert not any(str(tmp_path) in path.read_text() for path in tmp_path.iterdir())
