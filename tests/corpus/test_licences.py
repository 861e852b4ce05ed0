"""snowcoder.corpus.licences: metadata and texts to SPDX."""

import pytest

from snowcoder.corpus.licences import licence_of

MIT_TEXT = "Permission is hereby granted, free of charge, to any person obtaining a copy"
BSD2_TEXT = "Redistribution and use in source and binary forms, with or without\nmodification, are permitted"
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
