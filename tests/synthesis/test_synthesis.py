"""Seeds, the extractive teacher and the two stages on a small real corpus."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from snowcoder.benchmarks.problem import Problem, write_problems
from snowcoder.decontamination.ledger import LEDGER_SCHEMA
from snowcoder.errors import EmptyResultError, ParameterError
from snowcoder.pipeline.execution import Run
from snowcoder.pipeline.params import validate
from snowcoder.pipeline.stage import work_dir
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA, make_source_file
from snowcoder.storage.shards import list_shards, read_manifest, read_table, write_table
from snowcoder.synthesis import extractive_teacher
from snowcoder.synthesis.acceptance import ACCEPTED_SCHEMA, REJECTED_DOCUMENT_SCHEMA, find_repetitions, repository_cap
from snowcoder.synthesis.documents import DOCUMENT_SCHEMA, Seed
from snowcoder.synthesis.extractive_teacher import synthesize
from snowcoder.synthesis.seeds import choose_seeds
from snowcoder.synthesis.synthesis_params import ExtractiveTeacherParams, SynthesizeParams
from snowcoder.tokenization.tokenizer import TokenizerParams, load_tokenizer, save_tokenizer, train_tokenizer
from snowcoder.words import EOS_ID
from stages import accept_documents, synthesize_documents
from tests.exercises.exercise_rules import LIMITS, RULES

ROOT = Path(__file__).resolve().parents[2]
SPLIT_SCHEMA = SOURCE_FILE_SCHEMA.append(pa.field("split", pa.string()))
SCORE_SCHEMA = pa.schema([("file_id", pa.string()), ("language", pa.string()), ("split", pa.string()), ("score", pa.float64())])
EXTRACTIVE = ExtractiveTeacherParams(kind="extractive")
PARAMS = SynthesizeParams(recipe="HQINS", engine=EXTRACTIVE, seed_top_fraction=1.0, exercises=RULES, sandbox=LIMITS)
PARAMS_YAML = """
select_files: {shared: {recipe: HQINS}}
synthesize_documents:
  engine: {kind: extractive}
  seed_top_fraction: 1.0
  exercises:
    min_tests: 1
    max_definitions: 4
    max_helper_ratio: 8.0
    max_document_bytes: 4000
    min_statement_words: 0
    varied_forms: false
    recording: null
  sandbox: {timeout_s: 30.0, cpu_s: 10, memory_bytes: 536870912}
accept_documents:
  max_repository_fraction: 0.5
  max_seed_containment: {extractive: 0.95}
  require_tests: true
  sandbox: {timeout_s: 30.0, cpu_s: 10, memory_bytes: 536870912}
deduplicate_files:
  {ngram_tokens: 5, n_permutations: 64, jaccard_threshold: 0.7, seed: 1, wipe_out: {max_dropped_fraction: 0.5, min_files: 20, stop: false}}
decontaminate_files:
  {ngram_tokens: 4, min_ngram_overlap: 0.5, min_match_tokens: 6, renamed_ngram_tokens: 15, min_renamed_tokens: 15,
   min_renamed_share_tokens: 30, max_ngram_sharing: 3, min_named_tokens: 8, min_specific_tokens: 30, generic_matches: drop}
"""
SUMS = '''
def triangle(n):
    """Sum of the whole numbers up to n.

    >>> triangle(4)
    10
    """
    total = 0
    for number in range(n + 1):
        total += number
    return total


def needs_numpy(x):
    """Refused.

    >>> needs_numpy(1)
    1
    """
    import numpy
    return numpy.abs(x)
'''
WORDS = '''
def shout(text):
    """Upper case with a mark.

    >>> shout("hey")
    'HEY!'
    """
    loud = text.upper()
    return loud + "!"


def wrong(text):
    """Its example is wrong.

    >>> wrong("a")
    'b'
    """
    other = text.lower().strip()
    return other


def backwards(text):
    """The text from its end to its beginning.

    >>> backwards("abc")
    'cba'
    """
    characters = reversed(text)
    return "".join(characters)
'''
# the same function under another name, in a repository that models are judged on
HELD_OUT = """
def mirrored(text):
    characters = reversed(text)
    return "".join(characters)
