"""Makes or remakes a lock and its table from distribution names: the newest pure-Python wheel of each, with hash, licence and rank.

in: names (arguments, and the rows of an existing table)  out: LOCK (pip requirements with hashes), TABLE (see snowcoder.corpus.wheel_table)

    PYTHONPATH=src python tools/pin_wheels.py data/corpus.lock data/corpus.csv --add flask networkx
    PYTHONPATH=src python tools/pin_wheels.py data/corpus.lock data/corpus.csv --ranks ranks.txt \\
        --rank-source hugovk/top-pypi-packages@169a5a93 --rank-date 2025-04-01

--ranks: names of distributions, most downloaded first, one a line; without it, ranks already in the table are kept. A distribution whose
licence is not recognised as permissive is refused by name, and nothing is written.
"""

import argparse
import csv
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from snowcoder.corpus.licence_detection import licence_of
from snowcoder.corpus.wheel_table import TABLE_COLUMNS, canonical_name
from snowcoder.source_files.licences import licence_class
from snowcoder.storage.files import sha256_file

PURE = ["--platform", "any", "--abi", "none", "--implementation", "py"]


def main() -> None:
    arguments = parse_arguments()
    rows = read_rows(arguments.table)
    names = sorted((set(rows) | {canonical_name(name) for name in arguments.add}) - {canonical_name(name) for name in arguments.remove})
    ranks = read_ranks(arguments.ranks) if arguments.ranks else {}
    pinned: dict[str, dict[str, str]] = {}
    hashes: dict[str, str] = {}
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            wheel = download(name, Path(folder))
            pinned[name] = describe(name, wheel)
            hashes[name] = sha256_file(wheel)
        kept = {column: rows.get(name, {}).get(column, "") for column in ("download_rank", "rank_source", "rank_date")}
        if ranks:
            known = {"download_rank": str(ranks.get(name, "")), "rank_source": arguments.rank_source, "rank_date": arguments.rank_date}
            kept = known if name in ranks else dict.fromkeys(kept, "")
        pinned[name] |= kept
        print(f"{name}=={pinned[name]['version']}  {pinned[name]['licence']}", file=sys.stderr)
    refuse_unfit(pinned)
    write(arguments.lock, arguments.table, pinned, hashes)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lock", type=Path)
    parser.add_argument("table", type=Path)
    parser.add_argument("--add", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--remove", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--ranks", type=Path)
    parser.add_argument("--rank-source", default="")
    parser.add_argument("--rank-date", default="")
    arguments = parser.parse_args()
    for path in (arguments.lock, arguments.table):  # before anything is downloaded
        if path.is_dir() or not path.parent.is_dir():
            parser.error(f"{path}: cannot be written; allowed: a file in an existing folder")
    if not arguments.table.exists() and not arguments.add:
        parser.error(f"{arguments.table}: not found, and no --add: there is nothing to pin")
    return arguments


def read_rows(table: Path) -> dict[str, dict[str, str]]:
    """Rows of an existing table by canonical name; none if there is no table yet."""
    if not table.exists():
        return {}
    with table.open(newline="") as file:
        return {canonical_name(row["name"]): row for row in csv.DictReader(file)}


def read_ranks(path: Path) -> dict[str, int]:
    """Name -> rank, from a list of names in order."""
    return {canonical_name(name): rank for rank, name in enumerate(path.read_text().split(), start=1)}


def download(name: str, folder: Path) -> Path:
    """The newest pure-Python wheel that the index gives."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", *PURE, "--dest", str(folder), name]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"error: {name}: no pure-Python wheel available:\n{result.stderr.strip()[-500:]}")
    return next(folder.glob("*.whl"))


def describe(name: str, wheel: Path) -> dict[str, str]:
    """name, version and licence from the wheel's own METADATA and licence files."""
    with zipfile.ZipFile(wheel) as archive:
        inside = [member for member in archive.namelist() if ".dist-info/" in member and not member.endswith("/")]
        metadata = next(archive.read(member).decode() for member in inside if member.endswith("/METADATA"))
        marked = [member for member in inside if any(word in member.lower() for word in ("licen", "copying"))]
        texts = [archive.read(member).decode("utf-8", "replace") for member in marked]
    return {"name": name, "version": wheel.name.split("-")[1], "licence": licence_of(metadata, texts) or ""}


def refuse_unfit(pinned: dict[str, dict[str, str]]) -> None:
    """Stop, naming them, if the licence of some is not permissive."""
    unfit = [
        f"{name} ({row['licence'] or 'not recognised'})" for name, row in pinned.items() if licence_class(row["licence"]) != "permissive"
    ]
    if unfit:
        sys.exit(f"error: licence is not permissive: {', '.join(unfit)}; remove them with --remove")


def write(lock: Path, table: Path, pinned: dict[str, dict[str, str]], hashes: dict[str, str]) -> None:
    lock.write_text("".join(f"{name}=={row['version']} --hash=sha256:{hashes[name]}\n" for name, row in pinned.items()))
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, TABLE_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(pinned.values())


if __name__ == "__main__":
    main()
