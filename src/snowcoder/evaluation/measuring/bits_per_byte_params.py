"""Parameters of bits per byte. Reading them does not import torch."""

from pydantic import Field

from snowcoder.inference.local.model_folder import Precision
from snowcoder.pipeline.params import ParamsModel


class ValidationSetParams(ParamsModel):
    """Documented Python functions of held-out repositories; the caps keep one file or repository from being the whole set."""

    max_functions: int = Field(gt=0)
    """Functions in all, at most."""
    max_functions_per_repository: int = Field(gt=0)
    """Functions of one repository, at most."""
    max_functions_per_file: int = Field(gt=0)
    """Functions of one file, at most."""


class HeldOutSetParams(ParamsModel):
    """Held-out files of all languages, from their beginning."""

    max_bytes: int = Field(gt=0)
    """Bytes of all texts together, at most."""
    max_bytes_per_file: int = Field(gt=0)
    """Bytes of one file, at most; fewer give more files and a narrower interval."""


class MeasureBitsPerByteParams(ParamsModel):
    """What is measured, and how. A text longer than the window is cut into windows."""

    seed: int = Field(ge=0)
    """Seed that chooses the texts of validation and held_out, and draws the bootstrap."""
    precision: Precision
    """Of weights and arithmetic; bits are summed in float64."""
    cpu_threads: int = Field(gt=0)
    """Threads per worker: part of a result's identity, unlike the number of workers."""
    batch_tokens: int = Field(gt=0)
    """Padded tokens in one forward pass, at most; more needs more memory."""
    window_tokens: int | None = Field(default=None, gt=1)
    """Tokens that the model sees at once; null: the model's own limit."""
    resamples: int = Field(gt=0)
    """Bootstrap resamples of an interval."""
    validation: ValidationSetParams
    """Size of the set of documented functions."""
    held_out: HeldOutSetParams
    """Size of the set of held-out files."""
