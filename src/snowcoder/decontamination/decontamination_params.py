"""Parameters of decontamination."""

from typing import Literal, Self

from pydantic import Field, model_validator

from snowcoder.pipeline.params import ParamsModel


class DecontaminationParams(ParamsModel):
    """What counts as an overlap with a benchmark.

    Words are identifiers, keywords and numbers, in lower case; tokens are those of code with its names left open.
    """

    ngram_tokens: int = Field(ge=3, le=100, description="length of an n-gram of words")
    min_ngram_overlap: float = Field(gt=0.0, le=1.0, description="share of a passage's n-grams that drops a file")
    min_match_tokens: int = Field(
        ge=3, description="prompts, docstrings, solutions and tests of fewer words are not matched; >= ngram_tokens"
    )
    renamed_ngram_tokens: int = Field(ge=3, le=100, description="length of an n-gram of tokens")
    min_renamed_tokens: int = Field(ge=3, description="solutions of fewer tokens are not matched up to renaming; >= renamed_ngram_tokens")
    min_renamed_share_tokens: int = Field(ge=3, description="solutions of fewer tokens are not matched by a share of their n-grams")
    min_named_tokens: int = Field(ge=3, description="solutions of fewer tokens are not matched as whole functions of the same name")
    min_specific_tokens: int = Field(ge=1, description="a match of code alone with fewer tokens of the syntax tree is generic")
    generic_matches: Literal["drop", "keep"] = Field(description="what becomes of a file whose overlaps are all generic")
    max_ngram_sharing: int = Field(ge=1, description="n-grams of more problems of one benchmark are boilerplate")

    @model_validator(mode="after")
    def _match_holds_an_ngram(self) -> Self:
        pairs = (("min_match_tokens", "ngram_tokens"), ("min_renamed_tokens", "renamed_ngram_tokens"))
        for shortest, ngram in (*pairs, ("min_renamed_share_tokens", "renamed_ngram_tokens")):
            if getattr(self, shortest) < getattr(self, ngram):
                raise ValueError(f"{shortest}: found {getattr(self, shortest)}; allowed: from {ngram} {getattr(self, ngram)}")
        return self
