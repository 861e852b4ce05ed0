"""Exchanges files through disk: added in any order, read back by bucket, with memory bounded by one bucket and one buffer.

The buffer is written as one Parquet file whenever it is full, a row group for each bucket, so that reading a bucket touches only its own
row groups, and the number of open files does not grow with the buckets. What fits the buffer never goes to disk.
"""

from collections import defaultdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from snowcoder.source_files.records import SOURCE_FILE_SCHEMA, SourceFile

BUFFER_BYTES = 256_000_000


class Spool:
    """Files by bucket. folder: a scratch folder that must not exist yet; the caller removes it."""

    def __init__(self, folder: Path, buffer_bytes: int = BUFFER_BYTES) -> None:
        self._folder = folder
        self._buffer_bytes = buffer_bytes
        self._buffer: defaultdict[int, list[SourceFile]] = defaultdict(list)
        self._buffered_bytes = 0
        self._runs: list[tuple[Path, dict[int, int]]] = []  # file, bucket -> its row group

    def add(self, bucket: int, file: SourceFile) -> None:
        """Add a file to a bucket."""
        self._buffer[bucket].append(file)
        self._buffered_bytes += file.n_bytes
        if self._buffered_bytes >= self._buffer_bytes:
            self._flush()

    def read(self, bucket: int) -> list[SourceFile]:
        """All files of a bucket, in the order in which they came."""
        files: list[SourceFile] = []
        for path, groups in self._runs:
            if bucket in groups:
                with pq.ParquetFile(path) as run:
                    files += [SourceFile(**row) for row in run.read_row_group(groups[bucket]).to_pylist()]
        return files + self._buffer.get(bucket, [])

    def _flush(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"run-{len(self._runs):06d}.parquet"
        buckets = sorted(self._buffer)
        with pq.ParquetWriter(path, SOURCE_FILE_SCHEMA, compression="zstd") as writer:
            for bucket in buckets:
                rows = [file.row() for file in self._buffer[bucket]]
                writer.write_table(pa.Table.from_pylist(rows, SOURCE_FILE_SCHEMA), row_group_size=len(rows))
        self._runs.append((path, {bucket: number for number, bucket in enumerate(buckets)}))
        self._buffer.clear()
        self._buffered_bytes = 0
