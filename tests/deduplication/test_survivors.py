import pytest

from snowcoder.deduplication.survivors import licence_class, rank_file

BASE = {"licence": "MIT", "popularity": 0.5, "repository": "m", "path": "m/m.py", "file_id": "m"}


@pytest.mark.parametrize(
    "licence", ["MIT", "mit", "Apache-2.0", "BSD-3-Clause", "PSF-2.0", "GPL-3.0-only OR MIT", "(MIT AND Zlib)", "CC0-1.0 and isc"]
)
def test_permissive_licences(licence):
    assert licence_class(licence) == 0


@pytest.mark.parametrize("licence", ["", "unknown", "GPL-3.0-only", "MIT AND GPL-3.0-only", "LGPL-2.1-or-later", "MITX"])
def test_other_licences(licence):
    assert licence_class(licence) == 1


@pytest.mark.parametrize(
    "worse",
    [
        {"licence": "GPL-3.0-only", "popularity": 1.0},
        {"popularity": 0.4, "repository": "a"},
        {"repository": "n", "path": "a.py"},
        {"path": "n.py", "file_id": "a"},
        {"file_id": "n"},
    ],
)
def test_each_criterion_goes_before_the_next(worse):
    assert rank_file(BASE) < rank_file(BASE | worse)
