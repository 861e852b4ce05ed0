"""Parameters of deduplication. Usual for code (StarCoder2, The Stack v2): token 5-grams, 256 permutations, Jaccard 0.7."""

from pydantic import Field

from snowcoder.params import ParamsModel


class DeduplicationParams(ParamsModel):
    """What counts as a near duplicate."""

    ngram_tokens: int = Field(ge=1, le=100, description="length of a shingle, in code tokens")
    n_permutations: int = Field(ge=16, le=4096, description="MinHash permutations per file")
    jaccard_threshold: float = Field(gt=0.0, le=1.0, description="exact Jaccard of shingle sets from which two files are near duplicates")
    seed: int = Field(ge=0, lt=2**32, description="seed of the permutations")
