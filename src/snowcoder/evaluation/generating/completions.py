"""Completes benchmark problems with a model.

in: problems, an engine
out: rows of COMPLETION_SCHEMA: benchmark, problem_id, sample (0 alone where decoding is greedy), prompt (exactly as given to the model),
     completion (without its stop string), finish_reason ('stop' | 'length')
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
from pydantic import Field

from snowcoder.benchmarks.problem import Problem
from snowcoder.inference.engine import Engine, EngineKind, Sampling
from snowcoder.inference.local.model_folder import Precision
from snowcoder.pipeline.params import ParamsModel

COMPLETION_SCHEMA = pa.schema(
    [
        ("benchmark", pa.string()),
        ("problem_id", pa.string()),
        ("sample", pa.int32()),
        ("prompt", pa.string()),
        ("completion", pa.string()),
        ("finish_reason", pa.string()),
    ]
)


class DecodingParams(ParamsModel):
    """How a model decodes, in the graph and in `make evaluate`."""

    engine: EngineKind
    """Inference engine; vllm forms its own batches."""
    max_new_tokens: int = Field(gt=0)
    """Tokens of a completion, at most."""
    batch_size: int = Field(gt=0)
    """Prompts that are decoded together."""
    window_tokens: int | None = Field(default=None, gt=1)
    """Tokens of prompt and completion together, at most; null: the model's own limit."""
    precision: Precision
    """Of weights and arithmetic."""
    cpu_threads: int = Field(gt=0)
    """Threads per worker: part of a result's identity, unlike the number of workers."""
    strip_prompt: bool
    """Whether a prompt ends where its last line ends; false: with one newline, as in EvalPlus 0.3.1."""


class GenerateCompletionsParams(DecodingParams):
    """How the graph completes problems."""

    stop: list[str] = Field(min_length=1)
    """Strings that end a completion: EvalPlus' for base models on HumanEval, those of the Codex paper that it leaves out (comment,
    decorator, `if`), and end-of-text strings, which a model may spell out as plain text.
    """

    def sampling(self) -> Sampling:
        """As the engines take it."""
        return Sampling(self.max_new_tokens, tuple(self.stop))


def complete_problems(
    engine: Engine, problems: Sequence[Problem], sampling: Sampling, prompt_of: Callable[[Problem], str], n_samples: int = 1
) -> list[dict[str, Any]]:
    """`n_samples` completions per problem, rows in the order of the problems and samples; more than one only where tokens are drawn.

    prompt_of: the text that the model is given for a problem.
    """
    if n_samples > 1 and sampling.temperature == 0:
        raise ValueError(f"complete_problems: {n_samples} samples at temperature 0 are all the same; set a temperature, or samples to 1")
    asked = [(problem, sample) for problem in problems for sample in range(n_samples)]
    prompts = [prompt_of(problem) for problem, _ in asked]
    completions = engine.generate(prompts, sampling)
    return [
        {
            "benchmark": problem.benchmark,
            "problem_id": problem.problem_id,
            "sample": sample,
            "prompt": prompt,
            "completion": completion.text,
            "finish_reason": completion.finish_reason,
        }
        for (problem, sample), prompt, completion in zip(asked, prompts, completions, strict=True)
    ]


def summarise_completions(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """{benchmark: {problems, finish_reasons: {reason: n}, empty, mean_bytes}}."""
    metrics: dict[str, Any] = {}
    for benchmark in sorted({row["benchmark"] for row in rows}):
        chosen = [row for row in rows if row["benchmark"] == benchmark]
        metrics[benchmark] = {
            "problems": len(chosen),
            "finish_reasons": dict(sorted(Counter(row["finish_reason"] for row in chosen).items())),
            "empty": sum(not row["completion"].strip() for row in chosen),
            "mean_bytes": sum(len(row["completion"].encode()) for row in chosen) / len(chosen),
        }
    return metrics
