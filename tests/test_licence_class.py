"""snowcoder.licence_class: three classes of SPDX expressions."""

import pytest

from snowcoder.licence_class import licence_class


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("MIT", "permissive"),
        ("mit", "permissive"),
        ("BSD", "permissive"),
        ("MIT AND BSD-3-Clause", "permissive"),
        ("GPL-3.0-or-later OR MIT", "permissive"),
        ("(MIT AND MPL-2.0) OR Apache-2.0", "permissive"),
        ("MIT AND LGPL-2.1-or-later", "other"),
        ("MPL-2.0", "other"),
        ("Our own terms", "other"),
        ("", "unknown"),
        (None, "unknown"),
        ("NOASSERTION", "unknown"),
    ],
)
def test_licence_class(expression: str | None, expected: str) -> None:
    assert licence_class(expression) == expected
