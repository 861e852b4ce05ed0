"""Opens the engine that answers, from the parameters shared by all stages that ask a model.

`kind` says which; its other fields follow from it. Speed and place come from the environment, for they are no part of a result's identity:
  SNOWCODER_ENDPOINT_URL (http://127.0.0.1:8000/v1), SNOWCODER_ENDPOINT_KEY, SNOWCODER_ENDPOINT_CONCURRENCY (64),
  SNOWCODER_ENDPOINT_TIMEOUT_S (600), SNOWCODER_ENDPOINT_ATTEMPTS (8)   for openai
  SNOWCODER_TENSOR_PARALLEL (1)                                         processors that vllm spreads a model over
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from snowcoder.errors import ParameterError
from snowcoder.inference.engine import Engine
from snowcoder.inference.engines import endpoint
from snowcoder.pipeline import environment
from snowcoder.pipeline.execution import worker_count
from snowcoder.pipeline.fingerprint import hash_path
from snowcoder.pipeline.param_faults import shown
from snowcoder.pipeline.params import ExistingPath, ParamsModel, read_yaml
from snowcoder.storage.workspace import find_path


class _LocalModelParams(ParamsModel):
    """A model that this process loads."""

    model: str = Field(min_length=1)
    """A folder, or an id on the Hugging Face hub with a revision."""
    revision: str | None = None
    """The commit on the hub; null for a folder."""
    precision: Literal["float32", "bfloat16"]
    """Of weights and arithmetic."""
    window_tokens: int | None = Field(default=None, gt=1)
    """Tokens of prompt and completion together, at most; null: the model's own limit."""


class TransformersEngineParams(_LocalModelParams):
    """A small model, in this process."""

    kind: Literal["transformers"]
    """A small model in this process."""
    batch_size: int = Field(gt=0)
    """Prompts that are decoded together."""
    cpu_threads: int = Field(gt=0)
    """Threads of torch on the CPU."""


class VllmEngineParams(_LocalModelParams):
    """A model in this process, by vLLM: batched continuously, prefixes cached."""

    kind: Literal["vllm"]
    """A model in this process, by vLLM."""


class OpenAIEngineParams(ParamsModel):
    """A model behind a server."""

    kind: Literal["openai"]
    """A model behind a server."""
    model: str = Field(min_length=1)
    """The model, as the server names it."""
    revision: str | None = None
    """A version, where the name does not tell it; part of the key of stored responses."""
    max_spend_tokens: int | None = Field(default=None, gt=0)
    """Tokens of prompts and completions that one run may spend; null: no limit."""


class ScriptedEngineParams(ParamsModel):
    """No model: answers as written, for tests."""

    kind: Literal["scripted"]
    """No model: answers as written, for tests."""
    answers: ExistingPath
    """A YAML file, {part of a prompt: answer}; the first part that a prompt contains answers it."""


EngineParams = Annotated[
    TransformersEngineParams | VllmEngineParams | OpenAIEngineParams | ScriptedEngineParams, Field(discriminator="kind")
]


def model_identity(params: EngineParams) -> str:
    """The model's name in the keys of stored responses: a hash of its files where it is a folder or a script, else name and revision."""
    if isinstance(params, ScriptedEngineParams):
        return f"scripted-{hash_path(find_path(params.answers))[:16]}"
    if not isinstance(params, OpenAIEngineParams) and (folder := find_path(params.model)).is_dir():
        return f"{folder.name}-{hash_path(folder)[:16]}"
    return f"{params.model}@{params.revision}" if params.revision else params.model


def open_engine(params: EngineParams) -> Engine:
    """The engine, ready to answer. Raises EngineError, CheckpointError, ParameterError."""
    if isinstance(params, ScriptedEngineParams):
        from snowcoder.inference.engines.scripted_engine import ScriptedEngine

        return ScriptedEngine(_scripted_answers(find_path(params.answers)), by_part=True)
    if isinstance(params, OpenAIEngineParams):
        from snowcoder.inference.engines.openai_engine import OpenAIEngine

        server = endpoint.Endpoint(
            base_url=environment.text(endpoint.URL),
            api_key=environment.text(endpoint.KEY),
            concurrency=environment.positive_int("SNOWCODER_ENDPOINT_CONCURRENCY"),
            timeout_s=float(environment.positive_int("SNOWCODER_ENDPOINT_TIMEOUT_S")),
            attempts=environment.positive_int("SNOWCODER_ENDPOINT_ATTEMPTS"),
        )
        return OpenAIEngine(server, params.model, params.max_spend_tokens)
    from snowcoder.inference.local.model_folder import find_folder, open_folder

    folder = open_folder(find_folder(params.model, params.revision), document_start=False)
    if isinstance(params, VllmEngineParams):
        from snowcoder.inference.engines.vllm_engine import load_vllm_engine

        return load_vllm_engine(folder, params.precision, params.window_tokens)
    from snowcoder.inference.engines.transformers_engine import TransformersEngine

    loaded = folder.load(params.precision, params.cpu_threads)
    return TransformersEngine(loaded, params.batch_size, loaded.window(params.window_tokens, "window_tokens"), worker_count())


def _scripted_answers(path: Path) -> dict[str, str]:
    """{part of a prompt: answer}. Raises ParameterError for what is not text."""
    answers = read_yaml(path)
    for part, answer in answers.items():
        for value in (part, answer):
            if not isinstance(value, str):
                raise ParameterError(f"{path}: {shown(part)}: found {shown(value)}; allowed: text, as part of a prompt and as its answer")
    return answers
