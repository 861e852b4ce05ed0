"""A tiny model on a made-up benchmark, from its folder to the results page."""

import gzip
import hashlib
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from snowcoder.benchmarks.loading import load_benchmark
from snowcoder.benchmarks.pinned_file import FOLDER_VARIABLE
from snowcoder.errors import CheckpointError, EngineError, ParameterError
from snowcoder.evaluation import model_evaluation
from snowcoder.evaluation.benchmark_prompts import INSTRUCTION, RESPONSE, Asking
from snowcoder.evaluation.evaluate_params import EvaluationSettings, settings_from_text
from snowcoder.evaluation.generating import batch_invariance
from snowcoder.evaluation.grading import graders
from snowcoder.evaluation.grading.repairing import count_unparsed
from snowcoder.evaluation.model_evaluation import evaluate_model
from snowcoder.inference.engines.transformers_engine import TransformersEngine
from snowcoder.inference.local.model_folder import find_folder, open_folder
from snowcoder.pipeline.stage import work_dir
from tests.inference.chat_folder import CHATML, save_chat_folder
from tests.inference.tiny_llama import save_folder

SETTINGS = settings_from_text({}, {"max_new_tokens": 12, "batch_size": 2, "window_tokens": 96, "document_start": True})


@pytest.fixture
def folder(model: LlamaForCausalLM, tokenizer: Tokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setenv("SNOWCODER_WORKERS", "1")
    rows = [
        {
            "task_id": f"HumanEval/{number}",
            "prompt": f"def f{number}(x):\n",
            "entry_point": f"f{number}",
            "canonical_solution": "    return x + 1\n",
            "base_input": [[1]],
            "plus_input": [[2]],
            "atol": 0,
        }
        for number in range(9)
    ]
    (tmp_path / "HumanEvalPlus.jsonl.gz").write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    save_folder(model, tokenizer, tmp_path / "tiny")
    return tmp_path / "tiny"


def test_one_json_with_everything(folder: Path) -> None:
    path = evaluate_model("tiny", str(folder), ["humaneval_plus"], SETTINGS, ["humaneval_plus"])
    found = json.loads(path.read_text())
    one = found["benchmarks"]["humaneval_plus"]
    assert (one["plus"]["passed"], one["plus"]["total"], one["base"]["problems"]) == (0, 9, 9)
    assert one["plus"]["ci95"][1] > 0
    assert len(one["passes"]) == 9
    bits = one["bits_per_byte"]
    assert bits["bits_per_byte"] == pytest.approx(sum(bits["bits"].values()) / sum(bits["n_bytes"].values()), rel=1e-4)
    assert bits["n_bytes"]["HumanEval/0"] == len("    return x + 1\n")
    assert one["likelihood_choice"]["n"] == 9
    assert one["completions"]["problems"] == 9
    assert found["settings"]["max_new_tokens"] == 12


def test_what_is_answered_is_not_asked_again_and_the_result_has_the_same_bytes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = evaluate_model("tiny", str(folder), ["humaneval_plus"], SETTINGS, ["humaneval_plus"]).read_bytes()
    responses = work_dir() / "evaluate/tiny/responses.jsonl"
    lines = responses.read_text().splitlines(keepends=True)
    responses.write_text("".join(lines[:4]) + lines[4][:20])  # as a kill leaves it
    asked: list[int] = []
    plain = TransformersEngine.complete

    def counting(engine, prompts, *rest):  # type: ignore[no-untyped-def]
        asked.append(len(prompts))
        return plain(engine, prompts, *rest)

    monkeypatch.setattr(TransformersEngine, "complete", counting)
    assert evaluate_model("tiny", str(folder), ["humaneval_plus"], SETTINGS, ["humaneval_plus"]).read_bytes() == first
    assert asked == [len(lines) - 4]


def test_what_is_judged_is_not_judged_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ("tiny", str(folder), ["humaneval_plus"], SETTINGS, ["humaneval_plus"])
    first = evaluate_model(*asked).read_bytes()
    with monkeypatch.context() as killed:
        killed.setattr(model_evaluation, "_measure", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            evaluate_model(*asked)
    verdicts = work_dir() / "evaluate/tiny/verdicts.jsonl"
    verdicts.write_text("".join(verdicts.read_text().splitlines(keepends=True)[:-2]) + '{"key": "cut o')
    waiting: list[int] = []
    plain = graders.judge
    monkeypatch.setattr(graders, "judge", lambda solutions, limits: (waiting.append(len(solutions)), plain(solutions, limits))[1])
    assert evaluate_model(*asked).read_bytes() == first
    assert waiting == [2]
    assert not verdicts.exists()


def test_likelihoods_have_a_window_of_their_own(folder: Path) -> None:
    def bits(**window: int) -> tuple[float, list[str]]:
        settings = SETTINGS.model_copy(update=window)
        evaluate_model("tiny", str(folder), ["humaneval_plus"], settings, ["humaneval_plus"])
        rows = [json.loads(line) for line in (work_dir() / "evaluate/tiny/humaneval_plus.jsonl").read_text().splitlines()]
        found = json.loads(Path("results/benchmarks/tiny.json").read_text())["benchmarks"]["humaneval_plus"]
        return found["bits_per_byte"]["bits_per_byte"], [row["completion"] for row in rows]

    long, short = bits(), bits(likelihood_window_tokens=8)
    assert short[0] != long[0]
    assert short[1] == long[1]


def test_completions_of_other_settings_are_not_taken(folder: Path) -> None:
    evaluate_model("tiny", str(folder), ["humaneval_plus"], SETTINGS, ["humaneval_plus"])
    other = SETTINGS.model_copy(update={"max_new_tokens": 3})
    found = json.loads(evaluate_model("tiny", str(folder), ["humaneval_plus"], other, ["humaneval_plus"]).read_text())
    assert found["settings"]["max_new_tokens"] == 3


def test_other_weights_in_the_same_folder_replace_what_was_measured(folder: Path, model: LlamaForCausalLM, tokenizer: Tokenizer) -> None:
    path = evaluate_model("tiny", str(folder), ["humaneval_plus"], SETTINGS, ["humaneval_plus"])
    first = json.loads(path.read_text())
    first["benchmarks"]["mbpp_plus"] = "of the weights before"
    path.write_text(json.dumps(first))
    again = json.loads(evaluate_model("tiny", str(folder), ["humaneval_plus"], SETTINGS, ["humaneval_plus"]).read_text())
    assert again["benchmarks"].keys() == {"humaneval_plus", "mbpp_plus"}
    with torch.no_grad():
        model.lm_head.weight.mul_(2.0)
    save_folder(model, tokenizer, folder)
    other = json.loads(evaluate_model("tiny", str(folder), ["humaneval_plus"], SETTINGS, ["humaneval_plus"]).read_text())
    assert other["benchmarks"].keys() == {"humaneval_plus"}


def test_a_training_seed_has_a_result_of_its_own_and_batches_are_checked(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(batch_invariance, "TOKENS", 2)
    asked = (["humaneval_plus"], SETTINGS, ["humaneval_plus"])
    path = evaluate_model("tiny", str(folder), *asked, training_seed=7, check_batching=True)
    assert path.name == "tiny.seed7.json"
    batching = json.loads(path.read_text())["batching"]
    assert (batching["problems"], batching["extra_prompts"], batching["batch_size"], batching["changed"]["float32"]) == (164, 2, 2, 0)
    assert 0 <= batching["changed"]["bfloat16"] <= 166
    # a window of 96 tokens less 2: nearly all prompts of HumanEval are longer, the one of a single token is not
    assert 100 < batching["cut"] < 166
    assert f"float32: batches of 2 change 0 of 166 completions; {batching['cut']} prompts do not fit" in capsys.readouterr().err
    kept = json.loads(evaluate_model("tiny", str(folder), *asked, training_seed=7).read_text())
    assert kept["batching"] == batching


def test_the_usual_engine_goes_without_saying_so_that_older_results_stay_valid() -> None:
    assert "engine" not in SETTINGS.described()
    assert SETTINGS.model_copy(update={"engine": "vllm"}).described() == SETTINGS.described() | {"engine": "vllm"}


@pytest.mark.skipif(
    importlib.util.find_spec("vllm") is not None, reason="vLLM is in this environment; tests/inference/engines/test_vllm.py uses it"
)
def test_without_vllm_its_engine_says_what_to_install(folder: Path) -> None:
    with pytest.raises(EngineError, match="vLLM is not installed here"):
        evaluate_model("tiny", str(folder), ["humaneval_plus"], SETTINGS.model_copy(update={"engine": "vllm"}), ["humaneval_plus"])
    assert not Path("results").exists()


def test_several_samples_give_pass_at_k(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sampled = SETTINGS.model_copy(update={"max_new_tokens": 4, "batch_size": 4, "samples": 10, "temperature": 0.8})
    found = json.loads(evaluate_model("tiny", str(folder), ["humaneval_plus"], sampled, ["humaneval_plus"]).read_text())
    assert found["benchmarks"]["humaneval_plus"]["plus"]["total"] == 90
    assert "pass@10" in found["benchmarks"]["humaneval_plus"]["plus"]
    rows = [json.loads(line) for line in (work_dir() / "evaluate/tiny/humaneval_plus.jsonl").read_text().splitlines()]
    unparsed = count_unparsed([(row["prompt"], row["completion"]) for row in rows])["samples"]
    said = capsys.readouterr().err
    assert unparsed > 0
    assert f"humaneval_plus: {unparsed} of 90 samples do not parse" in said
    assert f"humaneval_plus: {90 - len({(row['prompt'], row['completion']) for row in rows})} of 90 samples repeat another" in said


def test_a_model_that_is_nowhere_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(CheckpointError, match="nobody/nothing: neither a local folder nor a model that can be fetched"):
        find_folder("nobody/nothing")


def test_the_tokens_at_both_ends_are_the_tokenizers(folder: Path) -> None:
    assert open_folder(folder, document_start=True).start_ids == [0]
    found = open_folder(folder, document_start=False)
    assert (found.start_ids, found.end_ids) == ([], [0])


def test_a_longest_and_a_shortest_prompt_in_one_batch(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_invariance, "TOKENS", 8)
    settings = SETTINGS.model_copy(update={"batch_size": 4, "window_tokens": None})
    monkeypatch.setattr(batch_invariance, "load_benchmark", lambda name: load_benchmark(name)[:2])
    found = batch_invariance.count_changed_completions("tiny", open_folder(folder, True), settings, Asking())
    assert (found["problems"], found["extra_prompts"], found["changed"]["float32"]) == (2, 2, 0)
    assert 1 <= found["cut"] <= 3


CHAT = SETTINGS.model_copy(update={"mode": "chat", "document_start": False, "window_tokens": 400})


@pytest.fixture
def chat_folder(folder: Path, tmp_path: Path) -> Path:
    return save_chat_folder(tmp_path / "chatty", window=512)


def evaluate_chat(chat_folder: Path, settings: EvaluationSettings = CHAT) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """(result, completions)."""
    path = evaluate_model("chatty", str(chat_folder), ["humaneval_plus"], settings, ["humaneval_plus"])
    lines = (work_dir() / "evaluate" / path.stem / "humaneval_plus.jsonl").read_text().splitlines()
    return json.loads(path.read_text()), [json.loads(line) for line in lines]


def test_a_chat_model_is_asked_through_its_template_and_the_result_says_so(chat_folder: Path) -> None:
    result, rows = evaluate_chat(chat_folder)
    assert result["settings"]["mode"] == "chat"
    assert "strip_prompt" not in result["settings"]
    assert result["asked"] == {
        "mode": "chat",
        "chat_template": "used",
        "chat_template_sha256": hashlib.sha256(CHATML.encode()).hexdigest(),
        "wording": "evalplus 0.3.1",
        "instruction": INSTRUCTION,
        "response": RESPONSE,
    }
    assert rows[0]["prompt"] == (
        f"<|im_start|>user\n{INSTRUCTION}\n```\ndef f0(x):\n```\n<|im_end|>\n<|im_start|>assistant\n{RESPONSE}\n```python\n"
    )
    assert len(rows) == 9


def test_base_and_chat_have_results_of_their_own(chat_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate_chat(chat_folder)
    asked_chat = capsys.readouterr().err
    base, rows = evaluate_chat(chat_folder, CHAT.model_copy(update={"mode": "base"}))
    told = f"{chat_folder}: has a chat template but is prompted without it (mode base)"
    assert (told in asked_chat, told in capsys.readouterr().err) == (False, True)
    assert (base["asked"]["mode"], base["asked"]["chat_template"]) == ("base", "not used")
    assert base["asked"]["chat_template_sha256"]
    assert rows[0]["prompt"] == "def f0(x):\n"
    assert {path.name for path in Path("results/benchmarks").glob("*.json")} == {"chatty.json", "chatty.chat.json"}


def test_another_template_is_asked_anew(chat_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, before = evaluate_chat(chat_folder)
    (chat_folder / "chat_template.jinja").write_text(CHATML.replace("user", "human").replace("message['role']", "message['role'] | upper"))
    _, rows = evaluate_chat(chat_folder)
    assert rows[0]["prompt"].startswith("<|im_start|>USER\n")
    assert [row["problem_id"] for row in rows] == [row["problem_id"] for row in before]
    assert "chatty.chat.json: its results are replaced, as they have other chat_template_sha256" in capsys.readouterr().err


def test_several_samples_of_a_chat_model(chat_folder: Path) -> None:
    result, rows = evaluate_chat(chat_folder, CHAT.model_copy(update={"samples": 10, "temperature": 0.8}))
    assert result["benchmarks"]["humaneval_plus"]["plus"]["total"] == 90
    assert "pass@10" in result["benchmarks"]["humaneval_plus"]["plus"]
    assert len({row["completion"] for row in rows if row["problem_id"] == "HumanEval/0"}) > 1


def test_a_model_without_a_template_cannot_be_asked_in_mode_chat(folder: Path) -> None:
    with pytest.raises(CheckpointError, match="tiny: mode chat: the model has no chat template"):
        evaluate_model("tiny", str(folder), ["humaneval_plus"], CHAT.model_copy(update={"window_tokens": None}), ["humaneval_plus"])
    assert not Path("results").exists()


def test_what_cannot_be_asked_is_refused_before_anything_runs(chat_folder: Path) -> None:
    with pytest.raises(ParameterError, match="split: found instruct, which humaneval_plus does not have"):
        evaluate_chat(chat_folder, CHAT.model_copy(update={"split": "instruct"}))
    (chat_folder / "chat_template.jinja").write_text("{{ raise_exception('no system role') }}")
    with pytest.raises(CheckpointError, match="no system role"):
        evaluate_chat(chat_folder)
    assert not Path("results").exists()


def test_a_chat_prompt_is_not_cut(chat_folder: Path) -> None:
    with pytest.raises(ParameterError, match="max_new_tokens: found 12, which leaves no room for 9 of 9 chat prompts"):
        evaluate_chat(chat_folder, CHAT.model_copy(update={"window_tokens": 60}))


def test_a_base_prompt_that_is_cut_is_counted(folder: Path) -> None:
    short = SETTINGS.model_copy(update={"window_tokens": 18})
    found = json.loads(evaluate_model("tiny", str(folder), ["humaneval_plus"], short, ["humaneval_plus"]).read_text())
    assert found["benchmarks"]["humaneval_plus"]["completions"]["cut_prompts"] == 9
