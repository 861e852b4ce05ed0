"""Reads the licences of distributions and repositories as SPDX expressions.

in: the METADATA of a wheel and the texts of its licence files, or licence files and manifests of a repository
out: an expression for snowcoder.source_files.licences, or None (a wheel) where no permissive licence is recognised

Sources of a wheel are asked in order of precision: License-Expression (PEP 639), the License field, trove classifiers, the licence text.
`BSD` alone names two licences, so the text decides between them. A field that names another licence ends the search: permissive texts
next to it belong to vendored code.
"""

import re
from collections.abc import Mapping, Sequence
from email.message import Message
from email.parser import HeaderParser

from snowcoder.corpus.manifests import UNRECOGNISED, declared_licence, joined, licence_of_classifiers
from snowcoder.source_files.licences import licence_class, spdx_id

_BSD = "BSD"
_COPYLEFT_TEXTS = (
    (r"gnu affero general public license version 3", "AGPL-3.0-only"),
    (r"gnu lesser general public license version 3", "LGPL-3.0-only"),
    (r"gnu lesser general public license version 2\.1", "LGPL-2.1-only"),
    (r"gnu general public license version 3", "GPL-3.0-only"),
    (r"gnu general public license version 2", "GPL-2.0-only"),
    (r"mozilla public license,? version 2\.0", "MPL-2.0"),
    (r"eclipse public license - v 2\.0", "EPL-2.0"),
)
_RESTRICTED = re.compile(
    r"\b(?:a|l)?gpl|gnu |mozilla|\bmpl|eclipse public|\bepl|\bcddl|cc-by-sa"
    r"|proprietary|commercial|unlicensed|all rights reserved",
    re.IGNORECASE,
)
# Conditions in, before or after the text of a permissive licence that withdraw what it grants: universities grant ISC's rights "for
# educational, research and non-profit purposes", the JSON licence is MIT's text for "Good, not Evil"
_RIDERS = re.compile(
    r"commons clause|additional use grant|non-?commercial (?:use|purposes) only|good, not evil|hippocratic licen[cs]e"
    r"|for (?:your )?(?:academic|educational|evaluation|non-?commercial|non-?profit|research)\b[^.]{0,60}\b(?:use|purposes?)\b"
)


def licence_of(metadata: str, licence_texts: Sequence[str]) -> str | None:
    """SPDX expression of a distribution. `metadata`: text of its METADATA; `licence_texts`: its LICENSE files. None: not recognised."""
    headers = HeaderParser().parsestr(metadata)
    expression = str(headers.get("License-Expression", "")).strip()
    if expression:
        return expression
    stated = _stated(headers)
    if any(_RESTRICTED.search(name) and not _permissive(name) for name in stated):
        return None
    from_text = _licence_of_texts(licence_texts)
    declared = next((licence for name in stated if (licence := _permissive(name))), None)
    if declared == _BSD:
        return from_text if from_text and from_text.startswith(_BSD) else None
    return declared or from_text


def licence_of_repository(texts: Sequence[str], manifests: Mapping[str, str]) -> str:
    """Expression of a repository: what its licence files say, else its package manifests (file name -> text); LicenseRef-unrecognised
    if a licence file is not recognised, since its terms still bind; empty if nothing is stated.
    """
    found = [_copyleft_of_text(_normalised(text)) or _licence_of_text(_normalised(text)) for text in texts if text.strip()]
    if found:
        return " AND ".join(sorted({licence or UNRECOGNISED for licence in found}))
    return joined("AND", (_name_or_text(declared_licence(name, text)) for name, text in manifests.items()))


def _stated(headers: Message) -> list[str]:
    """What the License field and the classifiers say, a text of several lines left out of it."""
    field = str(headers.get("License", "")).strip()
    classified = licence_of_classifiers(str(value) for value in headers.get_all("Classifier", []))
    return [name for name in (_name_or_text(field), classified) if name]


def _permissive(name: str) -> str | None:
    return spdx_id(name) or (name if licence_class(name) == "permissive" else None)


def _name_or_text(declared: str) -> str:
    """A declared name as it is; of a whole text, the licence whose text it is."""
    text = _normalised(declared)
    recognised = _copyleft_of_text(text) or _licence_of_text(text)
    return recognised or (UNRECOGNISED if "\n" in declared.strip() else declared)


def _licence_of_texts(texts: Sequence[str]) -> str | None:
    found = {licence for text in texts if (licence := _licence_of_text(_normalised(text)))}
    return " AND ".join(sorted(found)) or None


def _normalised(text: str) -> str:
    return re.sub(r"\s+", " ", text).lower()


def _copyleft_of_text(text: str) -> str | None:
    """The licence whose own text begins so; a mention further down is another's."""
    return next((licence for pattern, licence in _COPYLEFT_TEXTS if re.search(pattern, text[:1000])), None)


def _licence_of_text(text: str) -> str | None:
    if _RIDERS.search(text):
        return None
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
