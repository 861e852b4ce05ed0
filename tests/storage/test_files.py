"""A file is written whole or not at all, and never in the place of something that is no file."""

import os
import socket
from pathlib import Path

import pytest

from snowcoder.errors import ParameterError
from snowcoder.storage.files import fault_of_output, written_whole


def put(path: Path, kind: str) -> None:
    if kind == "a folder":
        path.mkdir()
    elif kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a socket":
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)  # the whole path may be longer than a socket's address
    else:
        path.symlink_to("/dev/full")


@pytest.mark.parametrize("kind", ["a folder", "a pipe", "a socket", "a device"])
def test_what_is_no_file_is_refused_before_anything_is_made_and_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "out"
    put(path, kind)
    before = path.lstat().st_ino, path.lstat().st_mode
    assert fault_of_output(path) == kind
    with pytest.raises(ParameterError, match=f"out: found {kind}; allowed: a regular file"), written_whole(path):
        pytest.fail("the block must not run")
    assert (path.lstat().st_ino, path.lstat().st_mode) == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_and_a_link_to_one_are_replaced_whole(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("before")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "broken").symlink_to("nowhere")
    for name in ("file", "link", "broken", "new"):
        assert fault_of_output(tmp_path / name) == ""
        with written_whole(tmp_path / name) as partial:
            partial.write_text("after")
        assert (tmp_path / name).read_text() == "after"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken", "file", "link", "new"]


def test_a_place_where_nothing_can_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert fault_of_output(tmp_path / "file" / "out") != ""
    assert fault_of_output(tmp_path / ("x" * 250)) == "File name too long"
    assert fault_of_output(Path("/proc/none/out")) != ""
