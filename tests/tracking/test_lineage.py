"""Names of data sets and models: DVC's hashes if DVC tracks them."""

import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from snowcoder.tracking.lineage import describe_inputs, dvc_digest, read_lock


def test_dvc_lock_is_read_as_yaml_reads_it(repository_root: Path) -> None:
    lock = repository_root / "dvc.lock"
    stages = YAML(typ="safe", pure=True).load(lock.read_text())["stages"].values()
    outs = [out for stage in stages for out in stage.get("outs", [])]
    assert read_lock(lock) == {out["path"]: (out["md5"], out["size"]) for out in outs}


def test_the_digest_of_a_folder_is_dvc_s(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b/two").write_text("2")
    (tmp_path / "one").write_text("1")
    from dvc_data.hashfile.build import build
    from dvc_data.hashfile.db.local import LocalHashFileDB
    from dvc_objects.fs.local import LocalFileSystem

    filesystem = LocalFileSystem()
    _, _, tree = build(LocalHashFileDB(filesystem, str(tmp_path.with_name("cache"))), str(tmp_path), filesystem, "md5", dry_run=True)
    assert dvc_digest(tmp_path) == tree.hash_info.value


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = Path("data/split_files")
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"rows": 12, "schema": [["content", "string"]], "shards": []}))
    size = (folder / "manifest.json").stat().st_size
    outs = [(folder, "abc.dir", size), ("data/elsewhere", "def.dir", 5)]
    entries = [f"    - path: {path}\n      hash: md5\n      md5: {md5}\n      size: {size}\n      nfiles: 1\n" for path, md5, size in outs]
    Path("dvc.lock").write_text("stages:\n  split_files:\n    outs:\n" + "".join(entries))
    return folder


def test_an_input_has_the_hash_of_dvc_lock_and_its_rows(table: Path) -> None:
    size = (table / "manifest.json").stat().st_size
    found = describe_inputs([table, Path("data/elsewhere"), Path("data/nowhere"), Path("params.yaml")])
    assert found == [
        {"path": "data/split_files", "digest": "abc.dir", "n_bytes": size, "rows": 12, "columns": [["content", "string"]]},
        {"path": "data/elsewhere", "digest": "def.dir", "n_bytes": 5},
    ]


def test_a_folder_that_dvc_lock_does_not_describe_is_hashed(table: Path) -> None:
    (table / "more").write_text("changed by hand")
    (found,) = describe_inputs([table])
    assert found["digest"].startswith("sha256:")
