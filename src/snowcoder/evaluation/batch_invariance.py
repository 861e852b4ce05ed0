"""Does the batch size change what a model writes? Greedy completions of HumanEval's prompts, one at a time against in batches.

in: a model folder or hub id   out: {problems, tokens, batch_size, changed: {precision: completions that differ}}

Padding and the shape of a matrix product move the last bits of a logit; a completion changes where two tokens are closer than that: in
float32 hardly ever, in bfloat16 often. A score in bfloat16 belongs to its batch size too.
"""

from typing import Any, get_args

from snowcoder.benchmarks.loading import load_benchmark
from snowcoder.console import say
from snowcoder.evaluation.prompts import model_prompt, stop_strings
from snowcoder.execution import worker_count
from snowcoder.inference.any_model import load_any_model
from snowcoder.inference.engine import Sampling
from snowcoder.inference.model_folder import Precision

TOKENS = 64  # of each completion


def count_changed_completions(
    model: str, batch_size: int, window_tokens: int | None, cpu_threads: int, document_start: bool, strip_prompt: bool
) -> dict[str, Any]:
    """How many completions differ between batches of 1 and of `batch_size`, in each precision. Raises CheckpointError without a model."""
    prompts = [model_prompt(problem, strip_prompt) for problem in load_benchmark("humaneval")]
    sampling = Sampling(TOKENS, stop_strings("humaneval"))
    changed = {}
    for precision in get_args(Precision):
        loaded = load_any_model(model, precision, cpu_threads, document_start)
        alone, together = (loaded.engine(size, window_tokens, worker_count()).generate(prompts, sampling) for size in (1, batch_size))
        changed[precision] = sum(one.text != other.text for one, other in zip(alone, together, strict=True))
        say(f"{model}: {precision}: batches of {batch_size} change {changed[precision]} of {len(prompts)} completions")
    return {"problems": len(prompts), "tokens": TOKENS, "batch_size": batch_size, "changed": changed}
