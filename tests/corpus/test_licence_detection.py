"""snowcoder.corpus.licence_detection: metadata and texts to SPDX."""

import pytest

from snowcoder.corpus.licence_detection import licence_of, licence_of_repository

MIT_TEXT = "Permission is hereby granted, free of charge, to any person obtaining a copy"
BSD2_TEXT = "Redistribution and use in source and binary forms, with or without\nmodification, are permitted"
ISC_TEXT = "Permission to use, copy, modify, and distribute this software"
BSD3_TEXT = BSD2_TEXT + " ... Neither the name of the copyright holder nor the names of its contributors"


@pytest.mark.parametrize(
    ("metadata", "texts", "licence"),
    [
        ("Name: a\nLicense-Expression: Apache-2.0 OR BSD-2-Clause\n", [], "Apache-2.0 OR BSD-2-Clause"),
        ("Name: a\nLicense: MIT\n", [], "MIT"),
        ("Name: a\nLicense: Apache License, Version 2.0\n", [], "Apache-2.0"),
        ("Name: a\nLicense: BSD\n", [BSD3_TEXT], "BSD-3-Clause"),
        ("Name: a\nLicense: BSD\n", [BSD2_TEXT], "BSD-2-Clause"),
        ("Name: a\nLicense: BSD\n", [], None),
        ("Name: a\nClassifier: License :: OSI Approved :: ISC License (ISCL)\n", [], "ISC"),
        ("Name: a\n", [MIT_TEXT], "MIT"),
        ("Name: a\nLicense-File: LICENSE\n", [MIT_TEXT, BSD3_TEXT], "BSD-3-Clause AND MIT"),
        ("Name: a\n", [], None),
        ("Name: a\nLicense: GPL-3.0\n", [], None),
        ("Name: a\nClassifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)\n", [], None),
    ],
)
def test_licence_of(metadata: str, texts: list[str], licence: str | None) -> None:
    assert licence_of(metadata, texts) == licence


@pytest.mark.parametrize(
    "metadata",
    [
        "Name: a\nLicense: MPL-2.0 AND MIT\n",
        "Name: a\nLicense: GPL-3.0\n",
        "Name: a\nClassifier: License :: Other/Proprietary License\n",
        "Name: a\nLicense: MIT\nClassifier: License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)\n",
    ],
)
def test_a_permissive_text_does_not_outweigh_what_the_metadata_say(metadata: str) -> None:
    assert licence_of(metadata, [MIT_TEXT]) is None


def test_a_choice_that_has_a_permissive_alternative_is_taken_as_stated() -> None:
    assert licence_of("Name: a\nLicense: MIT OR GPL-3.0-only\n", []) == "MIT OR GPL-3.0-only"


GPL_TEXT = "GNU GENERAL PUBLIC LICENSE Version 3, 29 June 2007 Everyone is permitted to copy"


@pytest.mark.parametrize(
    ("texts", "manifests", "expected"),
    [
        ([MIT_TEXT], {"package.json": '{"license": "GPL-3.0"}'}, "MIT"),
        ([GPL_TEXT + " ... third party: " + MIT_TEXT], {}, "GPL-3.0-only"),
        (["Commons Clause License Condition v1.0 ... " + MIT_TEXT], {}, "LicenseRef-unrecognised"),
        ([MIT_TEXT + " ... The Software shall be used for Good, not Evil."], {}, "LicenseRef-unrecognised"),
        ([ISC_TEXT + " for any purpose with or without fee is hereby granted"], {}, "ISC"),
        ([ISC_TEXT + " for educational, research and non-profit purposes,\nwithout fee"], {}, "LicenseRef-unrecognised"),
        ([BSD3_TEXT + " ... for academic, non-commercial use"], {}, "LicenseRef-unrecognised"),
        ([BSD3_TEXT + " ... for commercial and non-commercial purposes"], {}, "BSD-3-Clause"),
        ([MIT_TEXT, "Ask us."], {}, "LicenseRef-unrecognised AND MIT"),
        ([], {"package.json": '{"license": {"type": "MIT"}}', "Cargo.toml": '[package]\nlicense = "MIT/GPL-3.0"'}, "MIT AND MIT/GPL-3.0"),
        ([], {"pyproject.toml": f'[project]\nlicense = {{text = """{MIT_TEXT}\n"""}}'}, "MIT"),
        ([], {"pyproject.toml": '[project]\nlicense = {text = """Ask us\nfirst"""}'}, "LicenseRef-unrecognised"),
        ([], {"package.json": "{"}, ""),
        ([" "], {}, ""),
    ],
)
def test_licence_of_repository(texts: list[str], manifests: dict[str, str], expected: str) -> None:
    assert licence_of_repository(texts, manifests) == expected
