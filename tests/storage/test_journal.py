"""A journal keeps every whole line, whatever ends its writer."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.errors import ShardError
from snowcoder.storage.journal import Journal, read_entry, read_journal

ENTRIES = st.lists(st.dictionaries(st.text(max_size=5), st.integers() | st.text() | st.none(), max_size=3), max_size=6)


def entries(path: Path) -> list[dict[str, object]]:
    return [entry for entry, _ in read_journal(path)]


@given(before=ENTRIES, after=ENTRIES, cut=st.integers(0, 400))
def test_a_file_cut_anywhere_keeps_its_whole_lines_and_takes_further_ones(
    tmp_path_factory: pytest.TempPathFactory, before: list[dict[str, object]], after: list[dict[str, object]], cut: int
) -> None:
    path = tmp_path_factory.mktemp("journal") / "j.jsonl"
    with Journal(path) as journal:
        offsets = [journal.append(entry) for entry in before]
    os.truncate(path, min(cut, path.stat().st_size))
    whole = [entry for entry, end in zip(before, [*offsets[1:], None], strict=True) if end is None or end <= cut] if before else []
    if before and path.read_bytes()[-1:] != b"\n":
        whole = whole[: path.read_bytes().count(b"\n")]
    assert entries(path) == whole
    with Journal(path) as journal:
        for entry in after:
            journal.append(entry)
    assert entries(path) == whole + after


def test_an_entry_is_found_again_by_its_offset_and_reading_resumes_there(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    with Journal(path) as journal:
        first, second = journal.append({"n": 1, "text": "\ud800 é\n"}), journal.append({"n": 2})
    assert read_entry(path, first) == {"n": 1, "text": "\ud800 é\n"}
    assert read_entry(path, second) == {"n": 2}
    assert [entry for entry, _ in read_journal(path, second)] == [{"n": 2}]
    with pytest.raises(ShardError, match="no line at byte"):
        read_entry(path, path.stat().st_size)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{oops}\n", "byte 8 is not JSON"),
        (b"[" * 100_000 + b"\n", "byte 8 is not JSON"),
        (b"[1]\n", "byte 8: found list, allowed: a mapping"),
    ],
    ids=["broken", "deep", "list"],
)
def test_a_broken_line_in_the_middle_is_an_error(tmp_path: Path, line: bytes, message: str) -> None:
    path = tmp_path / "j.jsonl"
    path.write_bytes(b'{"n":1}\n' + line + b'{"n":2}\n')
    with pytest.raises(ShardError, match=message):
        list(read_journal(path))


WRITER = """
import sys, time
from pathlib import Path
from snowcoder.storage.journal import Journal
journal = Journal(Path(sys.argv[1]))
for n in range(10**9):
    journal.append({"n": n, "text": "x" * 1000})
    if n == 100:
        print("ready", flush=True)
"""


def test_a_killed_writer_leaves_whole_lines_and_frees_the_file(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(BlockingIOError):
            Journal(path, wait=False)
        process.send_signal(signal.SIGKILL)
    with Journal(path, wait=False) as journal:
        journal.append({"n": -1})
    numbers = [entry["n"] for entry in entries(path)]
    assert numbers == [*range(len(numbers) - 1), -1]
    assert len(numbers) > 100


def test_a_full_disk_leaves_whole_lines(tmp_path: Path) -> None:
    """A limit on the size of files replaces a full disk: the system takes a part of the line, as it does when space runs out."""
    path = tmp_path / "j.jsonl"
    program = (
        "import resource, signal, sys\nfrom pathlib import Path\nfrom snowcoder.storage.journal import Journal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nresource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))\n"
        "journal = Journal(Path(sys.argv[1]))\njournal.append({'n': 'x' * 1000})\njournal.append({'n': 'y' * 1000})\n"
    )
    result = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False)
    assert f"File too large: '{path}'" in result.stderr
    assert path.read_bytes().endswith(b"\n")
    assert entries(path) == [{"n": "x" * 1000}]
