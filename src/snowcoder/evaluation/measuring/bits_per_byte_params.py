"""Holds the parameters of bits per byte, apart from the code, so that reading parameters loads no torch."""

from pydantic import Field

from snowcoder.inference.local.model_folder import Precision
from snowcoder.pipeline.params import ParamsModel


class ValidationSetParams(ParamsModel):
    """Documented Python functions of held-out repositories; the caps keep one file or repository from being the whole set."""

    max_functions: int = Field(gt=0)
    max_functions_per_repository: int = Field(gt=0)
    max_functions_per_file: int = Field(gt=0)


class HeldOutSetParams(ParamsModel):
    """Held-out files of all languages, from their beginning."""

    max_bytes: int = Field(gt=0, description="bytes of all texts together")
    max_bytes_per_file: int = Field(gt=0, description="bytes of one file at most: more files, narrower interval")


class MeasureBitsPerByteParams(ParamsModel):
    """What is measured, and how.

    seed: chooses the texts of validation and held_out, and draws the bootstrap. A text longer than the window is cut into windows.
    """

    seed: int = Field(ge=0)
    precision: Precision = Field(description="float32 | bfloat16: of weights and arithmetic; bits are summed in float64")
    cpu_threads: int = Field(gt=0, description="threads per worker: part of a result's identity, unlike the number of workers")
    batch_tokens: int = Field(gt=0, description="padded tokens of one forward pass at most")
    window_tokens: int | None = Field(default=None, gt=1, description="tokens the model sees at once; null: the model's own limit")
    resamples: int = Field(gt=0, description="bootstrap resamples of an interval")
    validation: ValidationSetParams
    held_out: HeldOutSetParams
