"""Opens the engine that completes problems, as the parameters of decoding say, in the graph and in `make evaluate`."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from snowcoder.evaluation.generating.completions import DecodingParams
from snowcoder.evaluation.variants import load_variant
from snowcoder.inference.engine import Engine
from snowcoder.inference.engines.transformers_engine import TransformersEngine
from snowcoder.inference.local.model_folder import LoadedModel, open_folder
from snowcoder.pipeline.execution import worker_count


def open_variant_engine(params: DecodingParams, folder: Path) -> Engine:
    """The engine of a variant's model; documents start with EOS_ID in whatever engine."""
    load = partial(load_variant, folder, params.precision, params.cpu_threads)
    return open_decoding_engine(params, folder, True, load, "generate_completions.window_tokens")


def open_decoding_engine(
    params: DecodingParams, folder: Path, document_start: bool, load: Callable[[], LoadedModel], window_field: str = "window_tokens"
) -> Engine:
    """load: the model with its weights, which vllm loads itself. Raises EngineError without vllm, CheckpointError, ParameterError."""
    if params.engine == "vllm":
        from snowcoder.inference.engines.vllm_engine import load_vllm_engine

        return load_vllm_engine(open_folder(folder, document_start), params.precision, params.window_tokens)
    loaded = load()
    return TransformersEngine(loaded, params.batch_size, loaded.window(params.window_tokens, window_field), worker_count())
