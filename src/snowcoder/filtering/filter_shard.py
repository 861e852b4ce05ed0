"""Filters one shard of measured files by opt-outs, licences and rules; kept files get their masked content.

in: a table of MEASURED_SCHEMA  out: tables `kept` (SOURCE_FILE_SCHEMA; n_bytes and content_sha256 follow the masked content) and
`rejected` (REJECTED_SCHEMA), both in the order of the input; a summary of counts.

rejected.rule: the first that the file breaks: opted_out, licence_class, then those of snowcoder.filtering.rules in their order;
value and threshold: as measured and as allowed (null for the first two); rules: all that it breaks, separated by spaces.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from snowcoder.filtering.measuring import MASKED_COLUMNS
from snowcoder.filtering.opt_out import OptOut, read_opt_out
from snowcoder.filtering.rights_accounts import COUNTS, count_rights, describe_rights
from snowcoder.filtering.rules import RULES, FilterParams, Findings, Thresholds, find_broken, load_thresholds
from snowcoder.pipeline.execution import ShardResult
from snowcoder.source_files.licences import licence_class
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA
from snowcoder.storage.metrics import row_accounts

_IDENTITY = ("file_id", "repository", "path", "language", "n_bytes", "licence")
REJECTED_SCHEMA = pa.schema(
    [
        *(SOURCE_FILE_SCHEMA.field(name) for name in _IDENTITY),
        pa.field("rule", pa.string()),
        pa.field("value", pa.float64()),
        pa.field("threshold", pa.float64()),
        pa.field("rules", pa.string()),
    ]
)


@dataclass(frozen=True)
class Filter:
    """All that decides whether a file is kept."""

    thresholds: Thresholds
    opt_out: OptOut
    licence_classes: frozenset[str]
    mask: bool


def load_filter(params: FilterParams) -> Filter:
    """The filter that params and the files they name describe. Raises ParameterError."""
    return Filter(load_thresholds(params), read_opt_out(params.opt_out), frozenset(params.licence_classes), params.mask)


def filter_shard(files: pa.Table, chosen: Filter) -> ShardResult:
    """Pure: the same table and filter give the same result, in any process."""
    findings = find_broken(files, chosen.thresholds)
    origins = files.select(list(_IDENTITY)).to_pylist()
    broken = [_broken_rules(row, findings, at, chosen) for at, row in enumerate(origins)]
    kept = _masked(files.filter(pa.array([not rules for rules in broken], pa.bool_())), chosen.mask)
    rejected = [_rejected_row(row, rules, findings, at) for at, (row, rules) in enumerate(zip(origins, broken, strict=True)) if rules]
    tables = {"kept": kept.select(SOURCE_FILE_SCHEMA.names), "rejected": pa.Table.from_pylist(rejected, REJECTED_SCHEMA)}
    return ShardResult(
        tables, _summary(files, kept, [rules for rules in broken if rules], chosen.mask) | count_rights(origins, chosen.opt_out)
    )


def merge_summaries(summaries: Iterable[dict[str, Any]], opt_out: OptOut) -> dict[str, Any]:
    """The stage's metrics: row accounts, rows by language, replacements by kind, bytes in and out, licences, opt-outs.

    by_rule: rule -> {files that break it, files that break no other}, so that an order of rules hides nothing.
    licences, opt_out: see snowcoder.filtering.rights_accounts.
    """
    names = ("dropped", "broken", "alone", "masked", "rows_in", "rows_out", "bytes_in", "bytes_out", *COUNTS)
    totals: dict[str, Counter[str]] = {name: Counter() for name in names}
    for summary in summaries:
        for name, counts in totals.items():
            counts.update(summary[name])
    rows_in, rows_out, alone = totals["rows_in"], totals["rows_out"], totals["alone"]
    return {
        **row_accounts(rows_in.total(), rows_out.total(), totals["dropped"]),
        "by_rule": {rule: {"files": n, "files_alone": alone[rule]} for rule, n in sorted(totals["broken"].items())},
        "by_language": {
            language: {"rows_in": n, "rows_out": rows_out[language], "bytes_out": totals["bytes_out"][language]}
            for language, n in sorted(rows_in.items())
        },
        "masked": dict(totals["masked"]),
        "bytes_in": totals["bytes_in"].total(),
        "bytes_out": totals["bytes_out"].total(),
        **describe_rights(totals, opt_out, totals["broken"]["opted_out"]),
    }


def _broken_rules(row: dict[str, Any], findings: Findings, at: int, chosen: Filter) -> list[str]:
    rules = ["opted_out"] if row["repository"] in chosen.opt_out else []
    if licence_class(row["licence"]) not in chosen.licence_classes:
        rules.append("licence_class")
    return rules + [rule for number, rule in enumerate(RULES) if findings.broken[number, at]]


def _rejected_row(row: dict[str, Any], rules: list[str], findings: Findings, at: int) -> dict[str, Any]:
    value = threshold = None
    if rules[0] in RULES:
        number = RULES.index(rules[0])
        value, threshold = float(findings.values[number, at]), float(findings.thresholds[number, at])
    return row | {"rule": rules[0], "value": value, "threshold": threshold, "rules": " ".join(rules)}


def _masked(kept: pa.Table, mask: bool) -> pa.Table:
    """The rows with their masked content in place, and what follows from it."""
    if not mask:
        return kept
    rows = zip(*(kept[name].to_pylist() for name in ("content", "masked_content", "n_bytes", "content_sha256")), strict=True)
    contents, sizes, digests = [], [], []
    for content, masked, n_bytes, digest in rows:
        encoded = None if masked is None else masked.encode()
        contents.append(content if masked is None else masked)
        sizes.append(n_bytes if encoded is None else len(encoded))
        digests.append(digest if encoded is None else hashlib.sha256(encoded).hexdigest())
    for name, values in (("content", contents), ("n_bytes", sizes), ("content_sha256", digests)):
        kept = kept.set_column(
            kept.schema.get_field_index(name), SOURCE_FILE_SCHEMA.field(name), [pa.array(values, SOURCE_FILE_SCHEMA.field(name).type)]
        )
    return kept


def _summary(files: pa.Table, kept: pa.Table, broken: list[list[str]], mask: bool) -> dict[str, Any]:
    replaced = {name.removeprefix("masked_"): sum(kept[name].to_pylist()) for name in MASKED_COLUMNS} if mask else {}
    return {
        "dropped": Counter(rules[0] for rules in broken),
        "broken": Counter(rule for rules in broken for rule in rules),
        "alone": Counter(rules[0] for rules in broken if len(rules) == 1),
        "masked": {kind: count for kind, count in replaced.items() if count},
        "rows_in": Counter(files["language"].to_pylist()),
        "rows_out": Counter(kept["language"].to_pylist()),
        "bytes_in": _bytes_by_language(files),
        "bytes_out": _bytes_by_language(kept),
    }


def _bytes_by_language(files: pa.Table) -> Counter[str]:
    counts: Counter[str] = Counter()
    for language, n_bytes in zip(files["language"].to_pylist(), files["n_bytes"].to_pylist(), strict=True):
        counts[language] += n_bytes
    return counts
