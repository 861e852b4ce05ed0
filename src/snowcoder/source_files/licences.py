"""Classifies a licence as permissive, unknown (none is stated) or other (stated, and not permissive).

in: what a manifest, a wheel or a data set states: an SPDX expression, a name, or several of them  out: one of The Stack v2's three classes

- Brackets count, AND binds before OR. OR is a choice: it is permissive if one alternative is. AND holds all: it is permissive if all are.
- A known exception after WITH only adds permissions, so the class is that of the licence before it. What SPDX does not know as an exception
  (`MIT WITH Commons-Clause`) makes it other.
- A list, whether as JSON, by commas, by semicolons or by lines, is read as AND. A data set's list names every licence that was found in a
  repository, without saying which of them applies to a file: The Stack takes one only where all are permissive. A comma in free text may
  mean either, and the careful reading is AND.
- A slash is OR: Cargo defined it so, for tens of thousands of crates (`MIT/Apache-2.0`). `|` and `&` are OR and AND, as R has them.
- `permissive` is itself a name, as The Stack v2's column license_type has it.

Names: the list holds what the Blue Oak Council rates as permissive and code in the wild carries; BSD without a number is one of its
kinds, which all are. A name counts only as a whole: `MIT-like`, `not MIT` and `MIT (non-commercial)` are not names of MIT.
`Public Domain` is a statement and not a licence, so that it is not a name here.
"""

import ast
import json
import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any, Literal

from license_expression import Licensing, get_license_index

PERMISSIVE = frozenset(
    {"0BSD", "AFL-3.0", "Apache-2.0", "Artistic-2.0", "BlueOak-1.0.0", "BSD", "BSD-1-Clause", "BSD-2-Clause", "BSD-3-Clause"}
    | {"BSD-3-Clause-Clear", "BSD-4-Clause", "BSL-1.0", "CC0-1.0", "CNRI-Python", "HPND", "ISC", "MIT", "MIT-0", "MIT-CMU", "NCSA"}
    | {"PostgreSQL", "PSF-2.0", "Python-2.0", "Unicode-3.0", "Unlicense", "UPL-1.0", "W3C", "WTFPL", "X11", "Zlib", "ZPL-2.1"}
)
# Letter case, quotation marks, hyphens, filler words and the word `version` do not count: see _normalise.
_ALIASES = {
    "0BSD": ("Zero-Clause BSD", "0-clause BSD", "BSD Zero Clause", "Free Public License 1.0.0"),
    "AFL-3.0": ("Academic Free License v3.0", "Academic Free License (AFL) 3.0"),
    "Apache-2.0": ("Apache", "Apache 2", "Apache2", "Apache2.0", "ASL 2.0", "ASL 2", "ALv2", "Apache License, Version 2.0, January 2004"),
    "Artistic-2.0": ("Artistic 2",),
    "BlueOak-1.0.0": ("Blue Oak Model License 1.0.0",),
    "BSD-1-Clause": ("1-clause BSD",),
    "BSD-2-Clause": (
        *("2-clause BSD", "BSD 2", "BSD2", "two-clause BSD", "BSD-2-Clause-FreeBSD", "FreeBSD"),
        *("Simplified BSD", "BSD Simplified", 'BSD 2-Clause "Simplified" License'),
    ),
    "BSD-3-Clause": (
        *("3-clause BSD", "BSD 3", "BSD3", "BSD 3clause", "three-clause BSD", "New BSD", "Modified BSD", "Revised BSD", "BSD New"),
        *('BSD 3-Clause "New" or "Revised" License', "new or revised BSD"),
    ),
    "BSD-3-Clause-Clear": ("Clear BSD",),
    "BSD-4-Clause": ("4-clause BSD", "BSD 4", "BSD4", "Original BSD", "Old BSD", 'BSD 4-Clause "Original" or "Old" License'),
    "BSL-1.0": ("Boost Software License 1.0", "Boost 1.0", "Boost Software License 1.0 (BSL-1.0)", "Boost"),
    "CC0-1.0": (
        *("CC0", "CC Zero", "Creative Commons Zero", "CC0 1.0 Universal", "Creative Commons Zero v1.0 Universal"),
        "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication",
    ),
    "HPND": ("Historical Permission Notice and Disclaimer",),
    "ISC": ("ISCL",),
    "MIT": ("Expat", "MIT/Expat", "MIT/X11", "MIT X11", "X11/MIT", "MIT-license"),
    "MIT-0": ("MIT No Attribution", "MIT0"),
    "NCSA": ("University of Illinois/NCSA Open Source License", "University of Illinois NCSA"),
    "PostgreSQL": ("Postgres",),
    "PSF-2.0": (
        *("PSF", "PSFL", "PSF 2", "Python Software Foundation License", "Python Software Foundation License 2"),
        "Python Software Foundation License 2.0",
    ),
    "Python-2.0": ("Python", "Python 2"),
    "Unicode-3.0": ("Unicode License v3",),
    "UPL-1.0": ("UPL", "Universal Permissive License", "Universal Permissive License v1.0"),
    "W3C": ("W3C Software Notice and License",),
    "WTFPL": ("WTFPL 2", "Do What The F*ck You Want To Public License", "Do What The Fuck You Want To Public License"),
    "Zlib": ("zlib/libpng", "zlib and libpng"),
    "ZPL-2.1": ("Zope Public License 2.1",),
}
_FILLER = frozenset({"the", "license", "licenses", "licensed", "software", "under", "terms", "of", "dual"})
_VERSION = re.compile(r"\b(?:version|ver\.?|v\.?)\s*(?=\d)")
_WITH_BRACKET = re.compile(r"(?P<name>[^()]+)\((?P<bracket>[^()]+)\)")
# Pages that show one licence each, by an address that ends in its identifier
_PAGES = re.compile(
    r"https?://(?:www\.)?(?:(?:opensource|spdx)\.org/licen[cs]es?|choosealicense\.com/licenses|licenses\.nuget\.org|apache\.org/licenses)/"
    r"(?:license-(?=\d))?(?P<name>[a-z0-9.-]+?)(?:-license)?(?:\.(?:txt|html|php))?/?"
)


