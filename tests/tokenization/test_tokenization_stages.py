"""The three stages in turn, on small real files."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from snowcoder.errors import ParameterError
from snowcoder.pipeline.fingerprint import hash_path
from snowcoder.storage.shards import iterate_rows, read_table
from snowcoder.tokenization.packing import NO_DOCUMENTS
from snowcoder.tokenization.token_shards import TokenShards
from snowcoder.tokenization.tokenizer import load_tokenizer
from stages import pack_tokens, tokenize_files, train_tokenizer
from tests.tokenization.decoding import decode_bytes

ROOT = Path(__file__).resolve().parents[2]
PARAMS = """
train_tokenizer: {vocab_size: 300, min_frequency: 2, max_train_bytes: 100000, model_max_length: 64}
pack_tokens: {sequence_length: 16, group_by: language_then_repository, sequences_per_shard: 8, seed: 0}
pretrain:
  variants:
    general: {packs: {files: data/tokenize_files, documents: data/none}}
    enhanced: {packs: {files: data/tokenize_files, documents: data/accept_documents, python_fraction: 0.5}}
    enhanced_selected: {packs: {files: data/tokenize_files, documents: data/none, python_fraction: 0.5}}
    python_only: {packs: {files: data/tokenize_files, languages: [python], documents: data/none, python_fraction: null}}
"""
ROWS = [
    (
        f"r{number % 4}",
        "css" if number % 3 else "python",
        f"value_{number} = {number}\n" * (number % 5),
        "train" if number % 7 else "held_out",
    )
    for number in range(40)
]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_sources: Callable[..., Path]) -> Path:
    """A folder with params.yaml and data/split_files, which is the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(PARAMS)
    write_sources(tmp_path / "data" / "split_files", [ROWS[:15], ROWS[15:]])
    shutil.copytree(ROOT / NO_DOCUMENTS, tmp_path / NO_DOCUMENTS)
    return tmp_path


def _metrics(name: str) -> dict:
    return json.loads(Path(f"metrics/{name}.json").read_text())


def test_from_files_to_packed_tokens(workspace: Path) -> None:
    train_tokenizer.main()
    tokenize_files.main()
    pack_tokens.main("general")
    tokenizer = load_tokenizer(Path("data/train_tokenizer"))
    contents = {row["file_id"]: row["content"].encode() for row in iterate_rows(Path("data/split_files"))}
    splits = {row["file_id"]: row["split"] for row in iterate_rows(Path("data/split_files"))}
    tokenized = read_table(Path("data/tokenize_files")).to_pylist()
    assert len(tokenized) == 40
    assert all(decode_bytes(tokenizer, np.frombuffer(row["tokens"], "<u2").tolist()) == contents[row["file_id"]] for row in tokenized)
    shards = TokenShards(Path("data/pack_tokens/general"))
    for row in iterate_rows(Path("data/pack_tokens/general/provenance")):
        assert splits[row["file_id"]] == "train"
        ids = shards.sequences([row["sequence"]])[0, row["offset"] : row["offset"] + row["n_tokens"]]
        assert decode_bytes(tokenizer, ids.tolist()) == contents[row["file_id"]][row["byte_start"] : row["byte_end"]]
    metrics, tokens = _metrics("pack_tokens/general"), _metrics("tokenize_files")["tokens"]
    assert metrics["n_tokens"] + metrics["dropped_tail_tokens"] == tokens["train"]["all"]["tokens"]
    assert tokens["train"]["all"]["files"] + tokens["held_out"]["all"]["files"] == 40
    assert _metrics("train_tokenizer")["bytes_per_token"]["all"] > 1


def test_running_again_gives_the_same_bytes(workspace: Path) -> None:
    found = []
    for _ in range(2):
        train_tokenizer.main()
        tokenize_files.main()
        pack_tokens.main("general")
        found.append(hash_path(Path("data")) + hash_path(Path("metrics")))
    assert found[0] == found[1]


def test_enhanced_variant(workspace: Path, write_tokens: Callable[..., Path]) -> None:
    train_tokenizer.main()
    tokenize_files.main()
    write_tokens(Path("data/accept_documents"), [[(f"d{number}", "r", "python", [65] * 30) for number in range(9)]])
    pack_tokens.main("enhanced")
    metrics = _metrics("pack_tokens/enhanced")
    assert metrics["documents_fraction"] == pytest.approx(0.5, abs=0.03)
    assert set(metrics["tokens_by_language"]) == {"css", "python"}
    assert [(mix["source"], mix["planned"]) for mix in metrics["language_mix"].values()] == [("files", 0.5), ("documents", 0.5)]
    assert metrics["language_mix"]["python"]["reached"] == metrics["python_fraction"]
    assert min(metrics["passes"].values()) == 1.0
    pack_tokens.main("enhanced_selected")
    control = _metrics("pack_tokens/enhanced_selected")
    assert (control["documents_fraction"], control["passes"]["documents"]) == (0.0, 0.0)
    assert [(mix["source"], mix["planned"]) for mix in control["language_mix"].values()] == [("files", 0.5), ("files", 0.5)]
    assert control["language_mix"]["python"]["reached"] == pytest.approx(0.5, abs=0.05)


def test_python_only_control(workspace: Path) -> None:
    train_tokenizer.main()
    tokenize_files.main()
    for item in ("general", "python_only"):
        pack_tokens.main(item)
    languages = {row["file_id"]: row["language"] for row in iterate_rows(Path("data/split_files"))}
    packed = list(iterate_rows(Path("data/pack_tokens/python_only/provenance")))
    assert {languages[row["file_id"]] for row in packed} == {"python"}
    everything = list(iterate_rows(Path("data/pack_tokens/general/provenance")))
    # no Python file of the train split is lost, but what the last, partial sequence held
    python = {row["file_id"] for row in everything if languages[row["file_id"]] == "python"}
    metrics = _metrics("pack_tokens/python_only")
    assert len(python - {row["file_id"] for row in packed}) <= metrics["dropped_tail_tokens"]
    assert metrics["python_fraction"] == 1.0


def test_pinned_tokenizer_is_taken_as_it_is(workspace: Path, tokenizer: Tokenizer) -> None:
    tokenizer.save("tokenizer.json")
    Path("pinned").mkdir()
    Path("tokenizer.json").rename("pinned/tokenizer.json")
    digest = "0" * 64
    Path("params.yaml").write_text(
        PARAMS.replace("model_max_length: 64", f"model_max_length: 64, pinned_folder: pinned, pinned_sha256: '{digest}'")
    )
    with pytest.raises(ParameterError, match="pinned_sha256: found"):
        train_tokenizer.main()
    Path("params.yaml").write_text(Path("params.yaml").read_text().replace(digest, hash_path(Path("pinned/tokenizer.json"))))
    train_tokenizer.main()
    assert load_tokenizer(Path("data/train_tokenizer")).to_str() == tokenizer.to_str()
    assert _metrics("train_tokenizer")["train_files"] == 0
