"""The stage with a model behind a misbehaving real server, and with a scripted one: killed and restarted, through acceptance."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest

from snowcoder.errors import EmptyResultError, ParameterError
from snowcoder.pipeline.params import validate
from snowcoder.pipeline.stage import work_dir
from snowcoder.storage.shards import read_manifest, read_table, write_table
from snowcoder.synthesis import acceptance
from snowcoder.synthesis.documents import DOCUMENT_SCHEMA, Seed, SyntheticDocument
from snowcoder.synthesis.model_teacher import RESPONSE_SCHEMA
from snowcoder.synthesis.synthesis_params import SynthesizeParams
from stages import accept_documents, synthesize_documents
from tests.inference.engines.misbehaving_server import MisbehavingServer, serving
from tests.synthesis.test_synthesis import PARAMS, PARAMS_YAML, ROWS, workspace

__all__ = ["workspace"]
ROOT = Path(__file__).resolve().parents[2]
GENERATION = """  generation:
    {prompt: instruct-1, seed_unit: file, max_seed_bytes: 4000, samples_per_seed: 3, python_fraction: 0.5, max_new_tokens: 400,
     temperature: 0.7, top_p: 0.95, seed: 1}
"""
PYTHON_ANSWER = '''Sure!
```python
"""Tell how many steps it takes to bring a whole number down to one by halving even and tripling odd ones."""


def steps_to_one(number):
    steps = 0
    while number != 1:
        number = number // 2 if number % 2 == 0 else 3 * number + 1
        steps += 1
    return steps


assert steps_to_one(1) == 0
assert steps_to_one(6) == 8
```
'''
WRONG_ANSWER = PYTHON_ANSWER.replace("== 8", "== 9").replace("steps", "hops")
REFUSED_ANSWER = "I cannot write that."
SCRIPT_ANSWER = "```javascript\nconst total = [1, 2, 3].reduce((sum, item) => sum + item, 0);\nconsole.log(total);\n```"


def _configure(engine: str, generation: str = GENERATION, tests: str = "false") -> None:
    text = PARAMS_YAML.replace("  engine: {kind: extractive}\n", f"  engine: {engine}\n{generation}")
    text = text.replace("{extractive: 0.95}", "{scripted: 0.5, openai: 0.5}").replace("require_tests: true", f"require_tests: {tests}")
    Path("params.yaml").write_text(text)


def _script() -> None:
    Path("answers.yaml").write_text(
        json.dumps({"def triangle": PYTHON_ANSWER, "def shout": WRONG_ANSWER, "def vowels": REFUSED_ANSWER, "JavaScript": SCRIPT_ANSWER})
    )
    _configure("{kind: scripted, answers: answers.yaml}")


@pytest.mark.usefixtures("workspace")
def test_answers_become_documents_and_are_kept_as_they_came():
    _script()
    synthesize_documents.main()
    responses = read_table(Path("data/synthesize_documents/responses"))
    assert responses.schema.equals(RESPONSE_SCHEMA)
    rows = responses.to_pylist()
    assert len(rows) == 15  # four Python seeds and one of JavaScript, three draws each
    assert [row["request_id"] for row in rows] == sorted({row["request_id"] for row in rows})
    assert {row["draw"] for row in rows} == {0, 1, 2}
    assert {row["prompt_version"] for row in rows} == {"instruct-1"}
    assert all(json.loads(row["sampling"])["temperature"] == 0.7 and row["finish_reason"] == "stop" and row["n_tokens"] for row in rows)
    documents = read_table(Path("data/synthesize_documents"))
    assert documents.schema.equals(DOCUMENT_SCHEMA)
    found = documents.to_pylist()
    assert {row["seed_file_id"] for row in found} <= {row["seed_file_id"] for row in rows}
    assert sorted((row["repository"], row["language"], row["n_tests"]) for row in found) == [
        ("copies", "python", 2), ("sums", "python", 2), ("web", "javascript", 0), ("words", "python", 2),
    ]  # fmt: skip
    metrics = json.loads(Path("metrics/synthesize_documents.json").read_text())
    assert (metrics["rows_in"], metrics["rows_out"], metrics["teacher"], metrics["responses"]) == (15, 4, "scripted", 15)
    assert metrics["dropped"] == {"no_code_block": 3, "same_document_twice": 8}
    assert metrics["seeds_by_language"] == {"javascript": 1, "python": 4}
    assert metrics["refusal_examples"] == {
        "no_code_block": {"repository": "vowels", "path": "vowels/core.py", "detail": "I cannot write that."}
    }


@pytest.mark.usefixtures("workspace")
def test_acceptance_runs_what_a_model_wrote():
    _script()
    synthesize_documents.main()
    accept_documents.main()
    metrics = json.loads(Path("metrics/accept_documents.json").read_text())
    assert metrics["dropped"] == {"exact_duplicate": 1, "sandbox_failed": 1}
    assert metrics["by_language"] == {"javascript": {"documents": 1, "accepted": 1}, "python": {"documents": 3, "accepted": 1}}
    assert metrics["not_parsed"] == {}
    assert metrics["by_prompt_version"] == {"instruct-1": {"documents": 4, "accepted": 2}}
    assert metrics["by_tests_from"]["model"] == {"documents": 3, "accepted": 1}


@pytest.mark.usefixtures("workspace")
def test_what_carries_no_test_must_run_to_its_end_all_the_same():
    _script()
    gone = "```python\nfrom collections import Mapping\n\n\ndef is_mapping(value):\n    return isinstance(value, Mapping)\n```"
    plain = "```python\ndef third(values):\n    return values[2]\n\n\nprint(third([1, 2, 3]))\n```"
    Path("answers.yaml").write_text(json.dumps({"def triangle": gone, "def shout": plain, "": SCRIPT_ANSWER}))
    synthesize_documents.main()
    accept_documents.main()
    rejected = [
        row for row in read_table(Path("data/accept_documents/rejected")).to_pylist() if row["content"] and "Mapping" in row["content"]
    ]
    assert {row["reason"] for row in rejected} == {"sandbox_failed"}
    assert "ImportError" in rejected[0]["detail"]
    [accepted] = [row for row in read_table(Path("data/accept_documents")).to_pylist() if row["language"] == "python"]
    assert (accepted["n_tests"], accepted["tests_from"]) == (0, "")


@pytest.mark.usefixtures("workspace")
def test_a_scripted_engine_gives_the_same_bytes_again_and_is_not_asked_again():
    _script()
    synthesize_documents.main()
    first = [read_manifest(Path("data/synthesize_documents") / part) for part in ("", "responses")]
    store = work_dir() / "responses" / "synthesize_documents.jsonl"
    kept = store.read_bytes()
    synthesize_documents.main()
    assert store.read_bytes() == kept
    store.unlink()
    synthesize_documents.main()
    assert [read_manifest(Path("data/synthesize_documents") / part) for part in ("", "responses")] == first


@pytest.mark.usefixtures("workspace")
def test_no_document_in_any_answer_is_an_error():
    _script()
    Path("answers.yaml").write_text(json.dumps({"": REFUSED_ANSWER}))
    with pytest.raises(EmptyResultError, match=r"none of 15 answers contains a document \(\{'no_code_block': 15\}\)"):
        synthesize_documents.main()


def test_a_model_must_be_told_how_to_answer():
    raw = PARAMS.model_dump() | {"engine": {"kind": "openai", "model": "m"}}
    with pytest.raises(
        ParameterError, match=r"synthesize_documents\.generation: found null; allowed: for engine kind openai a mapping with prompt"
    ):
        validate(raw, SynthesizeParams, "synthesize_documents")


def test_kill_9_in_the_middle_of_generation_asks_nothing_twice(workspace: Path):
    _configure("{kind: openai, model: m}")
    store = work_dir() / "responses" / "synthesize_documents.jsonl"
    with serving(MisbehavingServer(lambda body, before: "ok", work_s=0.2)) as server:
        settings = {"SNOWCODER_ENDPOINT_URL": server.url, "SNOWCODER_ENDPOINT_CONCURRENCY": "2"}
        environment = os.environ | settings | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
        command = [sys.executable, "-m", "stages.synthesize_documents"]
        process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while (not store.exists() or store.read_bytes().count(b"\n") < 4) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.kill()
        process.wait()
        before = store.read_bytes()
        stored = before[: before.rfind(b"\n") + 1]
        n_kept = stored.count(b"\n")
        assert 4 <= n_kept < 15
        assert not Path("data/synthesize_documents").exists()
        time.sleep(0.5)  # what was open at the server when the client died
        server.asked.clear()
        again = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert sum(server.asked.values()) == 15 - n_kept
    # the server's answers hold no code block
    assert "none of 15 answers contains a document" in again.stderr
    assert store.read_bytes().startswith(stored)
    assert store.read_bytes().count(b"\n") == 15


ONE_OF_MANY = """
import time