@cache
def _names() -> dict[str, str]:
    names = {_normalise(identifier): identifier for identifier in PERMISSIVE}
    return names | {_normalise(alias): identifier for identifier, aliases in _ALIASES.items() for alias in aliases}


def spdx_id(name: str) -> str | None:
    """SPDX identifier of a permissive licence, or None: another licence, none, or several.

    Of a classifier (`License :: OSI Approved :: MIT License`) the last part counts, of a page's address its end, and a name and the
    abbreviation in brackets behind it must both be names of permissive licences: the bracket's is taken.
    """
    text = name.rsplit("::", 1)[-1].strip().lower()
    page = _PAGES.fullmatch(text)
    if page:
        return _names().get(("apache-" if "//www.apache." in text or "//apache." in text else "") + page["name"])
    parts = _WITH_BRACKET.fullmatch(text)
    if parts is None or _normalise(text) in _names():
        return _names().get(_normalise(text))
    return _names().get(_normalise(f"{parts['name']} {parts['bracket']}")) or (spdx_id(parts["name"]) and spdx_id(parts["bracket"]))


def _normalise(name: str) -> str:
    text = re.sub(r"""["'`*,\u2018-\u201d]""", " ", name.lower()).replace("licence", "license")
    words = re.split(r"[\s_\u2010-\u2015-]+", _VERSION.sub("", text).strip().rstrip(".+"))
    return "-".join(word for word in words if word and word not in _FILLER)


LicenceClass = Literal["permissive", "unknown", "other"]
LICENCE_CLASSES: tuple[LicenceClass, ...] = ("permissive", "unknown", "other")
MAX_EXPRESSION_CHARS = 1000  # what is longer is the text of a licence, not its name
_UNSTATED = frozenset(
    {"", "-", "?", "[]", "{}", "n/a", "na", "nan", "no_license", "no license", "no-license", "noassertion", "none", "null", "unknown"}
    | {"no licence", "not specified", "unspecified"}
)
_SEPARATORS = re.compile(r"[,;\n]")
# `Apache License, Version 2.0` is one name, also with a line's end in it
_VERSION_AFTER_SEPARATOR = re.compile(r"\s*[,\n]\s*(?=v(?:ersion|er)?\.?\s*\d)", re.IGNORECASE)
_OPERATORS = re.compile(r"(\(|\)|\band\b|\bor\b)", re.IGNORECASE)
# `Apache-2.0 / Commons Clause`: a restriction, whatever sign people put before it
_RIDER = re.compile(r"commons[\s_-]*clause", re.IGNORECASE)
# R: `MIT + file LICENSE` gives the copyright holder there, `Apache License (>= 2)` the versions that hold
_ADDITIONS_OF_R = re.compile(r"\s*\+\s*file\s+licen[cs]e\b|\(\s*[<>=][^()]*\)", re.IGNORECASE)


