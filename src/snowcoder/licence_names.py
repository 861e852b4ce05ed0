"""Permissive licences, and the names that people write for them.

in: one name, as a manifest, a data set or a PyPI classifier has it  out: its SPDX identifier, if the licence is permissive

The list holds what the Blue Oak Council rates as permissive and code in the wild carries; BSD without a number is one of its kinds, which
all are. A name counts only as a whole: `MIT-like`, `not MIT` and `MIT (non-commercial)` are no names of MIT. `Public Domain` is a statement
and no licence, so that it is no name here.
"""

import re
from functools import cache

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
        "PSF",
        "PSFL",
        "PSF 2",
        "Python Software Foundation License",
        "Python Software Foundation License 2",
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
