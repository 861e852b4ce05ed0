"""Writes a shard of the deduplicated table: the kept rows as they are, and a row of evidence for each of the others."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from snowcoder.deduplication.accounts import shard_accounts
from snowcoder.deduplication.evidence import DROPPED_SCHEMA, dropped_rows, drops_of
from snowcoder.deduplication.sketches import Sketched
from snowcoder.deduplication.wipe_out import count_files
from snowcoder.records import SOURCE_FILE_SCHEMA
from snowcoder.storage.files import write_json
from snowcoder.storage.shards import read_shard, write_shard


def write_outputs(sketched: Sketched, columns: Path, output: Path, markers: Path, task: tuple[int, Path]) -> dict[str, Any]:
    """Write output/<name> and output/dropped/<name> for shard `task` = (number, path), unless that has been done; return its counts."""
    shard, path = task
    marker = markers / f"{path.stem}.json"
    if not marker.exists():
        table = read_shard(path)
        drops = drops_of(sketched, columns, shard)
        is_kept = np.ones(table.num_rows, dtype=np.bool_)
        is_kept[drops.rows] = False
        kept, dropped = table.filter(pa.array(is_kept)), dropped_rows(table, drops, sketched)
        write_shard(output / path.name, kept, SOURCE_FILE_SCHEMA)
        write_shard(output / "dropped" / path.name, dropped, DROPPED_SCHEMA)
        counts = {"accounts": shard_accounts(table, kept, dropped["reason"].to_pylist()), "files": count_files(table, kept)}
        write_json(marker, counts)
    return json.loads(marker.read_text())
