"""The grader's command line, on a made-up benchmark in EvalPlus' format."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from snowcoder.benchmarks.loading import load_benchmark
from snowcoder.benchmarks.pinned_file import FOLDER_VARIABLE
from snowcoder.benchmarks.problem import Problem
from snowcoder.errors import EmptyResultError, ParameterError, ShardError, SourceError
from snowcoder.evaluation.grading import graders
from snowcoder.evaluation.grading.grade_samples import grade_samples
from snowcoder.evaluation.grading.samples import problems_without_sample, read_samples

ROOT = Path(__file__).resolve().parents[3]
RIGHT = "def last(numbers):\n    return numbers[-1]\n"
BASE_ONLY = "def last(numbers):\n    return max(numbers)\n"


def write_lines(path: Path, *rows: object) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


@pytest.fixture
def problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Problem]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    rows = [
        {
            "task_id": f"HumanEval/{number}",
            "prompt": "def last(numbers):\n",
            "entry_point": "last",
            "canonical_solution": "    return numbers[-1]\n",
            "base_input": [[[1, 2]]],
            "plus_input": [[[2, 1]]],
            "atol": 0,
        }
        for number in range(3)
    ]
    (tmp_path / "HumanEvalPlus.jsonl.gz").write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    return load_benchmark("humaneval_plus", accept_changed=True)


def verdicts(path: Path) -> list[tuple[object, ...]]:
    return [tuple(json.loads(line)[key] for key in ("task_id", "index", "base", "plus")) for line in path.read_text().splitlines()]


def test_verdicts_come_in_the_order_of_the_samples(problems: list[Problem], tmp_path: Path) -> None:
    samples = write_lines(
        tmp_path / "samples.jsonl",
        {"task_id": "HumanEval/2", "solution": BASE_ONLY},
        {"task_id": "HumanEval/0", "solution": "x = 1\0"},
        "",
        {"task_id": "HumanEval/2", "completion": "    return numbers[-1]\n"},
        '{"task_id": "HumanEval/0", "solution": "def last(numbers):\\n    return \'\\ud800\'\\n"}',
    )
    summary = grade_samples("humaneval_plus", problems, samples, tmp_path / "verdicts.jsonl")
    assert verdicts(tmp_path / "verdicts.jsonl") == [
        ("HumanEval/2", 0, True, False),
        ("HumanEval/0", 0, False, False),
        ("HumanEval/2", 1, True, True),
        ("HumanEval/0", 1, False, False),
    ]
    assert summary["problems_without_sample"] == ["HumanEval/1"]
    # HumanEval/2 has 2 of 2, HumanEval/0 none, and HumanEval/1, without a sample, none
    assert summary["base"]["pass@1"] == pytest.approx(1 / 3)
    assert summary["plus"]["pass@1"] == pytest.approx(1 / 6)
    assert json.loads((tmp_path / "verdicts.jsonl.summary.json").read_text())["samples"] == 4


def test_what_is_judged_is_not_judged_again(problems: list[Problem], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"task_id": f"HumanEval/{number}", "solution": RIGHT} for number in range(3)]
    out, judged = tmp_path / "verdicts.jsonl", []
    plain = graders.judge

    def interrupted(solutions, limits):  # type: ignore[no-untyped-def]
        for count, found in enumerate(plain(solutions, limits)):
            if len(judged) == 2:
                raise KeyboardInterrupt
            judged.append((count, found[0].problem_id))
            yield found

    monkeypatch.setattr(graders, "judge", interrupted)
    with pytest.raises(KeyboardInterrupt):
        grade_samples("humaneval_plus", problems, write_lines(tmp_path / "samples.jsonl", *rows), out)
    assert not out.exists()
    partial = Path(f"{out}.partial")
    partial.write_text(partial.read_text() + '{"key": "cut o')  # as a kill leaves it
    seen = []
    monkeypatch.setattr(graders, "judge", lambda solutions, limits: (seen.append(len(solutions)), plain(solutions, limits))[1])
    grade_samples("humaneval_plus", problems, tmp_path / "samples.jsonl", out)
    assert seen == [1]
    assert [row[2:] for row in verdicts(out)] == [(True, True)] * 3
    assert not partial.exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2: not JSON.*`jq -c .` makes one line of an object"),
        ('["HumanEval/0"]', "line 2: found a JSON array of texts, .* allowed: one object a line, with its task_id"),
        ('[["def f(): pass"], ["x"]]', "line 2: found a JSON array of arrays, which do not say whose solutions they are"),
        ('[{"task_id": "HumanEval/0", "solution": "x"}]', "line 2: found a JSON array; allowed: one object a line, .*jq -c '.\\[\\]'"),
        ("[", "line 2: found a JSON array; allowed: one object a line, .*jq -c"),
        ('"x"', "line 2: found a JSON text"),
        ('{"solution": "x"}', r"line 2: field task_id: missing \(fields found: solution\); allowed: JSON lines with task_id and solution"),
        ('{"doc": {}, "resps": [["x"]]}', r"a row of lm-evaluation-harness: `jq -c '.doc.task_id .*' SAMPLES`"),
        ('{"eval": {}, "hash": "x"}', "EvalPlus"),
        (
            '{"task_id": null, "solution": "x"}',
            "line 2: field task_id: found None; allowed: the id of one of the 3 problems of humaneval_plus",
        ),
        ('{"task_id": "HumanEval/9", "solution": "x"}', "field task_id: found 'HumanEval/9'; .* such as 'HumanEval/0'$"),
        ('{"task_id": 2, "solution": "x"}', r"field task_id: found 2; .*; write 'HumanEval/2'\?"),
        ('{"task_id": "humaneval_1", "solution": "x"}', r"found 'humaneval_1'; .*; write 'HumanEval/1'\?"),
        ('{"task_id": "1", "solution": "x"}', r"found '1'; .*; write 'HumanEval/1'\?"),
        ('{"task_id": ["HumanEval/1"], "solution": "x"}', r"field task_id: found \['HumanEval/1'\]"),
        ('{"task_id": "HumanEval/1", "solution": ["x"]}', r"line 2: field solution: .* \(fields found: solution: array, task_id: text\)"),
        ('{"task_id": "HumanEval/1", "solution": null, "output": "x"}', r"fields found: output: text, solution: null, task_id: text"),
        ('{"task_id": "HumanEval/1"}', "line 2: field solution"),
        (
            '{"task_id": "HumanEval/1", "solution": "x", "completion": "y"}',
            "line 2: field completion: found text next to one in solution; allowed: one of them",
        ),
        ('{"task_id": ' + "[" * 100_000, "line 2: not JSON: maximum recursion depth"),
        ("[" * 100_000, "line 2: found a JSON array"),
        *(('{"task_id": ' + "[" * depth + "]" * depth + "}", "line 2: ") for depth in range(600, 1000, 20)),
    ],
)
def test_a_line_that_is_no_sample_is_named(problems: list[Problem], tmp_path: Path, line: str, message: str) -> None:
    path = write_lines(tmp_path / "samples.jsonl", {"task_id": "HumanEval/0", "solution": "x"}, line)
    with pytest.raises(SourceError, match=message):
        read_samples(path, problems)


def test_a_device_and_what_is_no_program_are_no_samples(problems: list[Problem], tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="/dev/zero: found a device; allowed: JSON lines"):
        read_samples(Path("/dev/zero"), problems)
    (tmp_path / "folder" / "HumanEval_0").mkdir(parents=True)
    os.mkfifo(tmp_path / "folder" / "HumanEval_0" / "0.py")
    with pytest.raises(SourceError, match=r"HumanEval_0/0\.py: found no regular file; allowed: a program"):
        read_samples(tmp_path / "folder", problems)


@pytest.mark.parametrize("line", ['{"key": "x"}', '{"n": 1}', '{"key": 1, "base": true, "plus": true, "outcome": "passed", "detail": ""}'])
def test_a_journal_of_another_kind_is_named(problems: list[Problem], tmp_path: Path, line: str) -> None:
    path = write_lines(tmp_path / "samples.jsonl", {"task_id": "HumanEval/0", "solution": RIGHT})
    write_lines(tmp_path / "verdicts.jsonl.partial", line)
    with pytest.raises(ShardError, match=r"verdicts\.jsonl\.partial: found a line of .*; allowed: base, detail, .*; remove the file"):
        grade_samples("humaneval_plus", problems, path, tmp_path / "verdicts.jsonl")


def test_a_file_without_samples_and_none_at_all_are_told_apart(problems: list[Problem], tmp_path: Path) -> None:
    with pytest.raises(EmptyResultError, match="no sample"):
        read_samples(write_lines(tmp_path / "empty.jsonl"), problems)
    with pytest.raises(SourceError, match=r"gone\.jsonl: samples cannot be read"):
        read_samples(tmp_path / "gone.jsonl", problems)
    assert problems_without_sample([], problems) == ["HumanEval/0", "HumanEval/1", "HumanEval/2"]


@pytest.mark.parametrize("name", ["gzip", "zstd", "plain", "marked", "windows"])
def test_files_as_people_have_them(problems: list[Problem], tmp_path: Path, name: str) -> None:
    rows = [
        {"task_id": "HumanEval/0", "completion": "    return numbers[-1]\n", "_identifier": "HumanEval/0/0", "finish_reason": "stop"},
        {"task_id": "HumanEval/1", "solution": RIGHT, "completion": None, "raw": ["x"]},
    ]
    content = write_lines(tmp_path / "rows.jsonl", *rows).read_bytes()
    path = tmp_path / "samples.jsonl"
    if name == "gzip":
        path.write_bytes(gzip.compress(content[:40]) + gzip.compress(content[40:]))
    elif name == "zstd":
        with pa.CompressedOutputStream(str(path), "zstd") as stream:
            stream.write(content)
    else:
        path.write_bytes({"plain": content, "marked": b"\xef\xbb\xbf" + content, "windows": content.replace(b"\n", b"\r\n")}[name])
    samples = read_samples(path, problems)
    assert [(sample.problem.problem_id, sample.solution) for sample in samples] == [
        ("HumanEval/0", "def last(numbers):\n    return numbers[-1]\n"),
        ("HumanEval/1", RIGHT),
    ]


def test_a_file_that_is_cut_off_or_of_another_kind_is_named(problems: list[Problem], tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"task_id": "HumanEval/0", "solution": "x"}\n')[:-10])
    with pytest.raises(SourceError, match=r"samples\.jsonl\.gz: .*(cannot be read|not JSON)"):
        read_samples(path, problems)
    path.write_bytes('{"task_id": "HumanEval/0", "solution": "x"}\n'.encode("utf-16"))
    with pytest.raises(SourceError, match="found text in UTF-16; allowed: UTF-8"):
        read_samples(path, problems)
    path.write_bytes(b"PK\x03\x04 something else")
    with pytest.raises(SourceError, match=r"line 1: not JSON: .*allowed: JSON lines with task_id and solution"):
        read_samples(path, problems)


def test_a_folder_as_evalplus_has_it(problems: list[Problem], tmp_path: Path) -> None:
    folder = tmp_path / "samples"
    for place, text in {"HumanEval_0/10.py": "c", "HumanEval_0/2.py": "b", "HumanEval_0/0.py": "a", "HumanEval_1/0.py": RIGHT}.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(text)
    (folder / "HumanEval_1" / "notes.txt").write_text("x")
    samples = read_samples(folder, problems)
    assert [(sample.problem.problem_id, sample.index, sample.solution) for sample in samples] == [
        ("HumanEval/0", 0, "a"),
        ("HumanEval/0", 1, "b"),
        ("HumanEval/0", 2, "c"),
        ("HumanEval/1", 0, RIGHT),
    ]
    (folder / "Mbpp_2").mkdir()
    with pytest.raises(SourceError, match="Mbpp_2: allowed: a folder for each problem, such as HumanEval_0"):
        read_samples(folder, problems)


# what one cause does to a whole file: an end token after each, or an answer in words around each
SPOILT = [
    {"task_id": "HumanEval/0", "solution": RIGHT + "<|endoftext|>"},
    {"task_id": "HumanEval/1", "completion": f"Here is the code:\n```python\n{RIGHT}```\nIt works.<|im_end|>"},
    {"task_id": "HumanEval/2", "solution": "def last(numbers:\n"},
    {"task_id": "HumanEval/2", "solution": BASE_ONLY},
]


def test_samples_that_do_not_parse_are_told_in_one_line(
    problems: list[Problem], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = write_lines(tmp_path / "samples.jsonl", *SPOILT), tmp_path / "verdicts.jsonl"
    summary = grade_samples("humaneval_plus", problems, path, out)
    assert (summary["unparsed"], summary["sanitised"]) == ({"samples": 3, "end_token": 2, "code_fence": 1}, None)
    assert [row[2] for row in verdicts(out)] == [False, False, False, True]
    line = "humaneval_plus: 3 of 4 samples do not parse (Python 3."
    [said] = [text for text in capsys.readouterr().err.splitlines() if text.startswith(line)]
    assert said.endswith("2 hold an end token, 1 a code fence; run again with --sanitise")


def test_sanitising_repairs_them_and_is_recorded(problems: list[Problem], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = write_lines(tmp_path / "samples.jsonl", *SPOILT), tmp_path / "verdicts.jsonl"
    summary = grade_samples("humaneval_plus", problems, path, out, sanitise=True)
    assert [row[2] for row in verdicts(out)] == [True, True, False, True]
    assert [json.loads(line)["sanitised"] for line in out.read_text().splitlines()] == [True, True, False, False]
    assert summary["unparsed"] == {"samples": 3, "end_token": 2, "code_fence": 1}
    assert summary["sanitised"] == {"changed": 2, "unparsed_after": 1}
    assert json.loads(Path(f"{out}.summary.json").read_text())["sanitised"] == summary["sanitised"]
    assert "--sanitise repaired 2, and 1 still do not parse" in capsys.readouterr().err


def test_missing_problems_are_named_and_pass_at_k_stays(
    problems: list[Problem], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {"task_id": f"HumanEval/{n}", "solution": f"{RIGHT if index < 2 else BASE_ONLY}# {index}"} for n in (0, 1) for index in range(10)
    ]
    path = write_lines(tmp_path / "samples.jsonl", *rows)
    summary = grade_samples("humaneval_plus", problems, path, tmp_path / "verdicts.jsonl", ks=[1, 2, 10, 20])
    assert summary["problems_without_sample"] == ["HumanEval/2"]
    # of ten samples of two problems two pass all tests: 1 - C(8, 2) / C(10, 2) = 17 / 45; the third problem counts 0
    assert summary["plus"]["pass@2"] == pytest.approx(2 / 3 * 17 / 45)
    assert (summary["base"]["pass@10"], summary["plus"]["pass@10"]) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    said = capsys.readouterr().err
    assert "humaneval_plus: 1 of 3 problems have no sample and count as failed: HumanEval/2\n" in said
    assert (
        "pass@20 is not estimated: needs 20 samples of each problem; 2 of 2 problems with samples have fewer, such as HumanEval/0 with 10"
        in said
    )
    assert "pass@10 66.7%" in said
    assert summary["plus"]["not_estimated"].keys() == {"pass@20"}


def test_pass_at_10_of_one_greedy_sample_is_refused_before_anything_runs(problems: list[Problem], tmp_path: Path) -> None:
    path = write_lines(tmp_path / "samples.jsonl", {"task_id": "HumanEval/0", "solution": RIGHT})
    with pytest.raises(ParameterError, match="--k: found 10; allowed: up to 1"):
        grade_samples("humaneval_plus", problems, path, tmp_path / "verdicts.jsonl", ks=[10])
    assert not list(tmp_path.glob("verdicts*"))


def test_an_output_that_cannot_be_written_is_refused_before_anything_runs(problems: list[Problem], tmp_path: Path) -> None:
    path = write_lines(tmp_path / "samples.jsonl", {"task_id": "HumanEval/0", "solution": RIGHT})
    written = path.read_bytes()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/full")
    (tmp_path / "v.jsonl.summary.json").mkdir()
    journal = write_lines(tmp_path / "w.jsonl.partial")
    journal.unlink()
    journal.symlink_to(path)  # the journal of the run would be the samples
    outs = [tmp_path, path / "verdicts.jsonl", Path("/proc/none/verdicts.jsonl"), tmp_path / "." / "samples.jsonl"]
    for out in (*outs, *(tmp_path / name for name in ("pipe", "device", "v.jsonl", "w.jsonl", "x" * 250))):
        with pytest.raises(
            ParameterError, match=r"--out: found .*; allowed: a file in a folder that can be written, other than the samples"
        ):
            grade_samples("humaneval_plus", problems, path, out)
    assert path.read_bytes() == written


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (
            [RIGHT] * 10,
            "all samples of each problem are the same text, as in greedy decoding: pass@10 adds nothing to pass@1",
        ),
        ([RIGHT] * 6 + [RIGHT + f"# {n}" for n in range(4)], "5 of 10 samples repeat another of their problem; 0 of 1 problems have one"),
    ],
)
def test_copies_of_a_sample_are_told(
    problems: list[Problem], tmp_path: Path, capsys: pytest.CaptureFixture[str], texts: list[str], said: str
) -> None:
    path = write_lines(tmp_path / "samples.jsonl", *[{"task_id": "HumanEval/0", "solution": text} for text in texts])
    summary = grade_samples("humaneval_plus", problems, path, tmp_path / "verdicts.jsonl")
    assert summary["repeated"]["samples"] == 10 - len(set(texts))
    assert said in capsys.readouterr().err


def test_the_program(problems: list[Problem], tmp_path: Path) -> None:
    write_lines(tmp_path / "samples.jsonl", *[{"task_id": problem.problem_id, "solution": RIGHT} for problem in problems])
    command = [
        sys.executable,
        "-m",
        "snowcoder.evaluation.grading",
        "--benchmark",
        "humaneval_plus",
        "--out",
        "out.jsonl",
    ]
    environment = {"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin", FOLDER_VARIABLE: str(tmp_path), "SNOWCODER_TRACKING": "local"}

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        whole = [*command, "--samples", "samples.jsonl", *more]
        return subprocess.run(whole, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    refused = run()
    assert refused.returncode == 1
    assert "error: SourceError" in refused.stderr
    assert "has changed" in refused.stderr
    result = run("--accept-changed", "humaneval_plus")
    assert result.returncode == 0, result.stderr
    assert "plus pass@1 100.0%" in result.stderr
    assert [row[2:] for row in verdicts(tmp_path / "out.jsonl")] == [(True, True)] * 3
    write_lines(tmp_path / "samples.jsonl", {"task_id": "HumanEval/0", "completion": f"```python\n{RIGHT}```\n"})
    repaired = run("--accept-changed", "humaneval_plus", "--sanitise", "--k", "1", "10")
    assert repaired.returncode == 0, repaired.stderr
    assert "1 of 1 samples do not parse" in repaired.stderr
    assert "pass@10 is not estimated: needs 10 samples" in repaired.stderr
    assert verdicts(tmp_path / "out.jsonl") == [("HumanEval/0", 0, True, True)]
    refused = run("--accept-changed", "humaneval_plus", "--k", "10")
    assert (refused.returncode, refused.stderr.count("Traceback")) == (1, 0)
    assert "error: ParameterError: --k: found 10; allowed: up to 1" in refused.stderr
