"""The table that arms choose from: the pool's files, with the scores that arms name."""

from pathlib import Path

import pyarrow as pa
import pytest

from snowcoder.errors import ShardError
from snowcoder.selection.arm_files import read_arm_files
from snowcoder.selection.arms import ArmParams
from snowcoder.storage.shards import write_table

POOL = {"language": "c", "repository": "r", "content_sha256": "x", "n_bytes": 7}
ARMS = [ArmParams(by="random"), ArmParams(by="HQ"), ArmParams(by="loops")]


def write(folder: Path, rows: list[dict[str, object]]) -> Path:
    table = pa.Table.from_pylist(rows)
    write_table(folder, [table], table.schema)
    return folder


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    baselines = [{"file_id": name, **POOL, "loops": float(ord(name)), "dsir": 0.0} for name in "ba"]
    write(tmp_path / "scores/HQ", [{"file_id": name, "score": score} for name, score in (("held_out", 9.0), ("a", 1.0), ("b", 2.0))])
    tokens = [{"file_id": name, "n_tokens": n_tokens} for name, n_tokens in (("outside", 5), ("b", 20), ("a", 10))]
    return write(tmp_path / "baselines", baselines), tmp_path / "scores", write(tmp_path / "tokens", tokens)


def test_rows_are_the_pools_with_the_scores_that_arms_name_and_no_others(folders: tuple[Path, Path, Path]) -> None:
    rows = [{"file_id": name, **POOL, "loops": float(ord(name))} for name in "ab"]
    expected = [row | {"n_tokens": tokens, "HQ": score} for row, tokens, score in zip(rows, (10, 20), (1.0, 2.0), strict=True)]
    assert read_arm_files(ARMS, ["HQ", "INS"], *folders).to_pylist() == expected
    assert "HQ" not in read_arm_files(ARMS[:1], ["HQ"], *folders).schema.names


def test_a_pool_file_without_a_score_and_a_score_that_nobody_computes_are_errors(folders: tuple[Path, Path, Path]) -> None:
    baselines, scores, tokens = folders
    write(scores / "INS", [{"file_id": "b", "score": 1.0}])
    with pytest.raises(ShardError, match=r"INS: no row for 1 of 2 files of the pool, such as a; run `dvc repro`"):
        read_arm_files([ArmParams(by="INS")], ["INS"], baselines, scores, tokens)
    with pytest.raises(ShardError, match="no column lops"):
        read_arm_files([ArmParams(by="lops")], ["INS"], baselines, scores, tokens)
