"""Parameters of decontamination."""

from typing import Literal, Self

from pydantic import Field, model_validator

from snowcoder.pipeline.params import ParamsModel


class DecontaminationParams(ParamsModel):
    """What counts as an overlap with a benchmark.

    Words are identifiers, keywords and numbers, in lower case; tokens are those of code with its names left open.
    """

    ngram_tokens: int = Field(ge=3, le=100)
    """Words in an n-gram of words."""
    min_ngram_overlap: float = Field(gt=0.0, le=1.0)
    """Share of a passage's n-grams from which a file is dropped; lower drops more."""
    min_match_tokens: int = Field(ge=3)
    """Words that a prompt, docstring, solution or test must have to be matched; at least ngram_tokens."""
    renamed_ngram_tokens: int = Field(ge=3, le=100)
    """Tokens in an n-gram of tokens."""
    min_renamed_tokens: int = Field(ge=3)
    """Tokens that a solution must have to be matched up to renaming; at least renamed_ngram_tokens."""
    min_renamed_share_tokens: int = Field(ge=3)
    """Tokens that a solution must have to be matched by a share of its n-grams."""
    min_named_tokens: int = Field(ge=3)
    """Tokens that a solution must have to be matched as a whole function of the same name."""
    min_specific_tokens: int = Field(ge=1)
    """Tokens of the syntax tree below which a match of code alone is generic."""
    generic_matches: Literal["drop", "keep"]
    """What happens to a file whose overlaps are all generic."""
    max_ngram_sharing: int = Field(ge=1)
    """Problems of one benchmark that may share an n-gram; n-grams of more are boilerplate and are not matched."""

    @model_validator(mode="after")
    def _match_holds_an_ngram(self) -> Self:
        pairs = (("min_match_tokens", "ngram_tokens"), ("min_renamed_tokens", "renamed_ngram_tokens"))
        for shortest, ngram in (*pairs, ("min_renamed_share_tokens", "renamed_ngram_tokens")):
            if getattr(self, shortest) < getattr(self, ngram):
                raise ValueError(f"{shortest}: found {getattr(self, shortest)}; allowed: from {ngram} {getattr(self, ngram)}")
        return self
