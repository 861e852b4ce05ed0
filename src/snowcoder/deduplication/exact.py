"""Exact duplicates: files of equal bytes."""

import hashlib
from collections.abc import Hashable, Iterable
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)


def content_key(content: str) -> bytes:
    """What two files share exactly when their bytes are equal: sha256 of the UTF-8 text (32 bytes)."""
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).digest()


def group_exact(ordered: Iterable[tuple[Key, bytes]]) -> dict[Key, Key]:
    """(file, content key) best first -> {file: the best file of its bytes}; a file that maps to itself leads its group."""
    leaders: dict[bytes, Key] = {}
    return {file: leaders.setdefault(content, file) for file, content in ordered}
