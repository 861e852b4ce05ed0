"""Parameters of decontamination."""

from typing import Self

from pydantic import Field, model_validator

from snowcoder.params import ParamsModel


class DecontaminationParams(ParamsModel):
    """What counts as an overlap with a benchmark. Tokens are words: identifiers, keywords and numbers, lower case."""

    ngram_tokens: int = Field(ge=3, le=100, description="length of an n-gram, in tokens")
    min_ngram_overlap: float = Field(gt=0.0, le=1.0, description="share of a prompt's or solution's n-grams that drops a file")
    min_match_tokens: int = Field(ge=3, description="shorter prompts, docstrings and solutions are not matched alone; >= ngram_tokens")

    @model_validator(mode="after")
    def _match_holds_an_ngram(self) -> Self:
        if self.min_match_tokens < self.ngram_tokens:
            raise ValueError(f"min_match_tokens is {self.min_match_tokens}; allowed: at least ngram_tokens, {self.ngram_tokens}")
        return self
