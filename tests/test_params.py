"""Bad parameters: every message names file, field, what was found and what is allowed."""

from pathlib import Path

import pytest
from pydantic import Field

from snowcoder.errors import ParameterError
from snowcoder.params import ParamsModel, load_item, load_section


class Shared(ParamsModel):
    cpu_threads: int = Field(gt=0)


class Item(ParamsModel):
    seed: int
    peak_learning_rate: float = Field(gt=0)


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    return path


def test_exponents_without_a_point_are_numbers(tmp_path: Path) -> None:
    path = write(tmp_path, "general: {seed: 1, peak_learning_rate: 1e-05}\n")
    assert load_section("general", Item, path).peak_learning_rate == 1e-5


def test_items_beside_shared_keys(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "pretrain:\n  cpu_threads: 2\n  general: {seed: 1, peak_learning_rate: 0.1}\n  other: {seed: 2, peak_learning_rate: 0.2}\n",
    )
    shared, item = load_item("pretrain", "other", Shared, Item, path)
    assert (shared.cpu_threads, item.seed) == (2, 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [unclosed", "not valid YAML"),
        ("- 1", "expected a mapping of sections, found list"),
        ("other: {}", "section pretrain is missing; sections found: other"),
        ("pretrain: 3", "pretrain: expected a mapping, found 3"),
        (
            "pretrain: {cpu_thread: 2, general: {seed: 1, peak_learning_rate: 0.1}}",
            r"pretrain\.cpu_thread: unknown parameter \(found 2\); allowed: cpu_threads",
        ),
        ("pretrain: {cpu_threads: two, general: {seed: 1, peak_learning_rate: 0.1}}", r"pretrain\.cpu_threads: .*integer.*\(found 'two'\)"),
        ("pretrain: {cpu_threads: 0, general: {seed: 1, peak_learning_rate: 0.1}}", r"pretrain\.cpu_threads: .*greater than 0 \(found 0\)"),
        ("pretrain: {cpu_threads: 2, general: {seed: 1}}", r"pretrain\.general\.peak_learning_rate: missing"),
        ("pretrain: {cpu_threads: 2, general: {sed: 1, peak_learning_rate: 1.0}}", r"pretrain\.general\.sed: unknown parameter"),
        ("pretrain: {cpu_threads: 2}", r"pretrain\.general: missing; items found: none"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ParameterError, match=message) as caught:
        load_item("pretrain", "general", Shared, Item, path)
    assert str(path) in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"nowhere\.yaml: not found"):
        load_section("a", Item, tmp_path / "nowhere.yaml")
