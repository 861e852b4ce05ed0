"""Lists what can be packed: one row per file, without its tokens.

in: tables of TOKENIZED_FILE_SCHEMA; for a selection also a table with the column file_id (select_files)
out: Arrow tables of CATALOGUE_SCHEMA: shard is the path of the Parquet shard that holds the tokens, row the position in it
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from snowcoder.errors import ParameterError, ShardError
from snowcoder.source_files.records import text_columns
from snowcoder.storage.shards import list_shards, read_manifest, read_shard, read_table

CATALOGUE_SCHEMA = pa.schema(
    [*text_columns("file_id", "repository", "path", "language"), ("n_tokens", pa.int64()), ("shard", pa.string()), ("row", pa.int64())]
)
COLUMNS = ["file_id", "repository", "path", "language", "split", "n_tokens"]


def read_catalogue(tokens: Path, files: Path) -> pa.Table:
    """The train rows of `tokens` that `files` names: all of them if `files` is a table with tokens, else those of its file_ids.

    Raises ShardError if a chosen file is missing from `tokens`, is not of split 'train' or occurs twice.
    """
    if "tokens" in {name for name, _ in read_manifest(files)["schema"]}:
        rows = _describe(files)
        chosen = rows.filter(pc.equal(rows["split"], "train"))
    else:
        chosen = _select(_describe(tokens), read_table(files, ["file_id"])["file_id"].combine_chunks(), tokens, files)
    _check_unique(chosen["file_id"], files)
    return chosen.select(CATALOGUE_SCHEMA.names).cast(CATALOGUE_SCHEMA)


def keep_languages(files: pa.Table, languages: Sequence[str] | None, field: str) -> pa.Table:
    """The rows of these languages, in their order; all rows for None. Raises ParameterError, naming `field`, if a language has no row."""
    if languages is None:
        return files
    found = files["language"].unique().to_pylist()
    if missing := sorted(set(languages) - set(found)):
        known = ", ".join(sorted(found))
        raise ParameterError(f"params.yaml: {field}: found {', '.join(missing)}; allowed, as there are files of them: {known}")
    return files.filter(pc.is_in(files["language"], pa.array(languages, pa.string())))


def train_tokens_by_language(tokens: Path) -> dict[str, int]:
    """Language -> tokens of the train rows of `tokens`."""
    counts: Counter[str] = Counter()
    for path in list_shards(tokens):
        rows = read_shard(path, ["language", "split", "n_tokens"])
        train = rows.filter(pc.equal(rows["split"], "train")).group_by("language").aggregate([("n_tokens", "sum")])
        counts.update({row["language"]: row["n_tokens_sum"] for row in train.to_pylist()})
    return dict(counts)


def _describe(folder: Path) -> pa.Table:
    parts = []
    for path in list_shards(folder):
        part = read_shard(path, COLUMNS)
        part = part.append_column("shard", pa.array([str(path)] * len(part), pa.string()))
        parts.append(part.append_column("row", pa.array(range(len(part)), pa.int64())))
    return pa.concat_tables(parts)


def _select(rows: pa.Table, file_ids: pa.Array, tokens: Path, files: Path) -> pa.Table:
    _check_unique(file_ids, files)
    chosen = rows.filter(pc.is_in(rows["file_id"], file_ids))
    if len(chosen) != len(file_ids):
        missing = file_ids.filter(pc.invert(pc.is_in(file_ids, chosen["file_id"].combine_chunks())))
        raise ShardError(f"{files}: {len(missing)} of {len(file_ids)} files are not in {tokens}, e.g. {missing[0]}; run `dvc repro`")
    others = chosen.filter(pc.not_equal(chosen["split"], "train"))
    if len(others):
        raise ShardError(
            f"{files}: split: found {others['split'][0]} for {others['file_id'][0]} ({len(others)} such files); "
            "allowed: train; only files of the train split may be trained on: run `dvc repro -f` of the stage that writes it"
        )
    return chosen


def _check_unique(file_ids: pa.Array | pa.ChunkedArray, folder: Path) -> None:
    if pc.count_distinct(file_ids).as_py() != len(file_ids):
        raise ShardError(f"{folder}: file_id: a file occurs twice; run `dvc repro -f` of the stage that writes it")
