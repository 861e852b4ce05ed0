"""Reading params.yaml: broken YAML, wrong encodings and non-mappings are reported with their line; one section against its model."""

from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field

from snowcoder.errors import ParameterError
from snowcoder.pipeline.params import ParamsModel, item_names, load_item, load_items, load_section, read_yaml
from snowcoder.pipeline.references import ReadFrom


class Shared(ParamsModel):
    cpu_threads: int = Field(gt=0)


class Item(ParamsModel):
    seed: int
    peak_learning_rate: float = Field(gt=0)


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("written", ["1e-05", "1e-5", "1E-5", "1.0e-05", ".00001", "0.00001"])
def test_exponents_without_a_point_are_numbers(tmp_path: Path, written: str) -> None:
    path = write(tmp_path, f"general: {{seed: 1, peak_learning_rate: {written}}}\n")
    assert load_section("general", Item, path).peak_learning_rate == 1e-5


def test_a_quoted_number_is_text(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"general\.peak_learning_rate: found '1e-5'; allowed: a number above 0"):
        load_section("general", Item, write(tmp_path, 'general: {seed: 1, peak_learning_rate: "1e-5"}\n'))


def test_items_beside_shared_keys(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "pretrain:\n  shared: {cpu_threads: 2}\n  variants:\n"
        "    general: {seed: 1, peak_learning_rate: 0.1}\n    other: {seed: 2, peak_learning_rate: 0.2}\n",
    )
    shared, item = load_item("pretrain", "other", Shared, Item, path)
    assert (shared.cpu_threads, item.seed) == (2, 2)
    assert item_names("pretrain", path) == ["general", "other"]
    assert {name: one.seed for name, one in load_items("pretrain", Item, path).items()} == {"general": 1, "other": 2}
    assert load_section("pretrain.variants.general", Item, path).seed == 1


