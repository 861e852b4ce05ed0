"""Licences of distributions as SPDX identifiers.

in: the METADATA of a wheel and the texts of its licence files  out: an SPDX expression, or None where no licence is recognised.

Sources are asked in order of precision: License-Expression (PEP 639), the licence text itself, the License field, trove classifiers.
`BSD` alone names two licences, so the text decides between them.
"""

import re
from collections.abc import Sequence
from email.message import Message
from email.parser import HeaderParser

_BSD = "BSD"
UNRECOGNISED = "LicenseRef-unrecognised"
# `"license": "MIT"` of package.json, `license = "MIT"` of pyproject.toml and Cargo.toml
_DECLARED = re.compile(r"""^\s*"?license"?\s*[:=]\s*(?:\{\s*text\s*=\s*)?"(?P<licence>[^"\n]{1,80})\"""", re.MULTILINE)
_COPYLEFT_TEXTS = (
    (r"gnu affero general public license version 3", "AGPL-3.0-only"),
    (r"gnu lesser general public license version 3", "LGPL-3.0-only"),
    (r"gnu lesser general public license version 2\.1", "LGPL-2.1-only"),
    (r"gnu general public license version 3", "GPL-3.0-only"),
    (r"gnu general public license version 2", "GPL-2.0-only"),
    (r"mozilla public license,? version 2\.0", "MPL-2.0"),
    (r"eclipse public license - v 2\.0", "EPL-2.0"),
)
# A short form in the License field or a classifier -> SPDX; the first pattern found wins.
_SHORT_FORMS = (
    (r"apache(?: software)?(?: license)?,?\s*-?(?:version )?(?:v?2(?:\.0)?)?", "Apache-2.0"),
    (r"3-clause bsd|bsd[- ]3(?:[- ]clause)?|new bsd|modified bsd|revised bsd", "BSD-3-Clause"),
    (r"2-clause bsd|bsd[- ]2(?:[- ]clause)?|simplified bsd|freebsd", "BSD-2-Clause"),
    (r"\bbsd\b", _BSD),
    (r"\bisc\b|\biscl\b", "ISC"),
    (r"\bmit\b|expat", "MIT"),
    (r"python software foundation|\bpsf(?:l|-2\.0)?\b", "PSF-2.0"),
    (r"unlicense", "Unlicense"),
    (r"zero-clause bsd|\b0bsd\b", "0BSD"),
)
_COPYLEFT = re.compile(r"\b(?:a|l)?gpl|gnu |mozilla|\bmpl|eclipse public|\bepl|\bcddl|cc-by-sa", re.IGNORECASE)


def licence_of(metadata: str, licence_texts: Sequence[str]) -> str | None:
    """SPDX expression of a distribution. `metadata`: text of its METADATA; `licence_texts`: its LICENSE files. None: not recognised."""
    headers = HeaderParser().parsestr(metadata)
    expression = headers.get("License-Expression", "").strip()
    if expression:
        return expression
    from_text = _licence_of_texts(licence_texts)
    declared = _licence_of_field(headers) or _licence_of_classifiers(headers)
    if declared == _BSD:
        return from_text if from_text and from_text.startswith(_BSD) else None
    return declared or from_text


def licence_of_repository(texts: Sequence[str], manifests: Sequence[str]) -> str:
    """SPDX of a repository: what its licence files say, else its package manifests; LicenseRef-unrecognised where a licence file is not
    recognised, for its terms bind all the same; empty where nothing is stated.
    """
    found = [_licence_of_text(_normalised(text)) or _copyleft_of_text(_normalised(text)) for text in texts if text.strip()]
    if found:
        return " AND ".join(sorted({licence or UNRECOGNISED for licence in found}))
    declared = {match["licence"].strip() for text in manifests for match in _DECLARED.finditer(text)}
    return " AND ".join(sorted(declared))


def _licence_of_field(headers: Message) -> str | None:
    field = str(headers.get("License", "")).strip()
    if not field or _COPYLEFT.search(field):
        return None
    return _licence_of_texts([field]) if "\n" in field else _short_form(field)


def _licence_of_classifiers(headers: Message) -> str | None:
    classifiers = [str(value) for value in headers.get_all("Classifier", []) if str(value).startswith("License ::")]
    if any(_COPYLEFT.search(value) for value in classifiers):
        return None
    found = {short for value in classifiers if (short := _short_form(value.rsplit("::", 1)[-1]))}
    return found.pop() if len(found) == 1 else None


def _short_form(text: str) -> str | None:
    return next((licence for pattern, licence in _SHORT_FORMS if re.search(pattern, text, re.IGNORECASE)), None)


def _licence_of_texts(texts: Sequence[str]) -> str | None:
    found = {licence for text in texts if (licence := _licence_of_text(_normalised(text)))}
    return " AND ".join(sorted(found)) or None


def _normalised(text: str) -> str:
    return re.sub(r"\s+", " ", text).lower()


def _copyleft_of_text(text: str) -> str | None:
    """The licence whose own text begins so; a mention further down is another's."""
    return next((licence for pattern, licence in _COPYLEFT_TEXTS if re.search(pattern, text[:1000])), None)


def _licence_of_text(text: str) -> str | None:
    if "apache license version 2.0" in text or "licensed under the apache license" in text:
        return "Apache-2.0"
    if "redistribution and use in source and binary forms" in text:
        return "BSD-3-Clause" if re.search(r"neither the names? of|may not be used to endorse", text) else "BSD-2-Clause"
    if "permission is hereby granted, free of charge, to any person" in text:
        return "MIT"
    if "permission to use, copy, modify, and/or distribute" in text or "permission to use, copy, modify, and distribute" in text:
        return "ISC"
    if "python software foundation license" in text or "psf license agreement" in text:
        return "PSF-2.0"
    return "Unlicense" if "free and unencumbered software released into the public domain" in text else None
