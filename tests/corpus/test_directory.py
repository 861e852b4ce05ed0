"""snowcoder.corpus.directory: a folder of repositories, hostile ones included."""

import os
import subprocess
from pathlib import Path

import pytest

from snowcoder.corpus.directory import iterate_directory
from snowcoder.corpus.repository_limits import FileLimits, LeftOut
from snowcoder.corpus.sources import FetchCorpusParams, fetch_files
from snowcoder.errors import SourceError
from snowcoder.pipeline.params import validate
from snowcoder.source_files.records import SourceFile

LIMITS = FileLimits(max_files_per_repository=10_000, max_bytes_per_repository=10**9, max_file_bytes=1000, languages=["python", "shell"])
MIT = "MIT License\n\nPermission is hereby granted, free of charge, to any person obtaining a copy of this software"


def write(root: Path, files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content.encode() if isinstance(content, str) else content)


def read(root: Path, depth: int = 1, only: list[str] | None = None) -> tuple[list[SourceFile], LeftOut]:
    skipped = LeftOut()
    return list(iterate_directory(root, depth, LIMITS, only, skipped)), skipped


def names(files: list[SourceFile]) -> list[str]:
    return [f"{file.repository}:{file.path}" for file in files]


def test_repositories_lie_at_the_depth_that_is_asked_for(tmp_path: Path) -> None:
    write(tmp_path, {"o/a/m.py": "x = 1\n", "o/b/sub/n.py": "y = 1\n", "o/loose.py": "z = 1\n", "top.py": "w = 1\n"})
    assert names(read(tmp_path, 2)[0]) == ["o/a:m.py", "o/b:sub/n.py"]
    assert read(tmp_path, 2)[1] == {"outside_repositories": 2}
    assert names(read(tmp_path, 1)[0]) == ["o:a/m.py", "o:b/sub/n.py", "o:loose.py"]
    assert names(read(tmp_path / "o", 0)[0]) == ["o:a/m.py", "o:b/sub/n.py", "o:loose.py"]
    assert names(read(tmp_path, 2, ["o/b"])[0]) == ["o/b:sub/n.py"]
    with pytest.raises(SourceError, match="only_repositories: found o/c, which do not exist there; allowed: o/a, o/b"):
        read(tmp_path, 2, ["o/c"])
    with pytest.raises(SourceError, match="not a folder"):
        read(tmp_path / "top.py")


def test_what_gitignore_names_is_passed_over_as_git_itself_would(tmp_path: Path) -> None:
    repository = tmp_path / "r"
    write(
        repository,
        {
            ".gitignore": "*.log.py\n/build\nout/\n!keep.log.py\n",
            "sub/.gitignore": "local.py\n!again.log.py\n",
            **dict.fromkeys(("a.py", "b.log.py", "keep.log.py", "build/x.py", "sub/build/y.py", "sub/out/z.py"), "x = 1\n"),
            **dict.fromkeys(("sub/local.py", "sub/again.log.py", "local.py"), "x = 1\n"),
        },
    )
    files, skipped = read(tmp_path)
    subprocess.run(["git", "init", "--quiet"], cwd=repository, check=True)
    listed = subprocess.run(
        ["git", "ls-files", "--others", "--exclude-standard", "*.py"], cwd=repository, capture_output=True, text=True, check=True
    )
    assert sorted(file.path for file in files) == sorted(listed.stdout.split())
    assert skipped == {"gitignored": 2, "gitignored_folder": 2, "language_not_taken": 2}


def test_symlinks_are_never_followed(tmp_path: Path) -> None:
    write(tmp_path, {"secret/key.py": "token = 1\n", "root/r/a.py": "x = 1\n", "secret/LICENSE": MIT, "secret/git/HEAD": "0" * 40})
    root, repository = tmp_path / "root", tmp_path / "root" / "r"
    (repository / "file.py").symlink_to(tmp_path / "secret" / "key.py")
    (repository / "folder").symlink_to(tmp_path / "secret")
    (repository / "loop").symlink_to(repository)
    (repository / "LICENSE").symlink_to(tmp_path / "secret" / "LICENSE")
    (repository / ".gitignore").symlink_to(tmp_path / "secret" / "key.py")
    (repository / ".git").symlink_to(tmp_path / "secret" / "git")
    (root / "other").symlink_to(tmp_path / "secret")
    files, skipped = read(root)
    assert names(files) == ["r:a.py"]
    assert (files[0].licence, files[0].revision) == ("", "")
    assert skipped == {"symlink": 7}


def test_nothing_hostile_is_read_or_crashes(tmp_path: Path) -> None:
    repository = tmp_path / "r"
    write(
        repository,
        {
            "ok.py": "x = 1\n",
            "latin.py": b"# caf\xe9\n",
            "null.py": b"a = '\0'\n",
            "run": "#!/bin/sh\necho 1\n",
            "node_modules/m.py": "x = 1\n",
            "back\\slash.py": "x = 1\n",
        },
    )
    with (repository / "gigabyte.py").open("wb") as stream:
        stream.truncate(1 << 30)  # one line of a gigabyte
    os.mkfifo(repository / "pipe.py")
    (repository / os.fsdecode(b"bad\xff.py")).write_text("x = 1\n")
    deep = repository
    for _ in range(300):
        deep = deep / "d"
    write(deep, {"deep.py": "y = 1\n"})
    files, skipped = read(tmp_path)
    assert sorted(file.path.rsplit("/")[-1] for file in files) == ["deep.py", "ok.py", "run"]
    assert skipped == {"not_utf8": 1, "binary": 1, "vendored_folder": 1, "unsafe_path": 2, "too_large": 1, "not_a_file": 1}