def shifted_{number}(values):
    kept = [value + {number} for value in values if value % {modulus}]
    return sorted(kept, key=lambda value: value ** {power})


time.sleep(0.05)
assert shifted_{number}([0]) == []
assert shifted_{number}([1]) == [{expected}]
"""


@pytest.mark.slow
def test_kill_9_in_the_middle_of_acceptance_gives_the_same_bytes(workspace: Path, monkeypatch: pytest.MonkeyPatch):
    _configure("{kind: scripted, answers: answers.yaml}")
    seed = make_seed()
    words = ["alpha", "beta", "gamma", "delta", "omega", "sigma", "kappa", "theta"]
    rows = []
    for number in range(150):
        body = ONE_OF_MANY.format(number=number, modulus=2 + number % 7, power=1 + number % 3, expected=1 + number)
        # other names, so that no two are near duplicates
        names = [f"{words[number % 8]}_{number}_{place}" for place in range(40)]
        content = body + "".join(f"{name} = shifted_{number}([{place}, {number}])\n" for place, name in enumerate(names))
        document = SyntheticDocument("", content, "", content, "", 2, "model", "stop")
        rows.append(document.row(seed, "scripted", "instruct-1"))
    rows.sort(key=lambda row: row["document_id"])
    write_table(Path("data/synthesize_documents"), [pa.Table.from_pylist(rows, DOCUMENT_SCHEMA)], DOCUMENT_SCHEMA)
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    command = [sys.executable, "-m", "stages.accept_documents"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(work_dir().glob("state/accept_documents/*/verdicts/*/manifest.json")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not Path("data/accept_documents").exists()
    finished = {path: path.stat().st_mtime_ns for path in work_dir().glob("state/accept_documents/*/verdicts/*/manifest.json")}
    assert 1 <= len(finished) < 3
    ran: list[int] = []
    plain = acceptance.run_programs

    def counting(programs, *rest):  # type: ignore[no-untyped-def]
        ran.append(len(programs))
        return plain(programs, *rest)

    monkeypatch.setattr(acceptance, "run_programs", counting)
    accept_documents.main()
    resumed = read_manifest(Path("data/accept_documents"))
    assert sum(ran) == 150 - 64 * len(finished)
    accept_documents.main()
    assert sum(ran) == 150 - 64 * len(finished) + 150
    assert read_manifest(Path("data/accept_documents")) == resumed
    assert json.loads(Path("metrics/accept_documents.json").read_text())["rows_in"] == 150


def make_seed() -> Seed:
    row = ROWS[0]
    return Seed(score=1.0, quarter=1, **{name: row[name] for name in ("file_id", "repository", "path", "language", "licence", "content")})
