"""Deduplication of many real and strange files (about two minutes): every dropped and every kept pair against brute force."""

import re
import sysconfig
from pathlib import Path

import pyarrow as pa
import pytest

from snowcoder.deduplication.deduplicate_table import deduplicate_table
from snowcoder.deduplication.deduplication_params import DeduplicationParams, WipeOutParams
from snowcoder.deduplication.minhash import make_scheme
from snowcoder.deduplication.shingles import text_buffer
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA, make_source_file
from snowcoder.storage.shards import list_shards, read_table, write_table

pytestmark = pytest.mark.slow
ALARM = WipeOutParams(max_dropped_fraction=0.5, min_files=20, stop=False)
PARAMS = DeduplicationParams(ngram_tokens=5, n_permutations=256, jaccard_threshold=0.7, seed=1, wipe_out=ALARM)
CODE_TOKEN = re.compile(r"(?:\w|[^\x00-\x7f])+|[^\w\s]")
N_FILES = 3500


def source_table(contents: list[str]) -> pa.Table:
    rows = [
        make_source_file(
            source="test",
            repository="r",
            path=f"{number}.py",
            language="python",
            content=content,
            licence="MIT",
            download_rank=None,
            revision="1",
        ).row()
        for number, content in enumerate(contents)
    ]
    return pa.Table.from_pylist(rows, SOURCE_FILE_SCHEMA)


def deduplicate(folder: Path, contents: list[str], shards: int) -> dict:
    table = source_table(contents)
    parts = [table.slice(start, -(-table.num_rows // shards)) for start in range(0, table.num_rows, -(-table.num_rows // shards))]
    write_table(folder / "in", parts, SOURCE_FILE_SCHEMA)
    return deduplicate_table(list_shards(folder / "in"), PARAMS, folder / "out", folder / "state")


def real_files() -> list[str]:
    """Python files of the installed packages, none above 30 kB; packages vendor and repeat each other."""
    paths = [path for path in sorted(Path(sysconfig.get_path("purelib")).rglob("*.py")) if path.stat().st_size <= 30_000]
    return [path.read_bytes().decode("utf-8", "replace") for path in paths[:N_FILES]]


def ngram_sets(contents: list[str]) -> list[set[int]]:
    """By the definition: 5-grams of tokens, each distinct one a number."""
    numbers: dict[tuple[str, ...], int] = {}
    sets = []
    for content in contents:
        tokens = tuple(CODE_TOKEN.findall(content))
        ngrams = {tokens} if len(tokens) < 5 else {tokens[start : start + 5] for start in range(len(tokens) - 4)}
        sets.append({numbers.setdefault(ngram, len(numbers)) for ngram in ngrams})
    return sets


def true_pairs(sets: list[set[int]], threshold: float) -> dict[tuple[int, int], float]:
    """Every pair of files (the later first) that reaches the threshold; the sizes of sets alone rule the others out."""
    order = sorted(range(len(sets)), key=lambda number: len(sets[number]))
    pairs = {}
    for place, one in enumerate(order):
        for two in order[place + 1 :]:
            if len(sets[one]) < threshold * len(sets[two]):
                break
            shared = len(sets[one] & sets[two])
            jaccard = shared / (len(sets[one]) + len(sets[two]) - shared)
            if jaccard >= threshold:
                pairs[max(one, two), min(one, two)] = jaccard
    return pairs


def test_brute_force_confirms_every_dropped_and_every_kept_pair(tmp_path):
    contents = real_files()
    if len(contents) < 3000:
        pytest.skip(f"{len(contents)} Python files are installed in {sysconfig.get_path('purelib')}; 3,000 are needed")
    metrics = deduplicate(tmp_path, contents, shards=4)
    truth = true_pairs(ngram_sets(contents), PARAMS.jaccard_threshold)
    number_of = {file_id: number for number, file_id in enumerate(read_table(tmp_path / "in", ["file_id"])["file_id"].to_pylist())}
    dropped = read_table(tmp_path / "out" / "dropped").to_pylist()
    kept = {number_of[file_id] for file_id in read_table(tmp_path / "out", ["file_id"])["file_id"].to_pylist()}
    assert len(dropped) > 50
    assert len(kept) + len(dropped) == len(contents)
    for row in dropped:
        pair = sorted((number_of[row["file_id"]], number_of[row["kept_file_id"]]), reverse=True)
        assert pair[0] not in kept or pair[1] not in kept
        assert number_of[row["kept_file_id"]] in kept
        assert row["jaccard"] == truth[pair[0], pair[1]]
    for row in read_table(tmp_path / "out" / "pairs").to_pylist():
        pair = sorted((number_of[row["file_id"]], number_of[row["preferred_file_id"]]), reverse=True)
        assert row["jaccard"] == truth[pair[0], pair[1]]
    # two files that are alike are both kept only where LSH did not nominate them
    keys = make_scheme(PARAMS).band_keys_of_texts(*text_buffer(pa.chunked_array([contents])))
    nominated = {pair: bool((keys[pair[0]] == keys[pair[1]]).any()) for pair in truth}
    assert not [pair for pair in truth if nominated[pair] and pair[0] in kept and pair[1] in kept]
    likely = [nominated[pair] for pair, jaccard in truth.items() if jaccard >= 0.8]
    assert sum(likely) >= 0.95 * len(likely)
    assert metrics["files_not_compared_with_all"] == 0


def test_a_hundred_thousand_tiny_files_are_not_one_cluster(tmp_path):
    metrics = deduplicate(tmp_path, [f"v{number} = 1" for number in range(100_000)] + ["v7 = 1", "v8  =  1"], shards=3)
    assert metrics["dropped"] == {"exact": 1, "near": 1}


def test_a_file_of_one_line_of_a_gigabyte(tmp_path):
    line = "abcdefg, " * (10**9 // 9)
    metrics = deduplicate(tmp_path, [line, "x = 1", line], shards=1)
    assert metrics["dropped"] == {"exact": 1}
    assert metrics["bytes_out"] == len(line) + 5
