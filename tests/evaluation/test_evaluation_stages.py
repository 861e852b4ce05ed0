"""The stages of evaluation in turn, on a tiny model."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from snowcoder.benchmarks.problem import Problem, write_problems
from snowcoder.errors import ParameterError
from snowcoder.evaluation.unseen.choose_functions import UNSEEN_SCHEMA
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA, make_source_file
from snowcoder.storage.shards import read_table, write_table
from snowcoder.tokenization.token_shards import ShardLayout
from snowcoder.tokenization.tokenizer import save_tokenizer
from stages import execute_completions, generate_completions, measure_bits_per_byte, measure_floors
from tests.inference.tiny_llama import save_folder

PARAMS = r"""
generate_completions:
  engine: transformers
  max_new_tokens: 16
  batch_size: 2
  window_tokens:
  precision: float32
  cpu_threads: 1
  strip_prompt: true
  stop: ["\ndef ", "\nclass "]
execute_completions:
  limits: {timeout_s: 60.0, cpu_s: 5, memory_bytes: 536870912}
pretrain:
  shared: {}
  variants:
    general: {parent: models/initialize_model, packs: {}, tokens: 128, batch_tokens: 32, seed: 1, schedule: &schedule
      {kind: linear, peak_learning_rate: 0.1, final_learning_rate: 0.0, warmup_steps: 1}}
    continued: {parent: models/pretrain/general, packs: {}, tokens: 128, batch_tokens: 32, seed: 1, schedule: *schedule}
measure_bits_per_byte:
  seed: 1
  precision: float32
  cpu_threads: 1
  batch_tokens: 512
  window_tokens: 64
  resamples: 100
  validation: {max_functions: 10, max_functions_per_repository: 10, max_functions_per_file: 5}
  held_out: {max_bytes: 200, max_bytes_per_file: 100}
