"""Streams a data set of the Hugging Face hub, or a folder in its layout, at a pinned revision, without storing it whole."""

from collections.abc import Iterator
from typing import Any

from snowcoder.corpus.columns import Layout, keys_of_type
from snowcoder.errors import SourceError


def read_dataset(
    dataset: str, revision: str | None, configuration: str | None, folder: str | None, split: str, layout: Layout
) -> Iterator[dict[str, Any]]:
    """Rows of a data set. folder: of the data set's repository (`data/python`), null for all.

    Raises SourceError if it is not available at that revision (gated, offline, gone), or lacks a column.
    """
    import datasets  # heavy, and only this source needs it

    where = f"data set {dataset} at {revision or 'its folder'}"
    try:
        rows = datasets.load_dataset(dataset, configuration, data_dir=folder, split=split, revision=revision, streaming=True)
        labels = {}  # numbers that stand for names: columns of ClassLabel
        if rows.features is not None:
            keys = keys_of_type(rows.features.arrow_schema)
            if missing := layout.missing(keys):
                raise SourceError(layout.explain(missing, keys, where))
            rows = rows.select_columns(layout.top_level(keys))
            labels = {name: kind for name, kind in (rows.features or {}).items() if isinstance(kind, datasets.ClassLabel)}
        for row in rows:
            yield row | {name: kind.int2str(row[name]) for name, kind in labels.items() if row[name] is not None and row[name] >= 0}
    except SourceError:
        raise
    except Exception as error:  # whatever the library, the network or a shard's reader raises, the way out is the same
        reason = f"{type(error).__name__}: {error}"
        advice = "check name, configuration, split and revision, the network, and `hf auth login` for gated ones"
        if revision is None:
            advice = (
                "check folder, configuration and split; `kind: parquet` or `jsonl` reads files that differ in their columns, or are empty"
            )
        raise SourceError(f"{where}: cannot be read ({reason}); {advice}") from error
