"""The class of a licence, from its SPDX expression: permissive, unknown (none is stated) or other (stated, and not permissive).

The Stack v2's three classes. An expression is permissive if one of its alternatives (OR) is so in all its parts (AND binds first).
The list holds what the Blue Oak Council rates as permissive and code in the wild carries; BSD without a number is one of its kinds, which
all are.
"""

import re
from typing import Literal

LicenceClass = Literal["permissive", "unknown", "other"]
LICENCE_CLASSES: tuple[LicenceClass, ...] = ("permissive", "unknown", "other")
PERMISSIVE = frozenset(
    {"0BSD", "AFL-3.0", "Apache-2.0", "Artistic-2.0", "BlueOak-1.0.0", "BSD", "BSD-1-Clause", "BSD-2-Clause", "BSD-3-Clause"}
    | {"BSD-3-Clause-Clear", "BSD-4-Clause", "BSL-1.0", "CC0-1.0", "CNRI-Python", "HPND", "ISC", "MIT", "MIT-0", "MIT-CMU", "NCSA"}
    | {"PostgreSQL", "PSF-2.0", "Python-2.0", "Unicode-3.0", "Unlicense", "UPL-1.0", "W3C", "WTFPL", "X11", "Zlib", "ZPL-2.1"}
)
_PERMISSIVE = frozenset(name.lower() for name in PERMISSIVE)
_UNSTATED = frozenset({"", "none", "noassertion", "unknown", "no_license"})


def licence_class(expression: str | None) -> LicenceClass:
    """The class of an SPDX expression; an identifier's case does not count."""
    text = (expression or "").lower().replace("(", " ").replace(")", " ").strip()
    if text in _UNSTATED:
        return "unknown"
    alternatives = [re.split(r"\s+and\s+", alternative) for alternative in re.split(r"\s+or\s+", text)]
    return "permissive" if any(all(part.strip() in _PERMISSIVE for part in parts) for parts in alternatives) else "other"