"""
BENCHMARK = '''
def vowels_in_text(sentence):
    """Count every vowel that the given sentence contains.

    >>> vowels_in_text("banana")
    3
    """
    found = [letter for letter in sentence if letter in "aeiou"]
    return len(found)
'''
PROBLEM = Problem(
    benchmark="humaneval",
    problem_id="HumanEval/999",
    prompt='def count_vowels(sentence):\n    """Count every vowel that the given sentence contains."""\n',
    canonical_solution='    found = [letter for letter in sentence if letter in "aeiou"]\n    return len(found)\n',
    test="def check(candidate):\n    assert candidate('a') == 1\n",
    entry_point="count_vowels",
)


def source_row(repository: str, path: str, content: str, split: str = "train", language: str = "python") -> dict[str, Any]:
    file = make_source_file(
        source="t", repository=repository, path=path, language=language, content=content, licence="MIT", download_rank=None, revision="1"
    )
    return file.row() | {"split": split}


ROWS = [
    source_row("sums", "sums/core.py", SUMS),
    source_row("words", "words/core.py", WORDS),
    source_row("copies", "copies/core.py", SUMS.replace("def needs_numpy", "def also_refused")),
    source_row("vowels", "vowels/core.py", BENCHMARK),
    source_row("held", "held/core.py", HELD_OUT, split="held_out"),
    source_row("web", "web/a.js", "x = 1", language="javascript"),
]
SCORES = {"sums": 3.0, "words": 2.0, "copies": 1.0, "vowels": 0.5, "held": 9.0, "web": 9.0}


def write_inputs(rows: list[dict[str, Any]]) -> None:
    write_table(
        Path("data/split_files"), [pa.Table.from_pylist(rows[:2], SPLIT_SCHEMA), pa.Table.from_pylist(rows[2:], SPLIT_SCHEMA)], SPLIT_SCHEMA
    )
    scores = [{name: row[name] for name in SCORE_SCHEMA.names[:3]} | {"score": SCORES[row["repository"]]} for row in rows]
    write_table(Path("data/score_files/HQINS"), [pa.Table.from_pylist(scores, SCORE_SCHEMA)], SCORE_SCHEMA)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SNOWCODER_EXECUTOR", "serial")
    (tmp_path / "params.yaml").write_text(PARAMS_YAML)
    write_inputs(ROWS)
    write_problems(Path("data/fetch_benchmarks"), [PROBLEM])
    tokenizer = train_tokenizer([SUMS, WORDS], TokenizerParams(vocab_size=300, min_frequency=2, max_train_bytes=10**5, model_max_length=64))
    save_tokenizer(tokenizer, Path("data/train_tokenizer"), 64)
    return tmp_path


def test_seeds_are_the_best_python_train_files():
    rows = [{"file_id": str(number), "language": "python", "split": "train", "score": float(number // 2)} for number in range(6)]
    rows += [{"file_id": "held", "language": "python", "split": "held_out", "score": 9.0}]
    rows += [{"file_id": "web", "language": "css", "split": "train", "score": 9.0}]
    assert list(choose_seeds(rows, 0.5)) == ["4", "5", "2"]
    assert list(choose_seeds(rows, 0.01)) == ["4"]


def test_no_python_file_of_the_train_split_is_an_error():
    with pytest.raises(EmptyResultError, match="no Python file of the train split"):
        choose_seeds([{"file_id": "a", "language": "python", "split": "held_out", "score": 1.0}], 0.5)


def test_an_unknown_engine_is_a_parameter_error():
    raw = PARAMS.model_dump() | {"engine": {"kind": "oracle"}}
    with pytest.raises(ParameterError, match=r"synthesize_documents.engine.kind: found 'oracle'; allowed: .*extractive"):
        validate(raw, SynthesizeParams, "synthesize_documents")


def test_a_seed_outside_the_train_split_is_a_fault(tmp_path: Path):
    write_table(tmp_path / "files", [pa.Table.from_pylist(ROWS, SPLIT_SCHEMA)], SPLIT_SCHEMA)
    with pytest.raises(AssertionError, match="must be in the train split"):
        synthesize(list_shards(tmp_path / "files"), {ROWS[4]["file_id"]: 1.0}, PARAMS, tmp_path / "out", Run(tmp_path / "state", "test"))


@pytest.mark.usefixtures("workspace")
def test_synthesis_writes_a_document_for_each_eligible_function():
    synthesize_documents.main()
    table = read_table(Path("data/synthesize_documents"))
    assert table.schema.equals(DOCUMENT_SCHEMA)
    assert sorted(zip(table["repository"].to_pylist(), table["name"].to_pylist(), strict=True)) == [
        ("copies", "triangle"), ("sums", "triangle"), ("vowels", "vowels_in_text"),
        ("words", "backwards"), ("words", "shout"), ("words", "wrong"),
    ]  # fmt: skip
    assert set(table["prompt_version"].to_pylist()) == {"extractive-2"}
    metrics = json.loads(Path("metrics/synthesize_documents.json").read_text())
    assert metrics == {
        "rows_in": 8,
        "rows_out": 6,
        "dropped": {"imports": 2},
        "teacher": "extractive",
        "seeds": 4,
        "seeds_with_documents": 4,
        "seeds_by_language": {"python": 4},
        "refusal_examples": {"imports": {"repository": "sums", "path": "sums/core.py", "detail": "numpy"}},
        "tests_from": {"author": 6},
        "by_seed_quarter": {
            "1": {"seeds": 1, "documents": 1},
            "2": {"seeds": 1, "documents": 3},
            "3": {"seeds": 1, "documents": 1},
            "4": {"seeds": 1, "documents": 1},
        },
    }


@pytest.mark.usefixtures("workspace")
def test_acceptance_accounts_for_every_document():
    synthesize_documents.main()
    accept_documents.main()
    folder = Path("data/accept_documents")
    accepted = read_table(folder).to_pylist()
    assert sorted(row["repository"] for row in accepted) == ["sums", "words"]
    assert read_table(folder).schema.equals(ACCEPTED_SCHEMA)
    assert read_table(folder / "rejected").schema.equals(REJECTED_DOCUMENT_SCHEMA)
    assert sorted(read_table(folder / "rejected")["reason"].to_pylist()) == [
        "benchmark_overlap", "exact_duplicate", "held_out_overlap", "sandbox_failed",
    ]  # fmt: skip
    ledger = read_table(folder / "ledger")
    assert ledger.schema.equals(LEDGER_SCHEMA)
    assert [(row["source"], row["repository"], row["problem_id"]) for row in ledger.to_pylist()] == [
        ("synthetic", "vowels", "HumanEval/999")
    ]
    metrics = json.loads(Path("metrics/accept_documents.json").read_text())
    assert (metrics["rows_in"], metrics["rows_out"], metrics["largest_repository_fraction"]) == (6, 2, 0.5)
    assert metrics["tokens"] == sum(row["n_tokens"] for row in accepted)


@pytest.mark.usefixtures("workspace")
def test_accepted_rows_are_tokenised_files():
    synthesize_documents.main()
    accept_documents.main()
    tokenizer = load_tokenizer(Path("data/train_tokenizer"))
    for row in read_table(Path("data/accept_documents")).to_pylist():
        ids = memoryview(row["tokens"]).cast("H").tolist()
        assert (row["split"], row["path"], row["n_tokens"]) == ("train", f"synthetic/{row['file_id']}.py", len(ids))
        assert ids[-1] == EOS_ID
        assert tokenizer.decode(ids[:-1]) == row["content"]


@pytest.mark.usefixtures("workspace")
def test_the_number_of_workers_does_not_change_a_byte(monkeypatch: pytest.MonkeyPatch):
    synthesize_documents.main()
    accept_documents.main()
    serial = [read_manifest(Path("data") / name) for name in ("synthesize_documents", "accept_documents", "accept_documents/rejected")]
    monkeypatch.setenv("SNOWCODER_EXECUTOR", "processes")
    monkeypatch.setenv("SNOWCODER_WORKERS", "3")
    synthesize_documents.main()
    accept_documents.main()
    assert serial == [
        read_manifest(Path("data") / name) for name in ("synthesize_documents", "accept_documents", "accept_documents/rejected")
    ]


RECORDABLE = '''
def shifted_{number}_{power}(values):
    """The values that {number} does not divide, each raised by {power}, the largest first."""
    kept = [value + {power} for value in values if value % {number}]
    return sorted(kept, reverse=True)
'''


@pytest.mark.slow
def test_kill_9_in_the_middle_of_the_extractive_teacher_gives_the_same_bytes(workspace: Path):
    files = ["\n".join(RECORDABLE.format(number=number, power=power) for power in range(4)) for number in range(2, 22)]
    rows = [source_row("sums", f"sums/part{number}.py", content) for number, content in enumerate(files)]
    write_table(Path("data/split_files"), [pa.Table.from_pylist([row], SPLIT_SCHEMA) for row in rows], SPLIT_SCHEMA)
    scores = [{name: row[name] for name in SCORE_SCHEMA.names[:3]} | {"score": 1.0} for row in rows]
    write_table(Path("data/score_files/HQINS"), [pa.Table.from_pylist(scores, SCORE_SCHEMA)], SCORE_SCHEMA)
    rules = "recording: {max_arguments: 20, max_tests: 3, min_line_fraction: 0.5}"
    Path("params.yaml").write_text(
        PARAMS_YAML.replace("recording: null", rules).replace("max_document_bytes: 4000", "max_document_bytes: 9000")
    )
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    process = subprocess.Popen([sys.executable, "-m", "stages.synthesize_documents"], env=environment, stderr=subprocess.DEVNULL)

    def markers() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in work_dir().glob("state/synthesize_documents/*/shards/*.json")}

    while len(markers()) < 2:
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    finished = markers()
    assert 2 <= len(finished) < len(files)
    assert not Path("data/synthesize_documents").exists()
    asked: list[str] = []
    plain = extractive_teacher.extract_documents

    def counting(seed: Seed, *others: Any) -> Any:
        asked.append(seed.path)
        return plain(seed, *others)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extractive_teacher, "extract_documents", counting)
        synthesize_documents.main()
        resumed = read_manifest(Path("data/synthesize_documents"))
        assert len(asked) == len(files) - len(finished)
        synthesize_documents.main()
        assert len(asked) == 2 * len(files) - len(finished)
    assert read_manifest(Path("data/synthesize_documents")) == resumed
    assert json.loads(Path("metrics/synthesize_documents.json").read_text())["tests_from"] == {"recording": 4 * len(files)}


@pytest.mark.usefixtures("workspace")
def test_no_document_at_all_is_an_error():
    write_inputs([ROWS[0] | {"content": "x = 1\n"}, *ROWS[4:]])
    with pytest.raises(EmptyResultError, match=r"raise synthesize_documents\.seed_top_fraction"):
        synthesize_documents.main()


@pytest.mark.usefixtures("workspace")
def test_no_accepted_document_is_an_error():
    write_inputs([ROWS[3], *ROWS[4:]])
    synthesize_documents.main()
    with pytest.raises(EmptyResultError, match=r"none of 1 documents is accepted \(\{'benchmark_overlap': 1\}\)"):
        accept_documents.main()


def test_the_first_of_near_duplicates_stays():
    from snowcoder.deduplication.deduplication_params import DeduplicationParams, WipeOutParams

    alarm = WipeOutParams(max_dropped_fraction=0.5, min_files=20, stop=False)
    params = DeduplicationParams(ngram_tokens=5, n_permutations=64, jaccard_threshold=0.7, seed=1, wipe_out=alarm)
    words = [f"word{number}" for number in range(60)]
    contents = [" ".join(words), " ".join(words), " ".join([*words[:-1], "changed"]), " ".join(reversed(words))]
    rows = [{"document_id": str(number), "content": content} for number, content in enumerate(contents)]
    found = find_repetitions(rows, params)
    assert {name: (rejection.reason, rejection.detail) for name, rejection in found.items()} == {
        "1": ("exact_duplicate", "0"),
        "2": ("near_duplicate", "0"),
    }


@pytest.mark.parametrize(
    ("counts", "fraction", "cap"),
    [
        ([100, 10, 10, 10, 10], 0.25, 13),  # 13 <= 0.25 * (13 + 40)
        ([5, 5, 5, 5], 0.25, 5),
        ([100], 0.25, 100),  # one repository: it is all there is
        ([100, 2, 2], 0.25, 2),  # three: a third each
        ([1, 1], 0.1, 1),
        ([], 0.25, 0),
    ],
)
def test_the_cap_on_a_repository(counts: list[int], fraction: float, cap: int):
    assert repository_cap(counts, fraction) == cap
