"""Counts the greedy HumanEval completions that change with the batch size: one at a time against batches.

in: a model, how it is asked
out: {problems, extra_prompts, cut, tokens, batch_size, changed: {precision: completions that differ}}

Padding and the shape of a matrix product move the last bits of a logit; a completion changes where two tokens are closer than that: in
float32 hardly ever, in bfloat16 often. A score in bfloat16 belongs to its batch size too. Two prompts are added at the edges of what
padding has to handle: one of a single token, and one longer than the window, which loses its beginning and is counted as cut.
"""

from typing import Any, get_args

from snowcoder.benchmarks.loading import load_benchmark
from snowcoder.evaluation.benchmark_prompts import Asking
from snowcoder.evaluation.generating.completions import DecodingParams
from snowcoder.inference.engine import Sampling
from snowcoder.inference.engines.transformers_engine import TransformersEngine
from snowcoder.inference.local.model_folder import ModelFolder, Precision
from snowcoder.pipeline.console import say
from snowcoder.pipeline.execution import worker_count

TOKENS = 64  # of each completion
MAX_WINDOW_TOKENS = 1024  # a whole batch is padded to its longest prompt: the longest window of a model may not fit into memory
SHORTEST_PROMPT = "x"


def count_changed_completions(model: str, folder: ModelFolder, settings: DecodingParams, asking: Asking) -> dict[str, Any]:
    """How many completions differ between batches of 1 and of `batch_size`, in each precision. model: its name in messages."""
    batch_size = settings.batch_size
    problems = load_benchmark("humaneval")
    sampling = Sampling(TOKENS, asking.stop("humaneval"))
    found: dict[str, Any] = {}
    changed: dict[str, int] = {}
    for precision in get_args(Precision):
        loaded = folder.load(precision, settings.cpu_threads)
        window = min(loaded.window(settings.window_tokens, "window_tokens"), MAX_WINDOW_TOKENS)
        prompts = [asking.prompt(problem) for problem in problems]
        together = "\n".join(prompts)
        n_tokens = len(loaded.tokenizer.encode(together, add_special_tokens=False).ids)
        prompts += [SHORTEST_PROMPT, together * (1 + window // n_tokens)]
        engines = [TransformersEngine(loaded, size, window, worker_count()) for size in (1, batch_size)]
        alone, batched = (engine.generate(prompts, sampling) for engine in engines)
        changed[precision] = sum(one.text != other.text for one, other in zip(alone, batched, strict=True))
        cut = loaded.encoder.count_cut(prompts, window - TOKENS)
        found = {"problems": len(problems), "extra_prompts": len(prompts) - len(problems), "cut": cut}
        say(
            f"{model}: {precision}: batches of {batch_size} change {changed[precision]} of {len(prompts)} completions; {cut} "
            f"prompts do not fit into {window} tokens and are cut"
        )
    return found | {"tokens": TOKENS, "batch_size": batch_size, "changed": changed}
