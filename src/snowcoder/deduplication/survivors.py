"""Ranks copies to keep one: permissive licence first, then the most popular, then the newest, then by path.

As StarCoder2 and The Stack v2 prefer (licence class, then stars, then date). Of two paths the one nearer to the root of its repository is
kept, then the shorter, as a vendored copy is deeper than its original; then the file_id decides, which hashes source, repository,
revision and path: no position does.
"""

import re
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from packaging.version import InvalidVersion, Version

from snowcoder.errors import ShardError
from snowcoder.source_files.licences import licence_class

ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?!\d)")

RANK_BYTES = 32


def rank_keys(files: pa.Table) -> np.ndarray:
    """S32[rows]: the smaller, the better, by plain comparison of bytes. Columns licence, popularity, revision, path, file_id.

    8 bytes licence class and popularity, 8 newest, 2 depth of the path, 2 its length, 12 of the file_id. Raises ShardError if a file_id
    is not 32 hex digits.
    """
    words = np.zeros((files.num_rows, RANK_BYTES), dtype=np.uint8)
    words[:, 0:8] = _bytes_of(_licence_and_popularity(files), ">u8")
    words[:, 8:16] = _bytes_of(~_per_distinct(files["revision"], revision_age, np.uint64), ">u8")
    words[:, 16:18] = _bytes_of(np.minimum(_array(pc.count_substring(files["path"], "/")), 0xFFFF), ">u2")
    words[:, 18:20] = _bytes_of(np.minimum(_array(pc.binary_length(files["path"])), 0xFFFF), ">u2")
    words[:, 20:32] = _digests(files["file_id"])[:, :12]
    return words.view(f"S{RANK_BYTES}").ravel()


def revision_age(revision: str) -> int:
    """64 bits, larger is newer: four numbers of a version (PEP 440) or ISO date, a pre-release before its release; 0 for a commit.

    Versions of one repository compare as they should; those of different repositories compare only so that the order is total.
    """
    try:
        version = Version(revision[:10].replace("-", ".") if ISO_DATE.match(revision) else revision)
    except InvalidVersion:
        return 0
    numbers = [*version.release, 0, 0, 0, 0][:4]
    age = min(version.epoch, 7)
    for number in numbers:
        age = age << 15 | min(number, 0x7FFF)
    return age << 1 | (not version.is_prerelease)


def _licence_and_popularity(files: pa.Table) -> np.ndarray:
    """Two bits of licence class (0 permissive), then 62 of popularity in descending order; unknown (null, NaN) popularity counts as 0."""
    popularity = np.nan_to_num(_array(pc.fill_null(files["popularity"], 0.0)), nan=0.0)
    bits = (popularity + 0.0).view(np.int64)  # + 0.0: -0.0 has other bits
    ascending = np.where(bits < 0, ~bits, bits | np.int64(-(2**63))).view(np.uint64)
    classes = _per_distinct(files["licence"], lambda licence: licence_class(licence) != "permissive", np.uint64)
    return classes << np.uint64(62) | ~ascending >> np.uint64(2)


def _per_distinct(column: pa.ChunkedArray, function: Callable[[str], int], dtype: type) -> np.ndarray:
    """`function` of each value, computed once per distinct value; null counts as ''."""
    encoded = pc.fill_null(column, "").combine_chunks().dictionary_encode()
    values: np.ndarray = np.array([function(value) for value in encoded.dictionary.to_pylist()], dtype=dtype)
    return values[_array(encoded.indices)] if len(column) else values


def _digests(file_ids: pa.ChunkedArray) -> np.ndarray:
    """uint8[rows, 16] of ids of 32 hex digits."""
    try:
        values = [bytes.fromhex(file_id) for file_id in file_ids.to_pylist()]
    except (ValueError, TypeError) as error:
        raise ShardError(
            f"file_id: found a value that is not hexadecimal ({error}); allowed: 32 hex digits, see records.make_file_id"
        ) from error
    if any(len(value) != 16 for value in values):
        raise ShardError("file_id: found a value of another length; allowed: 32 hex digits, see records.make_file_id")
    return np.frombuffer(b"".join(values), dtype=np.uint8).reshape(-1, 16)


def _bytes_of(numbers: np.ndarray, dtype: str) -> np.ndarray:
    return numbers.astype(dtype).view(np.uint8).reshape(numbers.size, np.dtype(dtype).itemsize)


def _array(column: pa.ChunkedArray | pa.Array) -> np.ndarray:
    return column.to_numpy() if isinstance(column, pa.ChunkedArray) else column.to_numpy(zero_copy_only=False)