"""
SCHEMA = SOURCE_FILE_SCHEMA.append(pa.field("split", pa.string()))
CODE = 'def double(x):\n    """Twice x."""\n    y = x + x\n    return y\n'


@pytest.fixture
def workspace(model: LlamaForCausalLM, tokenizer: Tokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SNOWCODER_TRACKING", "local")
    Path("params.yaml").write_text(PARAMS)
    tests = "def check(f):\n    assert f(1) == 1\n"
    write_problems(
        Path("data/fetch_benchmarks"),
        [Problem("humaneval", f"HumanEval/{n}", f'def f{n}(x):\n    """x."""\n', "    return x\n", tests, f"f{n}") for n in range(3)],
    )
    rows = [
        make_source_file(
            source="t", repository=split, path="a.py", language="python", content=CODE, licence="MIT", download_rank=1, revision="1"
        ).row()
        | {"split": split}
        for split in ("train", "held_out")
    ]
    write_table(Path("data/split_files"), [pa.Table.from_pylist(rows, SCHEMA)], SCHEMA)
    unseen = [
        {"repository": f"u{n}", "path": "a.py", "name": "half", "prompt": f'def half{n}(x):\n    """Half."""\n', "body": "    return x/2\n"}
        | {"content_sha256": str(n)}
        for n in range(3)
    ]
    write_table(Path("data/fetch_unseen"), [pa.Table.from_pylist(unseen, UNSEEN_SCHEMA)], UNSEEN_SCHEMA)
    save_folder(model, tokenizer, Path("models/pretrain/general"))
    save_folder(model, tokenizer, Path("models/initialize_model"))
    save_tokenizer(tokenizer, Path("data/train_tokenizer"), 64)
    for variant in ("general", "continued"):
        pack(Path("data/pack_tokens") / variant, [0, *tokenizer.encode(CODE if variant == "continued" else CODE[::-1]).ids] * 20)
    return tmp_path


def pack(folder: Path, ids: list[int]) -> None:
    layout = ShardLayout(folder, 16, len(ids) // 16, 100)
    layout.allocate()
    layout.write_at(0, np.array(ids))
    layout.publish({})


def test_from_model_to_scores(workspace: Path) -> None:
    generate_completions.main("general")
    first = Path("data/generate_completions/general/part-00000.parquet").read_bytes()
    generate_completions.main("general")
    assert Path("data/generate_completions/general/part-00000.parquet").read_bytes() == first
    execute_completions.main("general")
    grades = read_table(Path("data/execute_completions/general")).to_pylist()
    assert [grade["problem_id"] for grade in grades] == ["HumanEval/0", "HumanEval/1", "HumanEval/2"]
    scores = json.loads(Path("metrics/execute_completions/general.json").read_text())["humaneval"]
    assert (scores["passed"], scores["total"], scores["pass@1"]) == (0, 3, 0.0)
    assert scores["ci95"][0] == 0.0
    assert json.loads(Path("metrics/generate_completions/general.json").read_text())["humaneval"]["problems"] == 3


@pytest.mark.parametrize("variant", ["general", "initial"])
def test_bits_per_byte_of_a_trained_and_of_the_initial_model(workspace: Path, variant: str) -> None:
    measure_bits_per_byte.main(variant)
    metrics = json.loads(Path(f"metrics/measure_bits_per_byte/{variant}.json").read_text())
    assert set(metrics) == {"humaneval", "validation", "held_out", "unseen"}
    assert set(metrics["validation"]) == {"bits_per_byte", "n_bytes", "n_items", "n_clusters", "n_as_written", "ci95"}
    assert metrics["validation"]["n_bytes"] == len("    y = x + x\n    return y\n")
    assert metrics["held_out"]["n_bytes"] == len(CODE)
    assert (metrics["held_out"]["n_clusters"], metrics["held_out"]["ci95"]) == (1, None)
    assert metrics["unseen"]["n_bytes"] == 3 * len("    return x / 2\n")
    assert metrics["unseen"]["n_clusters"] == 3
    assert metrics["humaneval"]["n_items"] == 3
    items = read_table(Path(f"data/measure_bits_per_byte/{variant}")).to_pylist()
    assert [(row["set"], row["item"]) for row in items if row["set"] == "humaneval"] == [("humaneval", n) for n in range(3)]
    own = [row for row in items if row["set"] == "held_out"]
    measured = sum(row["bits"] for row in own) / sum(row["n_bytes"] for row in own)
    assert measured == pytest.approx(metrics["held_out"]["bits_per_byte"], rel=1e-5)


def test_floors_are_those_of_a_model_s_tokens_and_its_ancestors(workspace: Path) -> None:
    measure_floors.main()
    metrics = json.loads(Path("metrics/measure_floors.json").read_text())
    assert {variant: list(floors) for variant, floors in metrics.items()} == {
        name: ["bigram", "trigram", "unigram"] for name in ("general", "continued")
    }
    assert set(metrics["general"]["trigram"]) == {"humaneval", "validation", "held_out", "unseen"}
    # only continued has seen the code forwards
    assert metrics["continued"]["trigram"]["held_out"] < 0.7 * metrics["general"]["trigram"]["held_out"]
    rows = read_table(Path("data/measure_floors")).to_pylist()
    own = [row for row in rows if (row["variant"], row["order"], row["set"]) == ("continued", 3, "held_out")]
    measured = sum(row["bits"] for row in own) / sum(row["n_bytes"] for row in own)
    assert measured == pytest.approx(metrics["continued"]["trigram"]["held_out"], rel=1e-5)


def test_an_unknown_engine_is_refused_before_any_work(workspace: Path) -> None:
    Path("params.yaml").write_text(PARAMS.replace("engine: transformers", "engine: oracle"))
    with pytest.raises(ParameterError, match=r"generate_completions\.engine: found 'oracle'; allowed: transformers, vllm"):
        generate_completions.main("general")
    assert not Path("data/generate_completions").exists()
