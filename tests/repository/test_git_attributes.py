"""A clone contains the committed bytes under any Git configuration: DVC compares dependencies byte by byte."""

import hashlib
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {
    "windows": ["core.autocrlf=true"],
    "windows, lines converted on commit": ["core.autocrlf=input"],
    "native ends": ["core.autocrlf=false", "core.eol=crlf"],
}


def git(folder: Path, *arguments: str) -> bytes:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(["git", *arguments], cwd=folder, env=environment, capture_output=True, check=True).stdout


@pytest.fixture(scope="module", params=SETTINGS.values(), ids=SETTINGS.keys())
def clone(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of what is committed, made by a Git that converts line ends."""
    folder = tmp_path_factory.mktemp("clone") / "c"
    settings = [word for setting in request.param for word in ("-c", setting)]
    # the settings go into the clone too, as a user's own would hold in every later command
    git(ROOT, *settings, "clone", "--quiet", "--no-hardlinks", *settings, f"file://{ROOT}", str(folder))
    return folder


def committed(folder: Path) -> dict[str, str]:
    """{path: object id} of every regular file at HEAD."""
    listed = git(folder, "ls-tree", "-r", "-z", "HEAD").decode().split("\0")
    entries = [line.split("\t", 1) for line in listed if line]
    return {name: head.split()[2] for head, name in entries if head.split()[0] in ("100644", "100755")}


def test_every_file_has_its_committed_bytes(clone: Path) -> None:
    for name, object_id in committed(clone).items():
        content = (clone / name).read_bytes()
        assert hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest() == object_id, name


def test_git_sees_no_change(clone: Path) -> None:
    assert git(clone, "status", "--porcelain") == b""


def test_every_file_that_dvc_lock_names_has_its_hash(clone: Path) -> None:
    """Of those whose committed bytes are the ones that dvc.lock was written for."""
    in_lock = set(re.findall(r"path: (\S+)\n +hash: md5\n +md5: (\w{32})\n", (clone / "dvc.lock").read_text()))
    dependencies = {path for path, _ in in_lock} & committed(clone).keys()
    originals = {path: hashlib.md5(git(clone, "cat-file", "blob", f"HEAD:{path}")).hexdigest() for path in dependencies}
    current = {(path, content_hash) for path, content_hash in originals.items() if (path, content_hash) in in_lock}
    assert len(current) > 20
    assert current == {(path, hashlib.md5((clone / path).read_bytes()).hexdigest()) for path, _ in current}
