"""Allowed values are read from the types alone and described completely, in plain words."""

import datetime
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError, field_validator, model_validator

from snowcoder.pipeline.param_faults import closest, describe_allowed, describe_faults, shown
from snowcoder.pipeline.params import ExistingPath, ParamsModel

Fraction = Annotated[float, Field(ge=0, le=1)]


class Near(ParamsModel):
    kind: Literal["near"]
    depth: int = Field(default=1, ge=0, le=4)


class Far(ParamsModel):
    kind: Literal["far", "farther"]
    path: ExistingPath


AnyPlace = Annotated[Near | Far, Field(discriminator="kind")]


class Everything(ParamsModel):
    count: int = Field(gt=0)
    share: float | None = Field(ge=0, le=1)
    name: str = Field(min_length=1)
    shape: Literal["cosine", "linear"] = "cosine"
    place: AnyPlace
    places: list[AnyPlace] = Field(default=[], max_length=2)
    weights: dict[str, Fraction] = Field(default={})
    either: int | str = 1
    inner: Near | None = None
    spare: AnyPlace | None = None

    @model_validator(mode="after")
    def _not_named_after_the_shape(self) -> "Everything":
        if self.name == self.shape:
            raise ValueError(f"name: found {self.name}; allowed: another than the shape's")
        return self

    @field_validator("either")
    @classmethod
    def _not_seven(cls, either: int | str) -> int | str:
        if either == 7:
            raise ValueError("found 7; allowed: any other")
        return either


GOOD: dict[str, Any] = {"count": 1, "share": 0.5, "name": "x", "place": {"kind": "near"}}


def faults(**values: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        Everything.model_validate(GOOD | values)
    return describe_faults(caught.value, Everything, "section")


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"count": 0}, "section.count: found 0; allowed: a whole number above 0"),
        ({"count": 1.0}, "section.count: found 1.0; allowed: a whole number above 0"),
        ({"count": True}, "section.count: found true; allowed: a whole number above 0"),
        ({"count": datetime.date(2001, 2, 3)}, "section.count: found 2001-02-03; allowed: a whole number above 0"),
        ({"share": 1.5}, "section.share: found 1.5; allowed: a number from 0 to 1, or null"),
        ({"share": float("nan")}, "section.share: found .nan; allowed: a number from 0 to 1, or null"),
        ({"share": float("-inf")}, "section.share: found -.inf; allowed: a number from 0 to 1, or null"),
        ({"name": ""}, "section.name: found ''; allowed: text, not empty"),
        ({"shape": "Linear"}, "section.shape: found 'Linear'; did you mean linear? allowed: cosine, linear"),
        ({"place": {"kind": "nea"}}, "section.place.kind: found 'nea'; did you mean near? allowed: near, far, farther"),
        ({"place": {"knd": "near"}}, "section.place.kind: missing next to knd; allowed: near, far, farther"),
        ({"place": {}}, "section.place.kind: missing next to nothing; allowed: near, far, farther"),
        ({"place": "near"}, "section.place: found 'near'; allowed: a mapping with kind: near, far, farther"),
        ({"place": {"kind": "near", "depth": 5}}, "section.place.depth: found 5; allowed: a whole number from 0 to 4"),
        (
            {"place": {"kind": "near", "dept": 5}},
            "section.place.dept: unknown parameter (found 5); did you mean depth? allowed",
        ),
        ({"place": {"kind": "farther"}}, "section.place.path: missing; allowed: text"),
        ({"places": [{"kind": "far", "path": 1}]}, "section.places.0.path: found 1; allowed: text"),
        (
            {"places": [GOOD["place"]] * 3},
            "section.places: found [{'kind': 'near'}, {'kind': 'near'}, {'kind'",
        ),
        ({"weights": {"a": 2}}, "section.weights.a: found 2; allowed: a number from 0 to 1"),
        ({"weights": {1: 0.5}}, "section.weights: found the key 1; allowed: text"),
        ({"weights": [1]}, "section.weights: found [1]; allowed: a mapping of names, each to a number from 0 to 1"),
        ({"either": 7}, "section.either: found 7; allowed: any other"),
        ({"either": []}, "section.either: found []; allowed: a whole number or text"),
        ({"inner": {"kind": "near", "depth": -1}}, "section.inner.depth: found -1; allowed: a whole number from 0 to 4"),
        ({"spare": {"kind": "far", "path": 1}}, "section.spare.path: found 1; allowed: text"),
        ({"spare": {"kind": "fra"}}, "section.spare.kind: found 'fra'; did you mean far? allowed: near, far, farther"),
        ({"spare": 3}, "section.spare: found 3; allowed: a mapping with kind: near, far, farther, or null"),
        ({"name": "cosine"}, "section.name: found cosine; allowed: another than the shape's"),
        ({3: 4}, "section.3: found the key 3; allowed: text"),
    ],
)
def test_faults_in_the_user_s_terms(values: dict[Any, Any], fault: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Everything.model_validate(GOOD | values)
    (told, *_) = describe_faults(caught.value, Everything, "section")
    assert told.startswith(fault)


def test_a_misspelt_key_hides_that_the_right_one_is_missing_and_no_other() -> None:
    values = {key: value for key, value in GOOD.items() if key not in ("count", "share")}
    with pytest.raises(ValidationError) as caught:
        Everything.model_validate(values | {"cuont": 1})
    told = describe_faults(caught.value, Everything, "s")
    assert [fault.split(":")[0] for fault in told] == ["s.share", "s.cuont"]


def test_what_a_model_takes_is_the_names_of_its_fields() -> None:
    assert describe_allowed(Near) == "a mapping with kind, depth"
    assert describe_allowed(Near | None) == "a mapping with kind, depth, or null"
    assert describe_allowed(list[str], (Field(min_length=1).metadata[0],)) == "a list of texts (1 or more)"


def test_closest_looks_past_capitals_and_not_too_far() -> None:
    assert closest("hqins", ["EDU", "HQINS"]) == "HQINS"
    assert closest(7, ["EDU"]) is None


def test_large_and_odd_values_are_shown_shortly() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert shown("x" * 500) == "'" + "x" * 79 + "…"
    assert shown(10**5000) == "a int too large to show"
    assert shown(loop) == "[[...]]"
    assert (shown(None), shown(True), shown(float("inf"))) == ("null", "true", ".inf")


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers(), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(Everything.model_fields)), ANY)
def test_whatever_is_found_no_words_of_pydantic_s_are_shown(field: str, value: Any) -> None:
    try:
        Everything.model_validate(GOOD | {field: value})
    except ValidationError as error:
        told = describe_faults(error, Everything, "section")
        assert told
        for fault in told:
            assert fault.startswith(f"section.{field}")
            assert "allowed: " in fault
            assert "Input should" not in fault
