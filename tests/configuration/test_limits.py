"""No number of params.yaml is so large that a stage would not end, or so odd that it decides nothing: each is refused with its maximum."""

import copy
import math
from typing import Any

import pytest

from tests.configuration.changed_params import PARAMS, changed, faults, places

NUMBERS = {path: value for path, value in places() if isinstance(value, int | float) and not isinstance(value, bool)}
JSONL = {"kind": "jsonl", "path": "data", "columns": {"content": "text"}}


def all_set_to(value: Any) -> list[str]:
    """The faults of params.yaml with each of its numbers set to `value`."""
    raw = copy.deepcopy(PARAMS)
    for path in NUMBERS:
        holder = raw
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = value
    return faults(raw)


def untold(told: list[str], *found: str) -> list[str]:
    """The numbers of which no fault says that one of `found` was found, and what is allowed."""
    dotted = map(".".join, NUMBERS)
    return [name for name in dotted if not any(fault.startswith(f"{name}: found {one}; allowed: ") for fault in told for one in found)]


@pytest.mark.parametrize("value", [10**19, 10**30, -(10**18)])
def test_every_number_has_a_maximum(value: int) -> None:
    assert untold(all_set_to(value), str(value), str(float(value))) == []


@pytest.mark.parametrize(("value", "found"), [(math.nan, ".nan"), (math.inf, ".inf"), (-math.inf, "-.inf"), (1e300, "1e+300")])
def test_every_number_is_finite(value: float, found: str) -> None:
    assert untold(all_set_to(value), found) == []


def test_every_seed_is_a_whole_number_from_0() -> None:
    seeds = [path for path in NUMBERS if path[-1].endswith("seed")]
    told = all_set_to(-1)
    assert len(seeds) > 10
    assert [path for path in seeds if not any(fault.startswith(f"{'.'.join(path)}: found -1; allowed: a whole") for fault in told)] == []


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        (
            {"measure_bits_per_byte__resamples": 10**18},
            "measure_bits_per_byte.resamples: found 1000000000000000000; allowed: a whole number above 0 and at most 1000000",
        ),
        (
            {"embed_files__cpu_threads": 1025},
            "embed_files.cpu_threads: found 1025; allowed: a whole number from 1 to 1024",
        ),
        (
            {"initialize_model__hidden_size": 2**21},
            "initialize_model.hidden_size: found 2097152; allowed: a whole number above 0 and at most 1048576",
        ),
        (
            {"generate_completions__window_tokens": 10**16},
            "generate_completions.window_tokens: found 10000000000000000; allowed: a whole number above 1 and at most 1000000000000000, or",
        ),
        (
            {"split_files__seed": 2**63},
            "split_files.seed: found 9223372036854775808; allowed: a whole number from 0 to 9223372036854775807",
        ),
        (
            {"fetch_corpus__source": JSONL | {"sample": {"fraction": 0.5, "seed": -1}}},
            "fetch_corpus.source.sample.seed: found -1; allowed: a whole number from 0 to 9223372036854775807",
        ),
        ({"accept_documents__max_seed_containment": {"extractive": -1}}, "accept_documents.max_seed_containment.extractive: found -1; "),
        ({"accept_documents__max_seed_containment": {"extractive": math.nan}}, "accept_documents.max_seed_containment.extractive: found ."),
        ({"select_files__rules__selected__min_score": -(10.0**16)}, "select_files.rules.selected.min_score: found -1e+16; allowed: a num"),
        ({"report": {"variants": 5}}, "report: unknown section; "),
    ],
)
def test_what_is_beyond_a_limit_is_told_with_it(values: dict[str, Any], fault: str) -> None:
    told = faults(changed(**values))
    assert any(one.startswith(fault) for one in told), told


def test_a_share_of_one_seed_is_no_seed() -> None:
    generation = {"prompt": "instruct-1", "seed_unit": "lines", "max_seed_bytes": 4000, "samples_per_seed": 10**18, "python_fraction": 0.5}
    generation |= {"max_new_tokens": 64, "temperature": 0.8, "top_p": 0.95, "seed": 1}
    told = faults(changed(synthesize_documents__generation=generation))
    assert any("generation.samples_per_seed: found 1000000000000000000; allowed: a whole number above 0" in fault for fault in told), told
