"""Parameters of synthesis: who the teacher is, what it is shown, and how it is asked."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from snowcoder.exercises.exercise import ExerciseRules
from snowcoder.inference.engine import Sampling
from snowcoder.inference.engines.engine_params import OpenAIEngineParams, ScriptedEngineParams, TransformersEngineParams, VllmEngineParams
from snowcoder.pipeline.param_faults import describe_allowed
from snowcoder.pipeline.params import ParamsModel
from snowcoder.sandbox.program import SandboxLimits
from snowcoder.synthesis.seed_passages import SeedUnit
from snowcoder.synthesis.teacher_prompts import PromptVersion, teacher_stop_strings


class GenerationParams(ParamsModel):
    """How a model is asked. prompt: version of the wording; instruct-… for models that answer, base-… for models that continue."""

    prompt: PromptVersion
    seed_unit: SeedUnit = Field(description="what of a seed file is shown: lines (1 to 15 in a row) | function | file")
    max_seed_bytes: int = Field(gt=0)
    samples_per_seed: int = Field(gt=0)
    python_fraction: float = Field(gt=0, le=1, description="of Python among the seeds; other languages share the rest by bytes")
    max_new_tokens: int = Field(gt=0)
    temperature: float = Field(ge=0)
    top_p: float = Field(gt=0, le=1)
    seed: int = Field(ge=0)

    def sampling(self) -> Sampling:
        """As engines take it."""
        return Sampling(self.max_new_tokens, teacher_stop_strings(self.prompt), self.temperature, self.top_p, self.seed)


class ExtractiveTeacherParams(ParamsModel):
    """No model."""

    kind: Literal["extractive"]


TeacherParams = Annotated[
    ExtractiveTeacherParams | TransformersEngineParams | VllmEngineParams | OpenAIEngineParams | ScriptedEngineParams,
    Field(discriminator="kind"),
]


class SynthesizeParams(ParamsModel):
    """How documents are made.

    recipe: the annotator whose scores choose the seeds. engine: the teacher. exercises, sandbox: of the extractive one, and for its
    recorded tests; generation: how a model is asked, null for the extractive one.
    """

    recipe: str = Field(min_length=1)
    engine: TeacherParams
    seed_top_fraction: float = Field(gt=0, le=1, description="share of the Python train files, best first, that become seeds")
    exercises: ExerciseRules
    sandbox: SandboxLimits
    generation: GenerationParams | None = None

    @model_validator(mode="after")
    def _a_model_needs_generation(self) -> Self:
        if self.generation is None and self.engine.kind != "extractive":
            raise ValueError(f"generation: found null; allowed: for engine kind {self.engine.kind} {describe_allowed(GenerationParams)}")
        return self
