"""Reads the options of `make evaluate`.

in: options as typed   out: EvaluationSettings, which the model's result records
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, cast, get_args

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from snowcoder.errors import ParameterError
from snowcoder.evaluation.benchmark_prompts import Mode, Split
from snowcoder.evaluation.generating.completions import DecodingParams
from snowcoder.pipeline.params import validate

# Of a model that is not the pipeline's own; the variants are decoded as in params.yaml
DEFAULTS: dict[str, Any] = {
    "engine": "transformers",
    "max_new_tokens": 768,
    "batch_size": 32,
    "precision": "float32",
    "cpu_threads": 1,
    "strip_prompt": False,
}


class EvaluationSettings(DecodingParams):
    """The same settings and model give the same figures. Likelihoods are always computed by transformers."""

    mode: Mode = "base"
    """base: the model continues the problem; chat: it is prompted through its chat template."""
    split: Split = "complete"
    """Wording of BigCodeBench's tasks in mode chat; instruct: in words."""
    samples: int = Field(default=1, gt=0)
    """Completions per problem; 1 for greedy pass@1."""
    temperature: float = Field(default=0.0, ge=0.0, allow_inf_nan=False)
    """Sampling temperature; 0 is greedy."""
    seed: int = 1
    """Seed of the sampling."""
    likelihood_window_tokens: int | None = Field(default=None, gt=1)
    """Tokens that the model sees at once where likelihoods are measured; null: as window_tokens. Of the variants: as the graph measures."""
    document_start: bool = False
    """Whether to put the tokenizer's bos before a text even if the tokenizer does not."""

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.samples > 1 and self.temperature == 0:
            raise ValueError(f"samples: {self.samples} at temperature 0 are all the same; set a temperature, or samples to 1")
        if self.mode == "base" and self.split == "instruct":
            raise ValueError("split: instruct needs a chat model; set mode chat, or split complete")
        if self.mode == "chat" and self.strip_prompt:
            raise ValueError("strip_prompt: true has no effect in mode chat, whose prompt ends in the opened code block; leave it out")
        return self

    def described(self) -> dict[str, Any]:
        """As results record them: those that have an effect. The usual engine is left out."""
        without = {"strip_prompt"} if self.mode == "chat" else {"split"}
        without |= {"likelihood_window_tokens"} if self.likelihood_window_tokens is None else set()
        return {
            name: value for name, value in self.model_dump().items() if name not in without and (name, value) != ("engine", "transformers")
        }

    def suffix(self) -> str:
        """Ends the name of a result, so that the same model asked in another mode has another name."""
        if self.mode == "base":
            return ""
        return ".chat" if self.split == "complete" else ".chat.instruct"


def settings_from_text(options: Mapping[str, str], known: Mapping[str, Any]) -> EvaluationSettings:
    """options: as typed on the command line; known: values that they replace, before DEFAULTS.

    Raises ParameterError naming the option, what was found and what is allowed.
    """
    if options.get("mode") in get_args(Split):
        raise ParameterError(f"--mode: found {options['mode']!r}; allowed: base, chat; BigCodeBench's complete and instruct are --split")
    typed = {name: _value(name, text) for name, text in options.items()}
    return validate({**DEFAULTS, **known, **typed}, EvaluationSettings, "ARGUMENTS", Path("make evaluate"))


def _value(name: str, text: str) -> Any:
    """A typed value, read as its field's type; as it was typed where that fails, for `validate` to refuse."""
    if name.endswith("window_tokens") and text in ("none", "null"):
        return None
    try:
        return TypeAdapter(cast(Any, EvaluationSettings.model_fields[name].annotation)).validate_python(text)
    except ValidationError:
        return text
