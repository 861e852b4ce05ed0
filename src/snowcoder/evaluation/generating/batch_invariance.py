"""Does the batch size change what a model writes? Greedy completions of HumanEval's prompts, one at a time against in batches.

in: a model folder or hub id, how it is asked
out: {problems, extra_prompts, cut, tokens, batch_size, changed: {precision: completions that differ}}

Padding and the shape of a matrix product move the last bits of a logit; a completion changes where two tokens are closer than that: in
float32 hardly ever, in bfloat16 often. A score in bfloat16 belongs to its batch size too. Two prompts are added at the edges of what
padding has to bear: one of a single token, and one longer than the window, which loses its head and is counted as cut.
"""

from typing import Any, get_args

from tokenizers import Tokenizer

from snowcoder.benchmarks.loading import load_benchmark
from snowcoder.evaluation.benchmark_prompts import Asking
from snowcoder.inference.engine import Sampling
from snowcoder.inference.engines.any_model import load_any_model
from snowcoder.inference.local.model_folder import Precision, choose_window
from snowcoder.pipeline.console import say
from snowcoder.pipeline.execution import worker_count

TOKENS = 64  # of each completion
MAX_WINDOW_TOKENS = 1024  # a whole batch is padded to its longest prompt: the longest window of a model may not fit into memory
SHORTEST_PROMPT = "x"


def count_changed_completions(
    model: str, batch_size: int, window_tokens: int | None, cpu_threads: int, document_start: bool, asking: Asking
) -> dict[str, Any]:
    """How many completions differ between batches of 1 and of `batch_size`, in each precision. Raises CheckpointError without a model."""
    problems = load_benchmark("humaneval")
    sampling = Sampling(TOKENS, asking.stop("humaneval"))
    found: dict[str, Any] = {}
    changed: dict[str, int] = {}
    for precision in get_args(Precision):
        loaded = load_any_model(model, precision, cpu_threads, document_start)
        window = min(choose_window(loaded.model, window_tokens, "window_tokens"), MAX_WINDOW_TOKENS)
        prompts = [asking.prompt(problem) for problem in problems]
        prompts += [SHORTEST_PROMPT, _longer_than(window, "\n".join(prompts), loaded.tokenizer)]
        engines = [loaded.engine(size, window, worker_count()) for size in (1, batch_size)]
        alone, together = (engine.generate(prompts, sampling) for engine in engines)
        changed[precision] = sum(one.text != other.text for one, other in zip(alone, together, strict=True))
        found = {"problems": len(problems), "extra_prompts": len(prompts) - len(problems), "cut": engines[0].count_cut(prompts, TOKENS)}
        say(
            f"{model}: {precision}: batches of {batch_size} change {changed[precision]} of {len(prompts)} completions; {found['cut']} "
            f"prompts do not fit into {window} tokens and are cut"
        )
    return found | {"tokens": TOKENS, "batch_size": batch_size, "changed": changed}


def _longer_than(window_tokens: int, text: str, tokenizer: Tokenizer) -> str:
    """`text` as often as it takes to have more tokens than the window."""
    n_tokens = len(tokenizer.encode(text, add_special_tokens=False).ids)
    return text * (1 + window_tokens // n_tokens)
