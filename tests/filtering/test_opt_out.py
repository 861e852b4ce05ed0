"""snowcoder.filtering.opt_out and .repository_names: entries as owners write them, normalised like repository names."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.errors import ParameterError
from snowcoder.filtering.opt_out import N_UNMATCHED, OptOut, make_opt_out, read_opt_out

REPOSITORY = [
    "owner/name",
    "Owner/NAME",
    " owner/name ",
    "'owner/name'",
    "owner/name/",
    "owner/name.git",
    "owner/name.git/",
    "owner/name/*",
    "owner/name/tree/main",
    "https://github.com/owner/name",
    "HTTPS://www.GitHub.com/Owner/Name.git/",
    "<https://github.com/owner/name>",
    "https://github.com/owner/name/tree/main/src",
    "https://github.com/owner/name/blob/main/x.py#L3",
    "https://github.com/owner/name?tab=readme",
    "https://user:token@github.com/owner/name",
    "https://api.github.com/repos/owner/name",
    "https://raw.githubusercontent.com/owner/name/main/a.py",
    "github.com/owner/name",
    "git@github.com:owner/name.git",
    "ssh://git@github.com:22/owner/name.git",
    "git+https://github.com/owner/name.git",
    "git://github.com/owner/name",
    "git@gitlab.com:owner/name.git",
    "git@github.com/owner/name",
    "ssh://git@github.com:owner/name.git",
    "github:owner/name",
    "https://gitlab.com/owner/name/-/tree/main",
    "https://bitbucket.org/owner/name/src/main/",
    "https://git.example.org/owner/name.git",
    "git.example.org/owner/name",
    "gitlab.example.org/owner/name/-/tree/main",
    "https://huggingface.co/datasets/owner/name/tree/main",
    "huggingface.co/owner/name",
    "hf.co/datasets/owner/name",
    "datasets/owner/name",
    "https://github.com/owner/name.",
]
OWNER = [
    "owner/*",
    "owner/all",
    "@owner",
    "https://github.com/owner",
    "https://github.com/owner/",
    "https://github.com/owner?tab=repositories",
    "https://github.com/orgs/owner/repositories",
    "github.com/Owner",
    "https://gitlab.com/owner",
    "github:owner",
]
NEVER = [
    *("", "*", "*/*", "*/name", "all", "none", "nan", "-", "...", "n/a", "?"),
    *("own er/name", "owner/na*e", "owner/*/x", "owner/..", "a;b", "#x"),
    *("owner\\name", "owner/name, other/x", "https://", "https://github.com/", "https://owner.github.io/name", "https://example.com/name"),
]


def named(entry: str, *repositories: str) -> list[bool]:
    listed = make_opt_out([(entry, [])])
    return [repository in listed for repository in repositories]


@pytest.mark.parametrize("entry", REPOSITORY)
def test_a_repository_is_named(entry: str) -> None:
    assert named(entry, "owner/name", "owner/other", "other/name", "owner", "name") == [True, False, False, False, False]


@pytest.mark.parametrize("entry", OWNER)
def test_an_owner_is_named(entry: str) -> None:
    assert named(entry, "owner/name", "Owner/other", "owners/name", "name/owner", "owner") == [True, True, False, False, False]


@pytest.mark.parametrize("entry", ["owner", "Owner", "owner/", '"owner"'])
def test_a_bare_name_is_an_owner_and_a_repository_without_one(entry: str) -> None:
    assert named(entry, "owner/name", "owner", "owners", "name/owner") == [True, True, False, False]


@pytest.mark.parametrize("entry", ["typing_extensions", "https://pypi.org/project/Typing.Extensions/"])
def test_a_distribution_is_named_in_any_spelling(entry: str) -> None:
    assert named(entry, "typing-extensions", "typing") == [True, False]


@pytest.mark.parametrize("repository", [text for text in REPOSITORY if not text.endswith("*")])
def test_repositories_of_the_data_are_read_the_same_way(repository: str) -> None:
    assert repository in make_opt_out([("owner/name", [])])
    assert repository in make_opt_out([("owner", [])])
    assert repository not in make_opt_out([("name", []), ("other/name", [])])


def test_groups_within_groups() -> None:
    assert named("https://gitlab.com/group/sub/name", "group/sub/name", "group/sub", "group/name") == [True, False, False]
    assert named("group/sub/*", "group/sub/name", "group/sub", "group/other") == [True, True, False]
    assert named("group", "group/sub/name") == [True]


@pytest.mark.parametrize("entry", NEVER)
def test_what_can_never_match_is_refused_with_its_line(entry: str, tmp_path: Path) -> None:
    path = tmp_path / "opt_out.csv"
    quoted = entry.replace('"', '""')
    path.write_text(f'repository,reason\nowner/name,\n"{quoted}",asked\n')
    with pytest.raises(ParameterError, match=r"opt_out\.csv:3: repository: found .*, which can never match; allowed: owner/name"):
        read_opt_out(str(path))


def test_former_names_count_for_their_entry(tmp_path: Path) -> None:
    path = tmp_path / "opt_out.csv"
    path.write_text("reason,repository,former_names\nasked,new/name,old/name; https://github.com/older/name  @oldest\n,other/x,\n")
    listed = read_opt_out(str(path))
    assert [listed.find(name) for name in ("new/name", "old/name", "older/name", "oldest/x", "other/x", "old/x")] == [
        *([0], [0], [0], [0], [1], [])
    ]
    path.write_text("repository,former_names\nnew/name,old/*/name\n")
    with pytest.raises(ParameterError, match=r":2: former_names: found 'old/\*/name', which can never match"):
        read_opt_out(str(path))


def test_columns_are_named_and_an_empty_list_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "opt_out.csv"
    path.write_text("repository;reason\nowner/name;asked\n")
    with pytest.raises(ParameterError, match=r"columns: found 'repository;reason'; allowed: repository.*separated by commas"):
        read_opt_out(str(path))
    path.write_text("repository,reason\n")
    assert read_opt_out(str(path)).entries == read_opt_out(None).entries == ()


def test_metrics_name_the_first_entries_without_match() -> None:
    listed = make_opt_out((f"owner{number}", []) for number in range(N_UNMATCHED + 5))
    described = listed.describe({1: 7}, 7)
    assert described["entries"] == N_UNMATCHED + 5
    assert described["matched_files"] == 7
    assert described["entries_without_match"]["count"] == N_UNMATCHED + 4
    assert described["entries_without_match"]["first"][:2] == ["owner0", "owner2"]
    assert len(described["entries_without_match"]["first"]) == N_UNMATCHED


@given(st.text(max_size=40))
def test_no_repository_of_the_data_is_an_error(repository: str) -> None:
    assert (repository in make_opt_out([("owner/name", []), ("owner", [])])) in (True, False)
    assert repository not in OptOut()


@pytest.mark.parametrize("entry", ["my.group/*", "@my.group", "my.group/part/*", "my.group/part/name", "my.group/part/name/-/tree/main"])
def test_a_group_with_a_dot_is_no_host_alone(entry: str) -> None:
    assert named(entry, "my.group/part/name", "https://gitlab.com/my.group/part/name", "your.group/x/name") == [True, True, False]
    assert named("my.group/name/tree/main", "my.group/name") == [True]


def test_hosts_that_the_data_states_without_a_scheme() -> None:
    assert named("owner/name", "git.example.org/owner/name", "huggingface.co/datasets/owner/name", "datasets/name") == [True, True, False]
    assert named("datasets/name", "datasets/name", "github.com/datasets/name") == [True, True]


@pytest.mark.parametrize("entry", ["https://pypi.org/p/some.name", "https://pypi.python.org/pypi/Some_Name/1.0"])
def test_addresses_of_a_distribution(entry: str) -> None:
    assert named(entry, "some-name", "some-name/other") == [True, False]


@pytest.mark.parametrize("column", ["former_name", "Former Names", "previous_names", "old names"])
def test_a_misspelt_column_of_former_names_is_refused(tmp_path: Path, column: str) -> None:
    table = tmp_path / "opt_out.csv"
    table.write_text(f"repository,{column}\nowner/name,owner/earlier\n")
    with pytest.raises(ParameterError, match=f"{column!r}; earlier names are read from former_names"):
        read_opt_out(str(table))


def test_former_names_may_be_separated_by_commas(tmp_path: Path) -> None:
    table = tmp_path / "opt_out.csv"
    table.write_text('repository,former_names\nowner/name,"a/b, c/d"\n')
    listed = read_opt_out(str(table))
    assert [name in listed for name in ("a/b", "c/d", "owner/name", "a/d")] == [True, True, True, False]
