"""Does the batch size change what a model writes? Greedy completions of HumanEval's prompts, one at a time against in batches.

`python -m bench.batch_size MODEL [--tokens 64] [--batch 32]`: for float32 and bfloat16, how many of 164 completions differ. Padding and the
shape of a matrix product change the last bits of a logit; a completion changes where two tokens are closer than that.
"""

import argparse

from snowcoder.benchmarks.loading import load_benchmark
from snowcoder.evaluation.prompts import model_prompt, stop_strings
from snowcoder.execution import worker_count
from snowcoder.inference.any_model import load_any_model
from snowcoder.inference.engine import Sampling


def main() -> None:
    """Complete and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--batch", type=int, default=32)
    arguments = parser.parse_args()
    prompts = [model_prompt(problem, strip_prompt=False) for problem in load_benchmark("humaneval")]
    sampling = Sampling(arguments.tokens, stop_strings("humaneval"))
    for precision in ("float32", "bfloat16"):
        loaded = load_any_model(arguments.model, precision, 1, document_start=True)  # type: ignore[arg-type]
        alone, together = (loaded.engine(size, None, worker_count()).generate(prompts, sampling) for size in (1, arguments.batch))
        changed = sum(a.text != b.text for a, b in zip(alone, together, strict=True))
        print(
            f"{precision}: batches of {arguments.batch} change {changed} of {len(prompts)} completions of {arguments.tokens} tokens",
            flush=True,
        )


if __name__ == "__main__":
    main()
