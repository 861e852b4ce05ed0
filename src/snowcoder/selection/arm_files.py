"""Reads the files that arms choose from, with the scores that they name.

in: data/score_baselines, data/score_files/<recipe>, data/tokenize_files
out: one row per train file of the pool, sorted by file_id: file_id, language, repository, content_sha256  string; n_bytes  int64;
     n_tokens  int32; a float64 column per score
"""

from collections.abc import Collection, Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from snowcoder.errors import ShardError
from snowcoder.selection.arms import RANDOM, ArmParams
from snowcoder.storage.shards import read_table

COLUMNS = ["file_id", "language", "repository", "content_sha256", "n_bytes"]


def read_arm_files(
    arms: Iterable[ArmParams],
    recipes: Collection[str],
    baselines: Path = Path("data/score_baselines"),
    scores: Path = Path("data/score_files"),
    tokens: Path = Path("data/tokenize_files"),
) -> pa.Table:
    """The table that choose_arm takes, with the scores that `arms` name and no others.

    recipes: names of recipes; any other score is a column of `baselines`, whose rows are the pool. Raises ShardError if a column is
    missing, or a file of the pool has no score or no tokens.
    """
    named = sorted({arm.by for arm in arms} - {RANDOM})
    files = read_table(baselines, [*COLUMNS, *(name for name in named if name not in recipes)]).sort_by("file_id")
    sources = {"n_tokens": (tokens, "n_tokens")} | {name: (scores / name, "score") for name in named if name in recipes}
    for name, (folder, column) in sources.items():
        files = files.append_column(name, _values_of(files, folder, column))
    return files


def _values_of(files: pa.Table, folder: Path, column: str) -> pa.ChunkedArray:
    """Column `column` of the table in `folder`, for the rows of `files`."""
    table = read_table(folder, ["file_id", column])
    places = pc.index_in(files["file_id"], table["file_id"])
    if places.null_count:
        missing = files.filter(pc.is_null(places))["file_id"][0]
        raise ShardError(f"{folder}: no row for {places.null_count} of {len(files)} files of the pool, such as {missing}; run `dvc repro`")
    return table[column].take(places)
