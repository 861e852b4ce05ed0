"""Creates the Llama of the recipe (paper Table 1): seeded weights of the configured shape, as a Hugging Face folder with its tokenizer.

Not stated in the paper and chosen here: RoPE base, norm epsilon, initialisation (normal, std 0.02, as transformers' Llama).
"""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from snowcoder.errors import CheckpointError, ParameterError
from snowcoder.pipeline.params import ParamsModel
from snowcoder.pipeline.references import ReadFrom
from snowcoder.seeding import derive_seed
from snowcoder.words import EOS_ID

if TYPE_CHECKING:
    from transformers import LlamaConfig, LlamaForCausalLM

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")


class ModelParams(ParamsModel):
    """Shape of the model; the paper's 1.3 B model is in Table 1."""

    vocab_size: Annotated[int, ReadFrom("train_tokenizer.vocab_size")] = Field(ge=257, le=2**16)
    """Ids of the tokenizer (paper: 64,000)."""
    hidden_size: int = Field(gt=0)
    """Features of a token's vector (paper: 2048)."""
    ffn_size: int = Field(gt=0)
    """Features inside a feed-forward layer (paper: 5632)."""
    layers: int = Field(gt=0)
    """Transformer layers (paper: 24)."""
    heads: int = Field(gt=0)
    """Attention heads; a divisor of hidden_size (paper: 16)."""
    kv_heads: int = Field(gt=0)
    """Heads of keys and values; a divisor of heads (paper: 16)."""
    max_positions: int = Field(gt=1)
    """Tokens of the longest sequence (paper: 8,192)."""
    rope_base: float = Field(gt=0)
    """RoPE's theta (not stated in the paper)."""
    seed: int = Field(ge=0)
    """Seed of the initial weights."""

    @model_validator(mode="after")
    def _heads_divide(self) -> "ModelParams":
        if self.hidden_size % self.heads:
            raise ValueError(f"heads: found {self.heads}; allowed: a divisor of hidden_size {self.hidden_size}")
        if self.heads % self.kv_heads:
            raise ValueError(f"kv_heads: found {self.kv_heads}; allowed: a divisor of heads {self.heads}")
        if (head_size := self.hidden_size // self.heads) % 2:
            raise ValueError(
                f"heads: found {self.heads}, which gives each {head_size} of hidden_size {self.hidden_size}; allowed: an even share (RoPE)"
            )
        return self


def check_vocabulary(params: ModelParams, tokenizer_folder: Path) -> None:
    """Raises ParameterError if the tokenizer has more ids than the model."""
    found = len(json.loads((tokenizer_folder / "tokenizer.json").read_text())["model"]["vocab"])
    if found > params.vocab_size:
        raise ParameterError(
            f"params.yaml: train_tokenizer.vocab_size: found {params.vocab_size}; allowed: at least {found}, the ids of the tokenizer in "
            f"{tokenizer_folder}"
        )


def llama_config(params: ModelParams) -> "LlamaConfig":
    """transformers' configuration of `params`; embeddings tied, no dropout, float32 weights."""
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=params.vocab_size,
        hidden_size=params.hidden_size,
        intermediate_size=params.ffn_size,
        num_hidden_layers=params.layers,
        num_attention_heads=params.heads,
        num_key_value_heads=params.kv_heads,
        max_position_embeddings=params.max_positions,
        rope_parameters={"rope_type": "default", "rope_theta": params.rope_base},
        tie_word_embeddings=True,
        bos_token_id=EOS_ID,
        eos_token_id=EOS_ID,
        pad_token_id=EOS_ID,
        dtype="float32",
    )


def initialize(params: ModelParams) -> "LlamaForCausalLM":
    """Seeded random weights; the same on every machine with the same torch."""
    import torch
    from transformers import LlamaForCausalLM

    torch.manual_seed(derive_seed(params.seed, "initialize_model"))
    return LlamaForCausalLM(llama_config(params))


def parameter_counts(model: "LlamaForCausalLM") -> dict[str, int]:
    """`{total, embedding, non_embedding}`; the tied embedding counts once."""
    total = sum(parameter.numel() for parameter in model.parameters())
    embedding = model.lm_head.weight.numel()
    return {"total": total, "embedding": embedding, "non_embedding": total - embedding}


def load_llama(folder: Path) -> "LlamaForCausalLM":
    """The model of a Hugging Face folder in float32. Raises CheckpointError naming the folder if it cannot be loaded."""
    import torch
    from transformers import LlamaForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    if not (folder / "config.json").exists():
        raise CheckpointError(f"{folder}: no config.json; the stage that writes this model has not run: `dvc repro`")
    try:
        return LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    except Exception as error:  # safetensors, json and transformers each raise their own classes
        raise CheckpointError(f"{folder}: cannot be loaded: {error}; run `dvc checkout {folder}` or `dvc repro -f`") from error


def save_model(model: "LlamaForCausalLM", tokenizer_folder: Path, folder: Path) -> None:
    """A folder that AutoModelForCausalLM, AutoTokenizer and vLLM load as it is. Raises CheckpointError if it cannot be written."""
    from safetensors import SafetensorError

    try:
        model.save_pretrained(folder)
    except (OSError, SafetensorError) as error:
        needed = sum(parameter.nbytes for parameter in model.parameters())
        raise CheckpointError(
            f"{folder}: the model could not be written ({error}); it takes {needed:,} bytes, {shutil.disk_usage(folder).free:,} are free; "
            "free space and run again: the training so far is in its checkpoints"
        ) from error
    for name in TOKENIZER_FILES:
        if (tokenizer_folder / name).exists():
            shutil.copy(tokenizer_folder / name, folder / name)