@lru_cache(maxsize=65536)
def licence_class(expression: str | None) -> LicenceClass:
    """The class of an SPDX expression, a name or a list of them; letter case does not count. What cannot be read is other."""
    text = (expression or "").strip()
    if text.lower() in _UNSTATED:
        return "unknown"
    if len(text) > MAX_EXPRESSION_CHARS or _RIDER.search(text):
        return "other"
    if spdx_id(text):
        return "permissive"
    if text.startswith("["):
        return _all_of(_members(text))
    parts = [part for part in _SEPARATORS.split(_VERSION_AFTER_SEPARATOR.sub(" ", text)) if part.strip()]
    return _all_of(parts) if len(parts) > 1 else _class_of_expression(parts[0] if parts else "?")


def _all_of(parts: Iterable[str]) -> LicenceClass:
    return _strictest(licence_class(part) for part in parts)


def _strictest(classes: Iterable[LicenceClass]) -> LicenceClass:
    """Of parts that all hold."""
    return max(classes, key=LICENCE_CLASSES.index, default="unknown")


def _members(text: str) -> list[str]:
    """Members of a list written as text, as JSON or Python have it. What cannot be read stays one member, which is not a licence's name."""
    for read in (json.loads, ast.literal_eval):
        try:
            members = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(members, list) and all(member is None or isinstance(member, str) for member in members):
            return [member or "" for member in members]
    return ["unreadable"]


def _class_of_expression(text: str) -> LicenceClass:
    try:
        return _class_of_node(_licensing().parse(_spell_out(text)))
    except Exception:  # text that is not an expression: the library raises its own error, but also IndexError, AssertionError and others
        return "other"


def _spell_out(text: str) -> str:
    """`/`, `|`, `&` and `w/` as words; a slash binds names closer than any word does."""
    plain = _ADDITIONS_OF_R.sub("", re.sub(r"\band\s*/\s*or\b", "and", text, flags=re.IGNORECASE))
    plain = re.sub(r"\bw/", " with ", plain, flags=re.IGNORECASE)
    plain = re.sub(r"\|+", " or ", re.sub(r"&+", " and ", plain))
    if "://" in plain:
        return plain
    return "".join(_spell_out_slash(segment) if "/" in segment else segment for segment in _OPERATORS.split(plain))


def _spell_out_slash(segment: str) -> str:
    return f" {spdx_id(segment)} " if spdx_id(segment) else f"({segment.replace('/', ' or ')})"


def _class_of_node(node: Any) -> LicenceClass:
    """Of a parsed expression; node: the library's AND, OR or symbol, of which a name may have several words."""
    if getattr(node, "args", ()):
        classes = [_class_of_node(part) for part in node.args]
        if isinstance(node, _licensing().OR):
            return "permissive" if "permissive" in classes else _strictest(classes)
        return _strictest(classes)
    exception = getattr(node, "exception_symbol", None)
    if exception is not None:
        known = re.sub(r"[\s_]+", "-", exception.key.lower()).removesuffix("s") in _exceptions()
        return _class_of_name(node.license_symbol.key) if known else "other"
    return _class_of_name(node.key)


def _class_of_name(name: str) -> LicenceClass:
    if name.strip().lower() in _UNSTATED:
        return "unknown"
    return "permissive" if name.strip().lower() == "permissive" or spdx_id(name) else "other"


@cache
def _licensing() -> Licensing:
    return Licensing()  # without a list of licences: which names are known is for snowcoder.source_files.licences to say


@cache
def _exceptions() -> frozenset[str]:
    """SPDX's exceptions in lower case; the library's index also has what only ScanCode calls one, restrictions among them."""
    keys = (entry["spdx_license_key"] for entry in get_license_index() if entry["is_exception"] and entry["spdx_license_key"])
    return frozenset(key.lower().removesuffix("s") for key in keys if not key.startswith("LicenseRef-"))
