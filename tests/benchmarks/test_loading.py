import json
from pathlib import Path

import pytest

from snowcoder.benchmarks.loading import FetchBenchmarksParams, load_benchmarks
from snowcoder.benchmarks.problem import read_problems
from snowcoder.errors import ParameterError, SourceError
from snowcoder.pipeline.params import validate
from stages.fetch_benchmarks import main

PINNED = "b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef"


def test_the_named_benchmarks_are_loaded():
    params = validate({"names": ["humaneval"], "sha256": {"humaneval": PINNED}}, FetchBenchmarksParams, "fetch_benchmarks")
    assert len(load_benchmarks(params)) == 164


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["humaneval", "apps"], "unknown benchmark 'apps'; allowed: humaneval, humaneval_plus, mbpp_plus, evoeval_difficult"),
        (["mbpp_plus"], "sha256.mbpp_plus: missing; allowed: the 64 hex digits"),
        (["humaneval", "humaneval"], "allowed: each benchmark once"),
        ([], "names: found \\[\\]; allowed: a list of texts \\(1 or more\\)"),
    ],
)
def test_unknown_unpinned_and_doubled_benchmarks_are_refused(names, message):
    with pytest.raises(ParameterError, match=message):
        validate({"names": names, "sha256": {"humaneval": PINNED}}, FetchBenchmarksParams, "fetch_benchmarks")


def write_params(sha256: str) -> None:
    Path("params.yaml").write_text(f"fetch_benchmarks:\n  names: [humaneval]\n  sha256: {{humaneval: '{sha256}'}}\n")


def test_the_stage_writes_problems_hashes_and_metrics(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SNOWCODER_WORK_DIR", str(tmp_path / "work"))
    write_params(PINNED)
    main()
    assert len(read_problems(Path("data/fetch_benchmarks"))) == 164
    assert json.loads(Path("data/fetch_benchmarks/hashes.json").read_text()) == {"humaneval": PINNED}
    assert json.loads(Path("metrics/fetch_benchmarks.json").read_text()) == {"rows_out": 164, "by_benchmark": {"humaneval": 164}}


def test_a_refused_source_leaves_nothing_under_a_final_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SNOWCODER_WORK_DIR", str(tmp_path / "work"))
    write_params("f" * 64)
    with pytest.raises(SourceError):
        main()
    assert not Path("data").exists()
    assert not Path("metrics").exists()
