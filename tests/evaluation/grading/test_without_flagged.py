from pathlib import Path

import pyarrow as pa
import pytest

from snowcoder.decontamination.ledger import LEDGER_SCHEMA
from snowcoder.evaluation.grading.without_flagged import LEDGERS, is_screened, rates_without_flagged, read_flagged
from snowcoder.storage.metrics import write_metrics
from snowcoder.storage.shards import write_table


def ledger(folder: Path, *problems: tuple[str, str]) -> None:
    row = dict.fromkeys(LEDGER_SCHEMA.names, "") | {"dropped": True, "overlap": 1.0, "start_char": 0, "end_char": 1}
    rows = [row | {"benchmark": benchmark, "problem_id": problem} for benchmark, problem in problems]
    write_table(folder, [pa.Table.from_pylist(rows, LEDGER_SCHEMA)], LEDGER_SCHEMA)


def test_all_ledgers_that_are_there_are_read(tmp_path: Path) -> None:
    assert read_flagged("humaneval", tmp_path) == set()
    ledger(tmp_path / LEDGERS[0], ("humaneval", "HumanEval/1"), ("mbpp_plus", "Mbpp/2"))
    ledger(tmp_path / LEDGERS[2], ("humaneval", "HumanEval/3"))
    assert read_flagged("humaneval", tmp_path) == {"HumanEval/1", "HumanEval/3"}
    assert read_flagged("humaneval_plus", tmp_path) == {"HumanEval/1", "HumanEval/3"}  # the same problems
    assert read_flagged("mbpp_plus", tmp_path) == {"Mbpp/2"}


def test_a_benchmark_that_the_corpus_was_not_screened_against(tmp_path: Path) -> None:
    assert not is_screened("humaneval_plus", tmp_path)
    write_metrics(tmp_path / "metrics/decontaminate_files.json", {"by_benchmark": {"humaneval": {"problems": 164}}})
    assert is_screened("humaneval_plus", tmp_path)
    assert not is_screened("mbpp_plus", tmp_path)


def test_rates_with_and_without() -> None:
    passed = [("a", True), ("b", False), ("c", True), ("d", False)]
    rates = rates_without_flagged(passed, {"a", "z"}, screened=True)
    assert rates["screened"]
    assert rates["flagged"] == ["a"]
    assert rates["all"]["pass@1"] == pytest.approx(0.5)
    assert rates["without"]["pass@1"] == pytest.approx(1 / 3)
    assert rates_without_flagged(passed, {"a", "b", "c", "d"}, True)["without"] is None
