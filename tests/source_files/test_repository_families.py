"""snowcoder.source_files.repository_families: the name alone says which repositories stay together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.source_files.repository_families import repository_family


@pytest.mark.parametrize(
    ("repository", "family"),
    [
        ("jaraco-text", "jaraco"),
        ("jaraco.functools", "jaraco"),
        ("Jaraco_Collections", "jaraco"),
        ("google-cloud-storage", "google"),
        ("oslo.config", "oslo"),
        ("backports.zoneinfo", "backports"),
        ("django", "django"),
        ("django-debug-toolbar", "django"),
        ("validators", "validators"),
        ("Pallets/click", "pallets"),
        ("pallets/flask", "pallets"),
        ("group/subgroup/name", "group"),
        ("https://github.com/pallets/jinja/tree/main", "pallets"),
        ("git@gitlab.com:owner/name.git", "owner"),
        ("unknown/0123456789abcdef", "unknown/0123456789abcdef"),
        ("-", "-"),
    ],
)
def test_families_by_hand(repository: str, family: str) -> None:
    assert repository_family(repository) == family


@given(st.text(alphabet=st.characters(blacklist_categories=("Cc", "Cs")), min_size=1))
def test_every_name_has_a_family(repository: str) -> None:
    assert repository_family(repository)


@given(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.from_regex(r"[a-z]{1,8}", fullmatch=True))
def test_repositories_of_one_owner_are_one_family_and_distributions_of_one_namespace_too(first: str, second: str) -> None:
    assert repository_family(f"owner/{first}") == repository_family(f"owner/{second}") == "owner"
    assert repository_family(f"space-{first}") == repository_family(f"space.{second}") == "space"
