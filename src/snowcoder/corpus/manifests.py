"""Reads the licence that a package manifest, or one field of a data set, declares.

in: name and text of a manifest at the root of a repository; a value of a data set's column  out: an expression for
snowcoder.source_files.licences, empty where nothing is declared

- package.json: `license` as text or {type}, else the old `licenses: [{type}]`, of which npm lets one choose.
- composer.json: `license` as text or a list, of which Composer lets one choose.
- pyproject.toml: `license` as text, {text} or {file}, else Poetry's or Flit's field, else the classifiers.
- Cargo.toml: `license` of package or workspace, else `license-file`.
- A data set's list, and the classifiers, are all held to be true at once. Members keep their brackets; an object that says something and
  names no licence is an unreadable member.
"""

import ast
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from snowcoder.source_files.licences import licence_class, spdx_id

UNRECOGNISED = "LicenseRef-unrecognised"  # binding terms that are not recognised here
# Of a licence as an object: npm's `type`, GitHub's `spdx_id` and `key` (GraphQL: `spdxId`), and the names that data sets use
_NAME_FIELDS = (
    *("spdx_id", "spdxId", "spdx", "expression", "license_expression", "type", "key", "license_key", "id", "name", "text"),
    *("license", "licence", "licenseInfo", "licenses", "url"),
)


def declared_licence(name: str, text: str) -> str:
    """The licence that a manifest declares, from its file name and text; empty for another file, or one that does not parse."""
    read, declared = MANIFESTS.get(name, (None, None))
    if read is None or declared is None:
        return ""
    try:
        content = read(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):  # both libraries' errors are ValueErrors
        return ""
    return declared(content) if isinstance(content, dict) else ""


def licence_of_value(value: Any) -> str:
    """The expression of a text, an object or a list of such; of a list all members hold. Objects may be written as JSON or Python.

    Of an object the first field counts that states a licence: GitHub's `other` has the spdx_id NOASSERTION, and terms all the same.
    """
    if isinstance(value, str):
        written = _written_objects(value.strip())
        return licence_of_value(written) if written else value.strip()
    if isinstance(value, Mapping):
        named = [found for field in _NAME_FIELDS if (found := licence_of_value(value.get(field)))]
        return next((name for name in named if licence_class(name) != "unknown"), next(iter(named), ""))
    if isinstance(value, Iterable) and not isinstance(value, bytes):
        members = list(value)
        named = [licence_of_value(member) for member in members]
        unread = any(isinstance(member, Mapping) and any(member.values()) and not name for member, name in zip(members, named, strict=True))
        return joined("AND", [*named, UNRECOGNISED] if unread and any(named) else named)
    return "" if value is None else str(value)


def licence_of_classifiers(classifiers: Iterable[str]) -> str:
    """The expression of PyPI's trove classifiers; `License :: OSI Approved` alone names no licence."""
    named = (text for text in classifiers if text.startswith("License ::") and text.strip() != "License :: OSI Approved")
    return joined("AND", (text.rsplit("::", 1)[-1].strip() for text in named))


def joined(operator: str, expressions: Iterable[str]) -> str:
    """Distinct expressions, sorted, joined by AND or OR; each one that is more than a name is put in brackets."""
    distinct = sorted({spdx_id(expression) or expression for expression in expressions if expression})
    if len(distinct) == 1:
        return distinct[0]
    return f" {operator} ".join(f"({part})" if re.search(r"[\s|&]", part) else part for part in distinct)


def _written_objects(text: str) -> Any:
    """The object, or the list that holds one, that a text writes down; None for any other text."""
    if not text.startswith(("{", "[")) or "{" not in text:
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(found, dict) or (isinstance(found, list) and any(isinstance(member, dict) for member in found)):
            return found
    return None


def _of_pyproject(content: dict[str, Any]) -> str:
    licence = _at(content, "project", "license")
    stated = licence_of_value(licence) or licence_of_value(_at(content, "tool", "poetry", "license"))
    stated = stated or licence_of_value(_at(content, "tool", "flit", "metadata", "license"))
    classifiers = _at(content, "project", "classifiers") or _at(content, "tool", "poetry", "classifiers")
    if not stated and isinstance(classifiers, list):
        stated = licence_of_classifiers(map(str, classifiers))
    return stated or (UNRECOGNISED if _at(content, "project", "license", "file") else "")


def _of_cargo(content: dict[str, Any]) -> str:
    for table in (_at(content, "package"), _at(content, "workspace", "package")):
        licence = table.get("license") if isinstance(table, dict) else None
        if isinstance(licence, str) and licence.strip():
            return licence.strip()
        if isinstance(table, dict) and isinstance(table.get("license-file"), str):
            return UNRECOGNISED
    return ""


def _choice(value: Any) -> str:
    return joined("OR", map(licence_of_value, value)) if isinstance(value, list) else licence_of_value(value)


def _at(content: Any, *keys: str) -> Any:
    for key in keys:
        content = content.get(key) if isinstance(content, dict) else None
    return content


MANIFESTS: dict[str, tuple[Callable[[str], Any], Callable[[dict[str, Any]], str]]] = {
    "package.json": (json.loads, lambda content: licence_of_value(content.get("license")) or _choice(content.get("licenses"))),
    "composer.json": (json.loads, lambda content: _choice(content.get("license"))),
    "pyproject.toml": (tomllib.loads, _of_pyproject),
    "Cargo.toml": (tomllib.loads, _of_cargo),
}
