"""Labels from an LLM: valid and nonsensical answers, what is asked twice, and the whole stage with a scripted model."""

import json
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pytest
from ruamel.yaml import YAML

from snowcoder.errors import EngineError, ParameterError
from snowcoder.inference.engine import Completion
from snowcoder.labels.llm_labelling import JudgeParams, judge_files, label_prompt, read_label
from snowcoder.pipeline.params import validate
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA, make_source_file
from snowcoder.storage.metrics import read_metrics
from snowcoder.storage.shards import read_table, write_table
from stages import label_files

SCHEMA = SOURCE_FILE_SCHEMA.append(pa.field("split", pa.string()))


def judge_params(answers: Path, max_refused_fraction: float = 0.5) -> JudgeParams:
    raw = {
        "engine": {"kind": "scripted", "answers": str(answers)},
        "max_characters": 200,
        "max_new_tokens": 100,
        "max_refused_fraction": max_refused_fraction,
    }
    return validate(raw, JudgeParams, "judge")


def script(path: Path, answers: Mapping[str, object]) -> Path:
    with path.open("w") as file:
        YAML().dump(answers, file)
    return path


FILES = [{"file_id": name, "language": "python", "content": f"def {name}(): pass\n"} for name in ("good", "poor", "mad")]
ANSWERS = {
    "def good": '{"reason": "clear", "score": 5}',
    "def poor": 'Sure! {"reason": "a stub", "score": 1} Hope that helps.',
    "def mad": "As a large language model I love bananas.",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"score": 3}', (3.0, "")),
        ('```json\n{"reason": "has {braces}", "score": 4.0}\n```', (4.0, "")),
        ("4", (None, "no_json")),
        ('{"score": ', (None, "no_json")),
        ('{"grade": 3}', (None, "no_score")),
        ('{"score": "3"}', (None, "not_a_whole_number")),
        ('{"score": true}', (None, "not_a_whole_number")),
        ('{"score": 2.5}', (None, "not_a_whole_number")),
        ('{"score": NaN}', (None, "not_a_whole_number")),
        ('{"score": Infinity}', (None, "not_a_whole_number")),
        ('{"score": 9}', (None, "out_of_range")),
        ('{"score": -1}', (None, "out_of_range")),
        ('{"score": ' + "[" * 100_000, (None, "no_json")),
        ("", (None, "no_json")),
    ],
)
def test_what_is_a_label_and_what_is_not(text: str, expected: tuple[float | None, str]) -> None:
    assert read_label(Completion(text, "stop", 1)) == expected


@pytest.mark.parametrize("answer", [5, ["5"], None, {"score": 5}])
def test_a_scripted_answer_that_is_no_text_is_refused(tmp_path: Path, answer: object) -> None:
    answers = script(tmp_path / "answers.yaml", {"def good": answer})
    with pytest.raises(ParameterError, match=r"answers\.yaml: 'def good': found .*; allowed: text, as part of a prompt and as its answer"):
        judge_files(FILES, judge_params(answers), tmp_path / "store.jsonl")


def test_an_answer_that_was_cut_off_is_no_label() -> None:
    assert read_label(Completion('{"reason": "because', "length", 1)) == (None, "cut_off")


def test_the_prompt_shows_the_beginning_of_a_file_and_braces_are_only_text() -> None:
    prompt = label_prompt("c", "int x = {0};" + "y" * 500, 12)
    assert "int x = {0};\n</file>" in prompt.user
    assert '{"reason":' in prompt.user


def test_nonsense_is_counted_and_leaves_no_label(tmp_path: Path) -> None:
    judged = judge_files(FILES, judge_params(script(tmp_path / "a.yaml", ANSWERS)), tmp_path / "store.jsonl")
    assert judged.labels == {"good": 5.0, "poor": 1.0}
    assert judged.refused == {"no_json": 1}


def test_too_much_nonsense_is_an_error_that_shows_where_to_look(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"1 of 3 answers are not labels \({'no_json': 1}\); allowed: a share of 0.1 .*store.jsonl"):
        judge_files(FILES, judge_params(script(tmp_path / "a.yaml", ANSWERS), 0.1), tmp_path / "store.jsonl")


def test_nothing_is_asked_twice_and_a_stopped_run_goes_on(tmp_path: Path) -> None:
    store = tmp_path / "store.jsonl"
    params = judge_params(script(tmp_path / "a.yaml", ANSWERS))
    assert (judge_files(FILES[:2], params, store).asked, len(store.read_text().splitlines())) == (2, 2)
    again = judge_files(FILES, params, store)
    assert (again.asked, again.reused) == (1, 2)
    with store.open("a") as file:
        file.write('{"request_id": "half a li')  # what a kill leaves
    assert judge_files(FILES, params, store).labels == again.labels
    origins = [json.loads(line)["origin"] for line in store.read_text().splitlines()]
    assert origins == ["good", "poor", "mad"]


PARAMS = """
embed_files: {{pool_fraction: 1.0, pool_seed: 1}}
label_files:
  labeller: engine
  judge:
    engine: {{kind: scripted, answers: {answers}}}
    max_characters: 500
    max_new_tokens: 100
    max_refused_fraction: {refused}
  sample_files: 10
  seed: 1
"""


def test_the_stage_names_the_model_and_accounts_for_every_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    answers = script(tmp_path / "answers.yaml", {"value_1": "nonsense", "def": '{"score": 4}'})
    Path("params.yaml").write_text(PARAMS.format(answers=answers, refused=0.5))
    rows = [
        make_source_file(
            source="t", repository="r", path=f"{index}.py", language="python", content=f"def f():\n    return value_{index}\n",
            licence="MIT", download_rank=None, revision="1",
        ).row() | {"split": "held_out" if index == 3 else "train"}
        for index in range(4)
    ]  # fmt: skip
    write_table(Path("data/split_files"), [pa.Table.from_pylist(rows[:2], SCHEMA), pa.Table.from_pylist(rows[2:], SCHEMA)], SCHEMA)
    label_files.main()
    table = read_table(Path("data/label_files"))
    assert set(table["file_id"].to_pylist()) == {rows[0]["file_id"], rows[2]["file_id"]}
    (labeller,) = set(table["labeller"].to_pylist())
    assert labeller.startswith("scripted-")
    metrics = read_metrics(Path("metrics/label_files.json"))
    assert metrics == {"files": 2, "by_language": {"python": {"4": 2}}, "labeller": labeller, "refused": {"no_json": 1}}


def test_the_engine_needs_a_judge_and_the_rubric_takes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(
        "embed_files: {pool_fraction: 1.0, pool_seed: 1}\nlabel_files: {labeller: engine, judge: null, sample_files: 1, seed: 1}\n"
    )
    with pytest.raises(ParameterError, match=r"label_files\.judge: found null; allowed: for labeller engine a mapping with engine"):
        label_files.main()
