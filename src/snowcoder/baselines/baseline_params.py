"""Parameters of the baseline scores, and their names. Reading them imports neither torch nor scikit-learn."""

from pydantic import Field

from snowcoder.inference.local.model_folder import Precision
from snowcoder.pipeline.params import ParamsModel

# the columns of data/score_baselines, in their order; the highest are chosen first
HEURISTICS = ("shortest", "loops", "docstrings")
NGRAM_SCORES = ("dsir", "hashed_ngrams")
PERPLEXITY_BANDS = ("perplexity_low", "perplexity_middle", "perplexity_high")
BASELINES = (*HEURISTICS, *NGRAM_SCORES, *PERPLEXITY_BANDS)


class HashedNgramsParams(ParamsModel):
    """The linear classifier."""

    buckets: int = Field(ge=2)
    """Buckets that words and pairs of words are hashed into (fastText: 2,000,000)."""
    epochs: int = Field(ge=1)
    """Passes over its examples (fastText: 5)."""
    l2: float = Field(gt=0)
    """Weight of the squared norm of the weights against the mean loss of the examples."""


class PerplexityParams(ParamsModel):
    """What models/pretrain/general reads of a file."""

    beginning_tokens: int = Field(ge=1)
    """Tokens from the beginning of a file, at most."""
    precision: Precision
    """Of weights and arithmetic; bits are summed in float64."""
    cpu_threads: int = Field(ge=1)
    """Threads per worker: part of a result's identity, unlike the number of workers."""
    batch_tokens: int = Field(ge=1)
    """Padded tokens in one forward pass, at most; more needs more memory."""


class ScoreBaselinesParams(ParamsModel):
    """Scores that any annotator has to beat: they cost seconds, or no training of their own."""

    seed: int = Field(ge=0)
    """Seed of the folds, of the ordinary files and of the classifier's order of examples."""
    folds: int = Field(ge=2)
    """Parts that the pool's repositories are divided into: dsir and hashed_ngrams score each with what they learned without it."""
    ordinary_files: int = Field(ge=1)
    """Random files of the pool, about so many, that dsir and hashed_ngrams tell the positives from; in the positives' languages, in their
    proportions.
    """
    dsir_buckets: int = Field(ge=2)
    """Buckets that dsir hashes words and pairs of words into (Xie et al. 2023: 10,000)."""
    hashed_ngrams: HashedNgramsParams
    """The linear classifier."""
    perplexity: PerplexityParams
    """What the model reads of a file."""
