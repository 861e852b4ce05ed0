"""snowcoder.filtering.rights_accounts and .emptiness: reports on licences, opt-outs and an empty result."""

import json

import pyarrow as pa
import pytest

from snowcoder.filtering.emptiness import explain_rejections
from snowcoder.filtering.filter_shard import REJECTED_SCHEMA, filter_shard, load_filter, merge_summaries
from snowcoder.filtering.opt_out import OptOut, make_opt_out
from snowcoder.filtering.rights_accounts import N_COMMONEST, count_rights, describe_opt_out
from tests.filtering.rows import measured, params

CODE = '"""Adds two numbers for the report of the year."""\n\n\ndef add(left, right):\n    return left + right\n'


def test_the_twenty_commonest_licences_of_class_other_are_named() -> None:
    rows = [{"repository": "r", "licence": f"Terms {number:02}"} for number in range(25) for _ in range(25 - number)]
    rows += [{"repository": "r", "licence": licence} for licence in ("MIT", "", "x " * 200)]
    halves = [json.loads(json.dumps(count_rights(part, OptOut()))) for part in (rows[:100], rows[100:])]
    zeros = {name: {} for name in ("dropped", "broken", "alone", "masked", "rows_in", "rows_out", "bytes_in", "bytes_out")}
    licences = merge_summaries([zeros | half for half in halves], OptOut())["licences"]
    assert licences["files"] == {"other": 326, "permissive": 1, "unknown": 1}
    assert licences["other"]["distinct"] == 26
    assert len(licences["other"]["commonest"]) == N_COMMONEST == 20
    assert licences["other"]["commonest"][:2] == [{"licence": "Terms 00", "files": 25}, {"licence": "Terms 01", "files": 24}]


def test_opted_out_files_and_entries_without_match_are_counted() -> None:
    listed = make_opt_out([("https://github.com/r/x", []), ("nobody", []), ("r", [])])
    chosen = load_filter(params())
    chosen = type(chosen)(chosen.thresholds, listed, chosen.licence_classes, chosen.mask)
    result = filter_shard(measured([("python", CODE), ("css", CODE)], repository="r/x"), chosen)
    metrics = merge_summaries([json.loads(json.dumps(result.summary))], listed)
    expected = {"entries": 3, "matched_files": 2, "entries_without_match": {"count": 1, "first": ["nobody"]}}
    assert metrics["opt_out"] == expected
    assert metrics["dropped"] == {"opted_out": 2}
    assert describe_opt_out(expected, "o.csv") == "o.csv: 3 entries, 2 files left out, 1 entries without match: nobody"


@pytest.mark.parametrize(
    ("changes", "repository", "message"),
    [
        (
            {"licence_classes": ["permissive"]},
            "r",
            "filter_files.licence_classes: [permissive] (2 of 2 files; commonest found: 'Our terms' (2))",
        ),
        ({"licence_classes": ["other"], "min_words": 50}, "r", "filter_files.min_words: 50 (2 of 2 files; commonest found: 16 (1), 7 (1))"),
    ],
)
def test_an_empty_result_names_the_parameter(changes: dict[str, object], repository: str, message: str) -> None:
    chosen = params(**changes)
    files = measured([("python", CODE), ("python", "x = y + z + total\n")], repository, licence="Our terms")
    assert explain_rejections(filter_shard(files, load_filter(chosen)).tables["rejected"], chosen) == message


def test_an_empty_result_names_opt_outs_exceptions_and_masking() -> None:
    rejected = [
        *({"rule": "opted_out", "repository": "a/b", "licence": "MIT"} for _ in range(4)),
        *({"rule": "max_lines", "value": 9.0, "threshold": 5.0} for _ in range(3)),
        *({"rule": "max_replacements_in_code", "value": 1.0, "threshold": 0.0} for _ in range(2)),
        {"rule": "min_words", "value": 1.0, "threshold": 10.0},
    ]
    chosen = params(opt_out="data/opt_out.csv", exceptions="e.csv", max_lines=10)
    assert explain_rejections(pa.Table.from_pylist(rejected, REJECTED_SCHEMA), chosen).split("; ") == [
        "filter_files.opt_out: data/opt_out.csv (4 of 10 files",
        "commonest found: 'a/b' (4))",
        "filter_files.max_lines: 10, by e.csv 5 (3 of 10 files",
        "commonest found: 9 (3))",
        "filter_files.mask: true (2 of 10 files",
        "commonest found: 1 (2))",
        "1 more rules (1 files)",
    ]
