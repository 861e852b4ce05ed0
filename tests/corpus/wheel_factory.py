"""Small real wheels with their lock and table, for tests."""

import hashlib
import zipfile
from pathlib import Path

TABLE_HEADER = "name,version,licence,download_rank,rank_source,rank_date\n"


def write_wheel(folder: Path, name: str, files: dict[str, bytes], version: str = "1.0") -> Path:
    """A valid pure-Python wheel holding `files`; the same bytes whenever it is made."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{name.replace('-', '_')}-{version}"
    members = files | {
        f"{stem}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nLicense: MIT\n".encode(),
        f"{stem}.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{stem}.dist-info/RECORD": b"",
    }
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members.items():
            archive.writestr(zipfile.ZipInfo(member), content)
    return path


def pin(folder: Path, wheels: list[Path], rank: str = "") -> tuple[Path, Path]:
    """(lock, table) that describe `wheels`."""
    parts = [path.name.split("-")[:2] for path in wheels]
    names = [(name.replace("_", "-"), version) for name, version in parts]
    hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in wheels]
    lock, table = folder / "a.lock", folder / "a.csv"
    lock.write_text("".join(f"{name}=={version} --hash=sha256:{digest}\n" for (name, version), digest in zip(names, hashes, strict=True)))
    table.write_text(TABLE_HEADER + "".join(f"{name},{version},MIT,{rank},{'list' if rank else ''},\n" for name, version in names))
    return lock, table
