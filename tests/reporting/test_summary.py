"""The headline numbers; summary runs of experiments that DVC restored from its cache, written from their commits."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from snowcoder.pipeline.stage import work_dir
from snowcoder.reporting.contents import compose
from snowcoder.reporting.document import number
from snowcoder.reporting.markdown import render_markdown
from snowcoder.reporting.results import Results, headline_metrics, read_scores
from snowcoder.reporting.summary import headline_numbers, list_experiments, write_missing_summaries, write_summary
from snowcoder.storage.metrics import flatten
from tests.reporting.fabricate import ARMS, PARAMS


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def repository(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Git repository with one commit of fabricated results, and an experiment `again` of it that changed nothing."""
    monkeypatch.chdir(root)
    (root / "params.yaml").write_text(json.dumps(ARMS))
    git("init", "--quiet")
    git("add", "params.yaml", "metrics")
    git("-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "--quiet", "-m", "results")
    head = git("rev-parse", "HEAD")
    git("update-ref", f"refs/exps/{head[:2]}/{head[2:]}/again", head)
    git("update-ref", "refs/exps/exec/EXEC_HEAD", head)
    return root


def test_an_experiment_without_a_summary_gets_one_from_its_commit(repository: Path) -> None:
    head = git("rev-parse", "HEAD")
    assert [(experiment.name, experiment.baseline_rev) for experiment in list_experiments()] == [("again", head)]
    assert write_missing_summaries() == ["again"]
    (record,) = (work_dir() / "tracking").glob("summary-*.jsonl")
    entries = [json.loads(line) for line in record.read_text().splitlines()]
    assert entries[0]["tags"] | {"experiment_name": "again", "baseline_rev": head, "summary": "true"} == entries[0]["tags"]
    assert entries[0]["params"]["select_files.shared.repeats"] == 2
    assert next(entry["metrics"] for entry in entries if entry["type"] == "metrics") == headline_metrics(read_scores(PARAMS))
    assert write_missing_summaries() == []


def test_an_experiment_that_wrote_its_own_is_left_alone(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_EXP_NAME", "again")
    monkeypatch.setenv("DVC_EXP_BASELINE_REV", git("rev-parse", "HEAD"))
    write_summary(read_scores(PARAMS), "f00d")
    assert write_missing_summaries() == []


def test_a_commit_without_results_is_left_out(repository: Path) -> None:
    git("rm", "-r", "--quiet", "--cached", "metrics/measure_bits_per_byte")
    git("-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "--quiet", "-m", "older")
    head = git("rev-parse", "HEAD")
    git("update-ref", f"refs/exps/{head[:2]}/{head[2:]}/older", head)
    assert write_missing_summaries() == ["again"]


def test_outside_a_repository_there_is_nothing_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert write_missing_summaries() == []


def test_the_headline_numbers_are_few_and_all_in_the_report(results: Results) -> None:
    numbers = flatten(headline_numbers(results))
    assert 10 <= len(numbers) <= 15
    report = render_markdown(compose(results))
    for name, value in numbers.items():
        shown = {number(value), f"{value:.3f}", f"{value:+.2f}%", f"{value:.1f}"}
        assert any(f" {text} " in report for text in shown), (name, value)
    assert numbers["bits_per_byte_on_validation.enhanced"] == 1.62
    assert numbers["bits_percent_on_validation.continued_against_continued_random"] == -3.93  # 1.71 against 1.78


def test_every_control_of_a_model_has_its_headline_number(results: Results) -> None:
    again = results.params.model_copy(update={"controls": [("continued", "continued_random"), ("continued", "general")]})
    numbers = headline_numbers(replace(results, params=again))["bits_percent_on_validation"]
    assert list(numbers) == ["continued_against_continued_random", "continued_against_general"]