class Listed(ParamsModel):
    draws: list[int] = Field(default=[])
    counts: dict[str, int] = Field(default={})
    sample_seed: list[int] = Field(default=[])


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("draws: [1, 1001]", r"listed\.draws: found 1001; allowed: a list of whole numbers, each at most 1000$"),
        ("counts: {a: -1000000000000001}", r"found -1000000000000001; allowed: a mapping .*, each from -1000000000000000$"),
        ("sample_seed: [-1]", r"listed\.sample_seed: found -1; allowed: a list of whole numbers, each from 0$"),
    ],
)
def test_the_limit_of_what_a_list_or_mapping_holds_is_told(tmp_path: Path, field: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        load_section("listed", Listed, write(tmp_path, f"listed: {{{field}}}\n"))


class Reading(ParamsModel):
    of: str
    seed: Annotated[int, ReadFrom("pretrain.variants.{of}.seed")] = Field(gt=0)
    threads: Annotated[int, ReadFrom("pretrain.shared.cpu_threads")]


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("{of: othr}", r"reading\.of: found 'othr'; did you mean other\? allowed: general, other$"),
        (
            "{of: other, seed: 2}",
            r"reading\.seed: found 2; allowed: no such key, as pretrain\.variants\.other\.seed holds the value; ",
        ),
        ("{of: general}", r"params\.yaml: pretrain\.variants\.general\.seed: found 0; allowed: a whole number above 0$"),
        ("{off: other}", r"reading\.off: unknown parameter \(found 'other'\); did you mean of\? allowed: of$"),
    ],
)
def test_a_value_that_another_section_holds(tmp_path: Path, section: str, message: str) -> None:
    items = "pretrain: {shared: {cpu_threads: 2}, variants: {general: {seed: 0}, other: {seed: 2}}}\n"
    read = load_section("reading", Reading, write(tmp_path, f"{items}reading: {{of: other}}\n"))
    assert (read.seed, read.threads) == (2, 2)
    with pytest.raises(ParameterError, match=message):
        load_section("reading", Reading, write(tmp_path, f"{items}reading: {section}\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("other: {}", "section pretrain is missing; sections found: other"),
        ("pretrian: {}", r"section pretrain is missing; is it the misspelt pretrian\? sections found: pretrian"),
        ("1: {}\nnull: {}", "section pretrain is missing; sections found: 1, None"),
        ("pretrain: 3", "pretrain: expected a mapping, found 3"),
        ("pretrain:", "pretrain: expected a mapping, found null"),
        (
            "pretrain: {shared: {cpu_thread: 2}, variants: {general: {seed: 1, peak_learning_rate: 0.1}}}",
            r"pretrain\.shared\.cpu_thread: unknown parameter \(found 2\); did you mean cpu_threads\? allowed: cpu_threads",
        ),
        (
            "pretrain: {shared: {cpu_threads: two}, variants: {general: {seed: 1, peak_learning_rate: 0.1}}}",
            r"pretrain\.shared\.cpu_threads: found 'two'; allowed",
        ),
        (
            "pretrain: {shared: {cpu_threads: 0}, variants: {general: {seed: 1, peak_learning_rate: 0.1}}}",
            r"found 0; allowed: a whole number above 0",
        ),
        (
            "pretrain: {shared: {cpu_threads: 2}, variants: {general: {seed: 1, peak_learning_rate: .nan}}}",
            r"general\.peak_learning_rate: found \.nan; allowed",
        ),
        (
            "pretrain: {shared: {cpu_threads: 2}, variants: {general: {seed: 1, peak_learning_rate: 1e999}}}",
            r"general\.peak_learning_rate: found \.inf; allowed",
        ),
        (
            "pretrain: {shared: {cpu_threads: 2}, variants: {general: {seed: 1}}}",
            r"pretrain\.variants\.general\.peak_learning_rate: missing; allowed: a number above 0",
        ),
        (
            "pretrain: {shared: {cpu_threads: 2}, variants: {general: {sed: 1, peak_learning_rate: 1.0}}}",
            r"pretrain\.variants\.general\.sed: unknown .*you mean seed\?",
        ),
        (
            "pretrain: {shared: {cpu_threads: 2}, variants: {}}",
            r"pretrain\.variants\.general: missing; items found: none",
        ),
        (
            "pretrain: {shared: {cpu_threads: 2}}",
            r"pretrain: found shared; allowed: shared, and one mapping of items",
        ),
        ("pretrain: {cpu_threads: 2, general: {}}", r"pretrain: found cpu_threads, general; allowed: shared, and one mapping of items"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ParameterError, match=message) as caught:
        load_item("pretrain", "general", Shared, Item, path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"a: 1\nb: [unclosed\nc: 2\n",
            r"params\.yaml:3: not valid YAML: while parsing a flow sequence, expected ',' or '\]'",
        ),
        (b"a: 1\n\tb: 2\n", r"params\.yaml:2: not valid YAML: found a tab; allowed: blanks"),
        (b"a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n", r'params\.yaml:5: found duplicate key "c": occurs twice; keep one'),
        (b"a: 1\na: 1\n", r'params\.yaml:2: found duplicate key "a": occurs twice; keep one'),
        (b"a: 1\nb: caf\xe9\n", r"params\.yaml:2: not UTF-8 \(byte 0xe9\); save the file as UTF-8"),
        ("a: 1\n".encode("utf-16"), r"params\.yaml:1: not UTF-8 \(byte 0xff\)"),
        (b"a: \x01\n", "not valid YAML: unacceptable character #x0001"),
        (b"a: 2001-13-45\n", "not valid YAML: month must be in 1..12"),
        (b"a: " + b"9" * 5000, "not valid YAML: Exceeds the limit"),
        (b"a: " + b"[" * 3000, "not valid YAML: maximum recursion depth exceeded"),
        (b"? {a: 1}\n: 2\n", "params.yaml:1: not valid YAML: while constructing a mapping, found unhashable key"),
        (b"a: !!python/object:os.system 1\n", r"params\.yaml:1: not valid YAML: could not determine a constructor"),
        (b"a: 1\n---\nb: 2\n", r"params\.yaml:2: not valid YAML: expected a single document"),
        (b"", "expected a mapping of sections, found nothing"),
        (b"# a comment\n", "expected a mapping of sections, found nothing"),
        (b"- 1\n", "expected a mapping of sections, found list"),
        (b"text\n", "expected a mapping of sections, found str"),
    ],
)
def test_what_is_no_yaml_is_named_with_its_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(ParameterError, match=message):
        read_yaml(path)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes("a: é\n".encode("utf-8-sig"))
    assert read_yaml(path) == {"a": "é"}


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"nowhere\.yaml: not found"):
        load_section("a", Item, tmp_path / "nowhere.yaml")
    with pytest.raises(ParameterError, match="cannot be read: Is a directory"):
        read_yaml(tmp_path)
