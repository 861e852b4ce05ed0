"""snowcoder.corpus.manifests: declared licences, each manifest by its own rules."""

import json
from typing import Any

import pytest

from snowcoder.corpus.manifests import UNRECOGNISED, declared_licence, joined, licence_of_value
from snowcoder.source_files.licences import licence_class


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"license": "MIT"}, "MIT"),
        ({"license": {"type": "MIT", "url": "https://example.com"}}, "MIT"),
        ({"licenses": [{"type": "MIT"}, {"type": "Apache-2.0"}]}, "Apache-2.0 OR MIT"),
        ({"licenses": [{"type": "GPL-3.0"}, {"type": "MIT License"}]}, "GPL-3.0 OR MIT"),
        ({"license": "(MIT OR GPL-3.0)"}, "(MIT OR GPL-3.0)"),
        ({"license": "SEE LICENSE IN terms.md"}, "SEE LICENSE IN terms.md"),
        ({"license": ["MIT", "GPL-3.0"]}, "GPL-3.0 AND MIT"),  # npm defines no such list
        ({"license": None, "licenses": []}, ""),
        ({"description": '"license": "MIT"'}, ""),
        ([], ""),
    ],
)
def test_package_json(content: Any, expected: str) -> None:
    assert declared_licence("package.json", json.dumps(content)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[project]\nlicense = "MIT OR Apache-2.0"\n', "MIT OR Apache-2.0"),
        ('[project]\nlicense = {text = "MIT License"}\n', "MIT License"),
        ('[project.license]\ntext = "MIT"\n', "MIT"),
        ("[project]\nlicense = {file = 'TERMS'}\n", UNRECOGNISED),
        (
            "[project]\nlicense = {file = 'TERMS'}\n"
            "classifiers = ['License :: OSI Approved :: MIT License', 'License :: OSI Approved', 'Topic :: X']\n",
            "MIT",
        ),
        (
            "[project]\nclassifiers = ['License :: OSI Approved :: MIT License', 'License :: OSI Approved :: Mozilla Public License']\n",
            "MIT AND (Mozilla Public License)",
        ),
        ('[tool.poetry]\nlicense = "BSD-3-Clause"\n', "BSD-3-Clause"),
        ('[tool.flit.metadata]\nlicense = "ISC"\n', "ISC"),
        ('[tool.other]\nlicense = "MIT"\n', ""),
        ('license = "MIT', ""),
    ],
)
def test_pyproject(text: str, expected: str) -> None:
    assert declared_licence("pyproject.toml", text) == expected


def test_cargo_slash_is_a_choice_and_a_licence_file_is_not_read() -> None:
    assert licence_class(declared_licence("Cargo.toml", '[package]\nlicense = "GPL-3.0/MIT"\n')) == "permissive"
    assert declared_licence("Cargo.toml", '[workspace.package]\nlicense = "MIT"\n[package]\nlicense.workspace = true\n') == "MIT"
    assert declared_licence("Cargo.toml", '[package]\nlicense-file = "TERMS"\n') == UNRECOGNISED
    assert declared_licence("Cargo.toml", '[dependencies]\nlicense = "MIT"\n') == ""


def test_composers_list_is_a_choice() -> None:
    assert declared_licence("composer.json", '{"license": ["GPL-3.0-only", "MIT"]}') == "GPL-3.0-only OR MIT"
    assert declared_licence("composer.json", '\ufeff{"license": "MIT"}') == "MIT"
    assert declared_licence("other.json", '{"license": "MIT"}') == ""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""),
        (" MIT ", "MIT"),
        (["MIT", "Apache License, Version 2.0"], "Apache-2.0 AND MIT"),
        (["MIT", "GPL-2.0-only OR ISC"], "(GPL-2.0-only OR ISC) AND MIT"),
        (["MIT", "MIT License"], "MIT"),
        ([None, "MIT"], "MIT"),
        ([], ""),
        ({"key": "mit", "name": "MIT License", "spdx_id": "MIT"}, "MIT"),
        ([{"spdx_id": "MIT"}, {"spdx_id": "GPL-3.0"}], "GPL-3.0 AND MIT"),
        ('{"type": "MIT"}', "MIT"),
        ('["MIT"]', '["MIT"]'),
        (3, "3"),
        ({"key": "other", "name": "Other", "spdx_id": "NOASSERTION"}, "other"),
        ({"key": None, "spdx_id": "NOASSERTION"}, "NOASSERTION"),
        ({"licenseInfo": {"spdxId": "MIT"}}, "MIT"),
        ({"expression": "MIT OR GPL-2.0-only"}, "MIT OR GPL-2.0-only"),
        ({"type": None, "url": "https://opensource.org/licenses/MIT"}, "https://opensource.org/licenses/MIT"),
        ('[{"key": "mit"}, {"key": "gpl-3.0"}]', "MIT AND gpl-3.0"),
        ("{'key': 'mit'}", "mit"),
        ([{"file": "TERMS"}, "MIT"], "LicenseRef-unrecognised AND MIT"),
        ([{"license": None}, "MIT"], "MIT"),
        ([{"file": "TERMS"}], ""),
    ],
)
def test_values_of_a_data_set(value: Any, expected: str) -> None:
    assert licence_of_value(value) == expected


def test_a_member_keeps_its_brackets() -> None:
    assert licence_class(joined("AND", ["GPL-2.0-only", "MIT OR Apache-2.0"])) == "other"
    assert licence_class(joined("AND", ["GPL-2.0-only", "MIT|Apache-2.0"])) == "other"
    assert licence_class(joined("OR", ["GPL-2.0-only AND MIT", "GPL-3.0-only"])) == "other"
    assert licence_class(joined("OR", ["GPL-2.0-only AND MIT", "Apache 2.0"])) == "permissive"
