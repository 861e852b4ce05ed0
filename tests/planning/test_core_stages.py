"""Stages without a model: planned from the record, from a measured rate, or reported as unknown."""

import json
from pathlib import Path

import pytest

from snowcoder.planning.core_stages import MB_PER_CORE_S, plan_by_rates, plan_by_records, plan_tables
from snowcoder.planning.corpus_size import CorpusSize, corpus_of, measured_corpus
from snowcoder.planning.stage_plan import NotPlanned, StagePlan

CORPUS = CorpusSize(files=10, train_files=9, python_files=6, n_bytes=2.05e6 * 7200, tokens=1e9, sections=25, origin="test")


def test_a_measured_rate_is_divided_among_the_cores() -> None:
    signals, fetch = plan_by_rates(CORPUS, 2, ["measure_signals", "fetch_corpus"])
    assert isinstance(signals, StagePlan)
    assert signals.hours == pytest.approx(1.0)  # 7,200 core seconds
    assert signals.n_devices == 0
    assert fetch == NotPlanned("fetch_corpus", "no rate was measured")


def test_the_rates_are_those_of_the_measurements() -> None:
    text = (Path(__file__).resolve().parents[2] / "bench/RESULTS.md").read_text()
    assert f"| measuring signals and masking | {MB_PER_CORE_S['measure_signals']} |" in text
    assert f"| screening against 706 problems | {MB_PER_CORE_S['decontaminate_files']} |" in text
    assert f"| 160 MB, 11,393 files | ours | {2 * MB_PER_CORE_S['deduplicate_files']} |" in text


def test_records_of_all_items_are_added_up(tmp_path: Path) -> None:
    for name, wall_s in (("score_files@HQ", 1800.0), ("score_files@EDU", 1800.0), ("report", 36.0)):
        (tmp_path / f"{name}.json").write_text(json.dumps({"stage": name, "wall_s": wall_s, "peak_memory_bytes": 1}))
    scores, report, missing = plan_by_records(tmp_path, ["score_files", "report", "split_files"])
    assert isinstance(scores, StagePlan)
    assert (scores.stage, scores.hours) == ("score_files x 2", 1.0)
    assert isinstance(report, StagePlan)
    assert (report.stage, report.hours) == ("report", pytest.approx(0.01))
    assert missing == NotPlanned("split_files", "has not run here")


def test_the_corpus_of_a_profile_is_like_the_measured_one(tmp_path: Path) -> None:
    counts = {"train": (900, 3_600_000, 900_000), "held_out": (100, 400_000, 100_000)}
    tokens = {
        split: {"all": {"files": files, "bytes": n_bytes, "tokens": n_tokens}} for split, (files, n_bytes, n_tokens) in counts.items()
    }
    tokens["train"]["python"] = {"files": 600, "bytes": 1, "tokens": 1}
    (tmp_path / "tokenize_files.json").write_text(json.dumps({"tokens": tokens}))
    by_source = {"corpus": {"files": 1000, "sections": 2500}, "instruction": {"files": 10, "sections": 20}}
    (tmp_path / "embed_files.json").write_text(json.dumps({"by_source": by_source, "dimensions": 384}))
    measured = measured_corpus(tmp_path)
    assert (measured.files, measured.python_files, measured.tokens, measured.sections) == (1000, 600, 1_000_000, 2520)
    assert measured.bytes_per_token == 4.0
    scaled = corpus_of(2e9, measured, "test")
    assert (scaled.files, scaled.python_files, scaled.n_bytes) == (2e6, 1.2e6, 8e9)
    assert scaled.full_sections(1.0) == 6e6  # three a file: not counted
    assert scaled.full_sections(0.5) == pytest.approx(3 * (scaled.files - 0.5 * scaled.train_files))


def test_tables_of_text_take_disk() -> None:
    assert plan_tables(CORPUS).disk_bytes == pytest.approx(2.18 * CORPUS.n_bytes)
