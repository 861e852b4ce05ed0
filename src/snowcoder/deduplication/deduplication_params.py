"""Parameters of deduplication. Usual for code (StarCoder2, The Stack v2): token 5-grams, 256 permutations, Jaccard 0.7."""

from pydantic import Field

from snowcoder.pipeline.params import ParamsModel


class WipeOutParams(ParamsModel):
    """When so much of one repository or language is dropped that a person should look: marin lost 98% of a source unnoticed."""

    max_dropped_fraction: float = Field(ge=0.0, le=1.0)
    """Share of the files of a repository or language that may go without a warning."""
    min_files: int = Field(ge=1)
    """Files that a repository or language must have before its share counts."""
    stop: bool
    """Whether a larger share is an error; it is reported and written to the metrics in any case."""


class DeduplicationParams(ParamsModel):
    """What counts as a near duplicate, and when to raise the alarm."""

    ngram_tokens: int = Field(ge=1, le=100)
    """Code tokens in a shingle."""
    n_permutations: int = Field(ge=16, le=4096)
    """MinHash permutations per file; more find more of the near duplicates and cost more."""
    jaccard_threshold: float = Field(gt=0.0, le=1.0)
    """Exact Jaccard of shingle sets from which two files are near duplicates; lower drops more."""
    seed: int = Field(ge=0, lt=2**32)
    """Seed of the permutations."""
    wipe_out: WipeOutParams
    """When to warn that too much of one repository or language was dropped."""
