"""The grader's command line, on a made-up benchmark in EvalPlus' format."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from snowcoder.benchmarks.pinned_file import FOLDER_VARIABLE
from snowcoder.benchmarks.problem import Problem
from snowcoder.errors import ParameterError, ShardError
from snowcoder.evaluation.grading import graders
from snowcoder.evaluation.grading.grade_samples import grade_samples
from tests.evaluation.grading.made_up_benchmark import RIGHT, write_benchmark, write_lines

ROOT = Path(__file__).resolve().parents[3]
BASE_ONLY = "def last(numbers):\n    return max(numbers)\n"


@pytest.fixture
def problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Problem]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    return write_benchmark(tmp_path)


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


@pytest.mark.parametrize("line", ['{"key": "x"}', '{"n": 1}', '{"key": 1, "base": true, "plus": true, "outcome": "passed", "detail": ""}'])
def test_a_journal_of_another_kind_is_named(problems: list[Problem], tmp_path: Path, line: str) -> None:
    path = write_lines(tmp_path / "samples.jsonl", {"task_id": "HumanEval/0", "solution": RIGHT})
    write_lines(tmp_path / "verdicts.jsonl.partial", line)
    with pytest.raises(ShardError, match=r"verdicts\.jsonl\.partial: found a line of .*; allowed: base, detail, .*; remove the file"):
        grade_samples("humaneval_plus", problems, path, tmp_path / "verdicts.jsonl")


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
