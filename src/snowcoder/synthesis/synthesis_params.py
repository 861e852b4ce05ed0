"""Parameters of synthesis: which teacher, what it sees, and how it is asked."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from snowcoder.exercises.exercise import ExerciseRules
from snowcoder.inference.engine import Sampling
from snowcoder.inference.engines.engine_params import OpenAIEngineParams, ScriptedEngineParams, TransformersEngineParams, VllmEngineParams
from snowcoder.pipeline.param_faults import describe_allowed
from snowcoder.pipeline.params import ParamsModel
from snowcoder.pipeline.references import ReadFrom
from snowcoder.sandbox.program import SandboxLimits
from snowcoder.synthesis.seed_passages import SeedUnit
from snowcoder.synthesis.teacher_prompts import PromptVersion, teacher_stop_strings


class GenerationParams(ParamsModel):
    """How a model is asked."""

    prompt: PromptVersion
    """Version of the wording; instruct-… for models that answer, base-… for models that continue."""
    seed_unit: SeedUnit
    """The part of a seed file that is shown; lines: 1 to 15 in a row."""
    max_seed_bytes: int = Field(gt=0)
    """Bytes of a seed that are shown, at most."""
    samples_per_seed: int = Field(gt=0)
    """Answers per seed."""
    python_fraction: float = Field(gt=0, le=1)
    """Share of Python among the seeds; other languages share the rest by bytes."""
    max_new_tokens: int = Field(gt=0)
    """Tokens of an answer, at most."""
    temperature: float = Field(ge=0)
    """Sampling temperature; 0 is greedy."""
    top_p: float = Field(gt=0, le=1)
    """Probability mass of the tokens that sampling chooses from."""
    seed: int = Field(ge=0)
    """Seed of the sampling and of the lines that are shown."""

    def sampling(self) -> Sampling:
        """As engines take it."""
        return Sampling(self.max_new_tokens, teacher_stop_strings(self.prompt), self.temperature, self.top_p, self.seed)


class ExtractiveTeacherParams(ParamsModel):
    """No model."""

    kind: Literal["extractive"]
    """No model: documents are made by rules from functions and their doctests."""


TeacherParams = Annotated[
    ExtractiveTeacherParams | TransformersEngineParams | VllmEngineParams | OpenAIEngineParams | ScriptedEngineParams,
    Field(discriminator="kind"),
]


class SynthesizeParams(ParamsModel):
    """How documents are made."""

    recipe: Annotated[str, ReadFrom("select_files.shared.recipe")] = Field(min_length=1)
    """The annotator whose scores choose the seeds (paper: HQINS)."""
    engine: TeacherParams
    """The teacher (paper: Llama-3.1-70B)."""
    seed_top_fraction: float = Field(gt=0, le=1)
    """Share of the Python train files, best first, that become seeds."""
    exercises: ExerciseRules
    """Which functions the extractive teacher makes exercises of."""
    sandbox: SandboxLimits
    """What a function may use while its tests are recorded."""
    generation: GenerationParams | None = None
    """How a model is asked; null for the extractive teacher."""

    @model_validator(mode="after")
    def _a_model_needs_generation(self) -> Self:
        if self.generation is None and self.engine.kind != "extractive":
            raise ValueError(f"generation: found null; allowed: for engine kind {self.engine.kind} {describe_allowed(GenerationParams)}")
        return self
