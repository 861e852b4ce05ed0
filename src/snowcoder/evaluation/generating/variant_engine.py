"""Loads the engine that completes problems by a variant's model, as generate_completions' parameters say."""

from pathlib import Path

from snowcoder.evaluation.generating.completions import GenerateCompletionsParams
from snowcoder.evaluation.variants import load_variant
from snowcoder.inference.engine import Engine
from snowcoder.inference.engines.transformers_engine import TransformersEngine
from snowcoder.inference.local.model_folder import open_folder
from snowcoder.pipeline.execution import worker_count


def load_variant_engine(params: GenerateCompletionsParams, folder: Path) -> Engine:
    """The engine of the model in `folder`; documents start with EOS_ID in whatever engine."""
    if params.engine == "vllm":
        from snowcoder.inference.engines.vllm_engine import load_vllm_engine

        return load_vllm_engine(open_folder(folder, document_start=True), params.precision, params.window_tokens)
    loaded = load_variant(folder, params.precision, params.cpu_threads)
    window = loaded.window(params.window_tokens, "generate_completions.window_tokens")
    return TransformersEngine(loaded, params.batch_size, window, worker_count())
