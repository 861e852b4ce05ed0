"""snowcoder.source_files.licences: the three classes of stated licences."""

import json
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.source_files.licences import MAX_EXPRESSION_CHARS, licence_class

PERMISSIVE = [
    "MIT",
    "mit",
    "BSD",
    "MIT AND BSD-3-Clause",
    "mit or apache-2.0",
    "GPL-3.0-or-later OR MIT",
    "(MIT AND MPL-2.0) OR Apache-2.0",
    "GPL-2.0-only OR (MIT AND ISC)",
    "((MIT OR GPL-2.0-only) AND (Apache-2.0 OR GPL-3.0-only))",
    "Apache-2.0+",
    # exceptions add permissions
    "Apache-2.0 WITH LLVM-exception",
    "Apache-2.0 w/ LLVM-exception",
    "Apache License v2.0 with LLVM Exceptions",
    # names
    "The MIT License (MIT)",
    "Apache License, Version 2.0",
    "Apache License, Version 2.0, January 2004",
    "Apache License\nVersion 2.0",
    "GNU General Public License v3 or MIT License",
    "MIT and Apache 2.0 licenses",
    "License :: OSI Approved :: MIT License",
    "License :: OSI Approved :: MIT License, License :: OSI Approved :: Apache Software License",
    "MIT + file LICENSE",  # R
    "Apache License (>= 2)",
    "GPL (>= 2) | MIT + file LICENCE",
    "permissive",  # The Stack v2's license_type
    # several
    "MIT/Apache-2.0",
    "GPL-2.0/MIT",
    "MIT / Apache-2.0 AND BSD-3-Clause",
    "MIT and zlib/libpng",
    "GPL-2 | MIT",
    "ISC, MIT",
    "MIT; BSD-3-Clause",
    "MIT,",
    '["MIT"]',
    "['MIT', 'Apache License, Version 2.0']",
    '["MIT", "GPL-2.0-only OR ISC"]',
]
OTHER = [
    "GPL-2.0-only AND (MIT OR Apache-2.0)",
    "(MIT OR Apache-2.0) AND GPL-2.0-only",
    "MIT AND LGPL-2.1-or-later",
    "MPL-2.0",
    "Our own terms",
    "GPL-2.0-only WITH Classpath-exception-2.0",
    "GPL-2.0-only w/ MIT",
    "MIT WITH Commons-Clause",  # a restriction, and no exception of SPDX
    "MIT WITH LicenseRef-scancode-commons-clause",
    "Apache 2.0 / Commons Clause",
    "GPLv3",
    "GPL v3+",
    "GPL (>= 2)",
    "LGPL",
    "UNLICENSED",  # npm: no rights are given; not the Unlicense
    "SEE LICENSE IN LICENSE.md",
    "Proprietary",
    "Public Domain",
    "BSL 1.1",
    "Business Source License 1.1",
    "CC-BY-NC-4.0",
    "License :: OSI Approved",
    "License :: OSI Approved :: GNU General Public License v3 (GPLv3)",
    # no names of MIT
    "MIT-like",
    "not MIT",
    "MIT (non-commercial)",
    "MIT non-commercial",
    "LicenseRef-MIT",
    "https://example.com/MIT",
    # several
    "MIT, GPL-3.0",
    "MIT; AGPL-3.0",
    "MIT\nGPL-3.0",
    '["MIT", "GPL-2.0"]',
    "MIT/Apache-2.0 AND GPL-2.0-only",
    "MIT and/or GPL-2.0",
    "MIT & GPL-2.0",
    # broken
    "(MIT",
    "MIT)",
    "MIT AND",
    "OR",
    "()",
    "MIT (Apache-2.0 OR",
    '["MIT"',
    '[["MIT"]]',
    "[1]",
    ",",
]
UNKNOWN = ["", None, "  ", "NOASSERTION", "None", "no_license", "UNKNOWN", "n/a", "[]", "[null]", '["NOASSERTION"]', "MIT AND NOASSERTION"]


@pytest.mark.parametrize("expression", PERMISSIVE)
def test_permissive(expression: str) -> None:
    assert licence_class(expression) == "permissive"


@pytest.mark.parametrize("expression", OTHER)
def test_other(expression: str) -> None:
    assert licence_class(expression) == "other"


@pytest.mark.parametrize("expression", UNKNOWN)
def test_unknown(expression: str | None) -> None:
    assert licence_class(expression) == "unknown"


def test_a_choice_between_a_stated_and_an_unstated_licence_is_other() -> None:
    assert licence_class("GPL-3.0-only OR NOASSERTION") == "other"


def test_a_licence_text_is_no_name_however_deep_its_brackets() -> None:
    assert licence_class("MIT " * MAX_EXPRESSION_CHARS) == "other"
    assert licence_class("(" * 400 + "MIT" + ")" * 400) == "permissive"
    assert licence_class("(" * 400 + "MIT") == "other"


@dataclass(frozen=True)
class Stated:
    text: str
    is_permissive: bool


def combine(parts: list[Stated], operator: str) -> Stated:
    holds = any if operator == "OR" else all
    return Stated(f"({f' {operator} '.join(part.text for part in parts)})", holds(part.is_permissive for part in parts))


LEAVES = st.sampled_from([Stated("MIT", True), Stated("Apache License 2.0", True), Stated("GPL-3.0-only", False), Stated("GPL v2", False)])
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.builds(combine, st.lists(inner, min_size=2, max_size=3), st.sampled_from(["AND", "OR"])),
    max_leaves=8,
)


@given(EXPRESSIONS)
def test_brackets_are_evaluated_as_they_stand(stated: Stated) -> None:
    assert (licence_class(stated.text) == "permissive") == stated.is_permissive


@given(st.text(alphabet="MIT GPL()[]'\",;/|&\nandorwith{}:+-.*", max_size=60))
def test_nothing_is_an_error_and_a_copyleft_member_is_never_permissive(text: str) -> None:
    assert licence_class(text) in ("permissive", "unknown", "other")
    assert licence_class(json.dumps(["GPL-3.0-only", text])) == "other"
