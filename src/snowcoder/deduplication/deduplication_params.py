"""Parameters of deduplication. Usual for code (StarCoder2, The Stack v2): token 5-grams, 256 permutations, Jaccard 0.7."""

from pydantic import Field

from snowcoder.pipeline.params import ParamsModel


class WipeOutParams(ParamsModel):
    """When so much of one repository or language goes that a person should look: marin lost 98% of a source before anyone did."""

    max_dropped_fraction: float = Field(ge=0.0, le=1.0, description="share of the files of a repository or language that may go silently")
    min_files: int = Field(ge=1, description="files that a repository or language must have before its share counts")
    stop: bool = Field(description="whether a larger share is an error; it is told and written to the metrics in any case")


class DeduplicationParams(ParamsModel):
    """What counts as a near duplicate, and when to raise the alarm."""

    ngram_tokens: int = Field(ge=1, le=100, description="length of a shingle, in code tokens")
    n_permutations: int = Field(ge=16, le=4096, description="MinHash permutations per file")
    jaccard_threshold: float = Field(gt=0.0, le=1.0, description="exact Jaccard of shingle sets from which two files are near duplicates")
    seed: int = Field(ge=0, lt=2**32, description="seed of the permutations")
    wipe_out: WipeOutParams
