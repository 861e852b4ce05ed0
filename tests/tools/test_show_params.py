"""The reference of parameters: every field is documented, shown with its value, and fits the terminal."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from snowcoder.configuration.sections import SECTIONS
from snowcoder.pipeline.params import ParamsModel, read_yaml
from tools.show_params import reference

ROOT = Path(__file__).resolve().parents[2]


def models(parent: type[BaseModel] = ParamsModel) -> Iterator[type[BaseModel]]:
    """Every parameter model of the package, wherever it is."""
    for path in (ROOT / "src").rglob("*.py"):
        if "(ParamsModel)" in path.read_text():
            importlib.import_module(".".join(path.relative_to(ROOT / "src").with_suffix("").parts))
    yield from (model for model in _below(parent) if model.__module__.startswith("snowcoder."))


def _below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for child in model.__subclasses__():
        yield child
        yield from _below(child)


def test_every_field_of_every_model_has_a_sentence_about_it() -> None:
    fields = [(model, name, field) for model in models() for name, field in model.model_fields.items()]
    assert len(fields) > 200
    for model, name, field in fields:
        assert re.fullmatch(r"\S.{8,}\.", (field.description or "").replace("\n", " ")), (
            f"{model.__name__}.{name}: a docstring below the field"
        )


def test_there_is_one_way_to_document_a_field() -> None:
    """As the test above cannot tell a docstring from a description."""
    described = [path for path in (ROOT / "src").rglob("*.py") if re.search(r"Field\([^)]*description=", path.read_text())]
    assert described == []


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_fits_the_terminal_and_names_every_value(section: str, width: int) -> None:
    params = read_yaml(ROOT / "params.yaml")
    text = reference(section, params, width)
    assert max(map(len, text.splitlines())) <= width
    for key in params[section]:
        assert re.search(rf"^  {key}\b", text, re.M), key


def test_items_are_shown_together_and_fields_of_several_kinds_once() -> None:
    params = {
        "pretrain": {"shared": {"cpu_threads": 3}, "variants": {name: {"seed": seed} for name, seed in (("a", 1), ("b", 2), ("c", 1))}}
    }
    text = reference("pretrain", params, 120)
    assert "\n  shared.cpu_threads = 3\n    a whole number above 0\n    Threads of torch" in text
    assert "\n  variants.<name>.seed = 1 (a, c), 2 (b)\n" in text
    corpus = reference("fetch_corpus", {"fetch_corpus": {"source": "one", "sources": {"one": {"kind": "jsonl", "path": "x"}}}}, 120)
    assert "\n  sources.<name>.path [kind: jsonl, parquet] = x\n" in corpus
    assert "Its fields are those of sources.<name>." in corpus
