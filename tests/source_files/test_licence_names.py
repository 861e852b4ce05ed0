"""snowcoder.source_files.licences: common names of permissive licences."""

import pytest

from snowcoder.source_files.licences import PERMISSIVE, spdx_id


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("MIT License", "MIT"),
        ("the MIT licence.", "MIT"),
        ("Licensed under the terms of the MIT license", "MIT"),
        ("“MIT”", "MIT"),
        ("Apache\u20112.0", "Apache-2.0"),
        ("Python Software Foundation License Version 2", "PSF-2.0"),
        ("MIT/X11", "MIT"),
        ("MIT No Attribution", "MIT-0"),
        ("Apache 2.0", "Apache-2.0"),
        ("Apache-2", "Apache-2.0"),
        ("Apache2", "Apache-2.0"),
        ("apache_2.0", "Apache-2.0"),
        ("Apache License Version 2.0", "Apache-2.0"),
        ("Apache Software License", "Apache-2.0"),
        ("Apache License (2.0)", "Apache-2.0"),
        ("Apache License 2.0 (Apache-2.0)", "Apache-2.0"),
        ("New BSD License", "BSD-3-Clause"),
        ("Modified BSD", "BSD-3-Clause"),
        ("BSD 3-Clause", "BSD-3-Clause"),
        ("BSD License (3-clause)", "BSD-3-Clause"),
        ("BSD_3_clause", "BSD-3-Clause"),
        ('BSD 3-Clause "New" or "Revised" License', "BSD-3-Clause"),
        ('BSD 2-Clause "Simplified" License', "BSD-2-Clause"),
        ("BSD License", "BSD"),
        ("License :: OSI Approved :: ISC License (ISCL)", "ISC"),
        ("License :: OSI Approved :: The Unlicense (Unlicense)", "Unlicense"),
        ("License :: CC0 1.0 Universal (CC0 1.0) Public Domain Dedication", "CC0-1.0"),
        ("License :: OSI Approved :: Historical Permission Notice and Disclaimer (HPND)", "HPND"),
        ("zlib/libpng License", "Zlib"),
        ("https://opensource.org/licenses/MIT", "MIT"),
        ("http://www.opensource.org/licenses/mit-license.php", "MIT"),
        ("https://spdx.org/licenses/BSD-3-Clause.html", "BSD-3-Clause"),
        ("http://www.apache.org/licenses/LICENSE-2.0.txt", "Apache-2.0"),
        ("UNLICENSED", None),
        ("BSL 1.1", None),
        ("BSD-like", None),
        ("MIT (GPL)", None),
        ("MIT OR Apache-2.0", None),
        ("http://www.apache.org/licenses/LICENSE-1.0", None),
        ("https://opensource.org/licenses/GPL-3.0", None),
        ("License", None),
        ("", None),
    ],
)
def test_spdx_id(name: str, expected: str | None) -> None:
    assert spdx_id(name) == expected


def test_every_identifier_is_its_own_name_in_any_case() -> None:
    assert {identifier: spdx_id(identifier.upper()) for identifier in PERMISSIVE} == {identifier: identifier for identifier in PERMISSIVE}