@pytest.mark.parametrize(
    ("files", "licence"),
    [
        ({"LICENSE": MIT}, "MIT"),
        ({"LICENSE-MIT": MIT, "licenses.json": "[]", "license.kt": "val a = 1\n"}, "MIT"),
        ({"licence.rb": "x = 1\n"}, ""),
        ({"LICENSE.txt": MIT, "COPYING": "GNU GENERAL PUBLIC LICENSE\n Version 3, 29 June 2007"}, "GPL-3.0-only AND MIT"),
        ({"LICENCE": "Do as I say."}, "LicenseRef-unrecognised"),
        ({"package.json": '{\n "name": "a",\n "license": "ISC"\n}'}, "ISC"),
        ({"pyproject.toml": '[project]\nlicense = "BSD-3-Clause"\n'}, "BSD-3-Clause"),
        ({"pyproject.toml": '[project]\nlicense = {text = "MIT"}\n'}, "MIT"),
        ({"README": "MIT"}, ""),
    ],
)
def test_the_licence_is_that_of_the_repository(files: dict[str, str], licence: str, tmp_path: Path) -> None:
    write(tmp_path / "r", files | {"a.py": "x = 1\n"})
    assert [file.licence for file in read(tmp_path)[0]] == [licence]


def test_the_revision_is_the_commit_that_is_checked_out(tmp_path: Path) -> None:
    repository = tmp_path / "r"
    write(repository, {"a.py": "x = 1\n"})
    assert read(tmp_path)[0][0].revision == ""
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in (["init", "--quiet"], ["add", "a.py"], ["commit", "--quiet", "-m", "one"]):
        subprocess.run([*git, *command], cwd=repository, check=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=repository, capture_output=True, text=True, check=True).stdout.strip()
    assert read(tmp_path)[0][0].revision == commit
    subprocess.run(["git", "pack-refs", "--all"], cwd=repository, check=True)
    assert read(tmp_path)[0][0].revision == commit
    subprocess.run(["git", "checkout", "--quiet", "--detach"], cwd=repository, check=True)
    assert read(tmp_path)[0][0].revision == commit


@pytest.mark.parametrize(
    ("files", "depth", "message"),
    [
        ([], 1, "an empty folder"),
        (["a.py"], 1, "no folder at depth 1; repositories seem to be at depth 0: set fetch_corpus.source.depth"),
        (["README.md", "r/a.py"], 3, "no folder at depth 3; repositories seem to be at depth 1"),
        (["o/r/.git/HEAD", "o/r/src/a.py"], 4, "no folder at depth 4; repositories seem to be at depth 2"),
        (["notes.rst"], 2, "no folder at depth 2; repositories seem to be at depth 0"),
    ],
)
def test_a_wrong_depth_and_an_empty_folder_say_so(files: list[str], depth: int, message: str, tmp_path: Path) -> None:
    write(tmp_path, dict.fromkeys(files, "x = 1\n"))
    with pytest.raises(SourceError, match=f"{tmp_path}: {message}"):
        read(tmp_path, depth)


def test_clones_at_another_depth_are_noted(tmp_path: Path) -> None:
    write(tmp_path, {"o/r/.git/HEAD": "x", "o/r/a.py": "x = 1\n", "o/s/.git/HEAD": "x", "o/s/b.py": "x = 1\n"})
    notes = {depth: read(tmp_path, depth)[1].notes for depth in (0, 1, 2)}
    assert all("folders with a .git are at depth 2" in notes[depth][0] for depth in (0, 1))
    assert notes[2] == []
    assert read(tmp_path / "o" / "r", 0)[1].notes == []


def test_what_is_nested_beyond_the_path_limit_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"r/a.py": "x = 1\n"})
    monkeypatch.chdir(tmp_path / "r")
    for _ in range(30):  # 6,000 characters; the limit is 4,096
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
    Path("deep.py").write_text("x = 1\n")
    files, skipped = read(tmp_path)
    assert names(files) == ["r:a.py"]
    assert skipped == {"path_too_long": 1}


def test_a_line_of_gitignore_that_is_no_pattern_is_passed_over_as_by_git(tmp_path: Path) -> None:
    write(tmp_path / "r", {".gitignore": "!\n\\\nbad\\\n*.log.py\n", "a.py": "x = 1\n", "b.log.py": "x = 1\n"})
    files, skipped = read(tmp_path)
    assert (names(files), skipped["gitignored"]) == (["r:a.py"], 1)


def test_a_repository_whose_name_is_no_line_of_text_is_counted(tmp_path: Path) -> None:
    for name in ("ok", "two\nlines", "tab\t", os.fsdecode(b"bad\xff")):
        write(tmp_path / name, {"a.py": "x = 1\n", "b.py": "x = 1\n"})
    files, skipped = read(tmp_path)
    assert (names(files), skipped, skipped.n_seen) == (["ok:a.py", "ok:b.py"], {"unsafe_repository": 3}, 5)


def many_files(root: Path, count: int) -> None:
    for number in range(count):
        folder = root / "r" / f"{number % 100:02d}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.py").write_text(f"x = {number}\n")


@pytest.mark.parametrize("count", [2_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_many_tiny_files(count: int, tmp_path: Path) -> None:
    many_files(tmp_path / "in", count)
    raw = LIMITS.model_dump() | {
        "source": {"kind": "directory", "path": str(tmp_path / "in")},
        "shards": 4,
        "max_files_per_repository": count - 1,
    }
    metrics = fetch_files(validate(raw, FetchCorpusParams, "fetch_corpus"), tmp_path / "out", tmp_path / "downloads")
    assert (metrics["rows_out"], metrics["dropped"]) == (count - 1, {"over_files_per_repository": 1})
