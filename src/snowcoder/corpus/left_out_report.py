"""Reports the files and rows that a source left out: how many, why, with examples, and which setting to change.

in: LeftOut  out: lines for the terminal, the message of an empty result, and what of it goes into the metrics.
"""

from collections import Counter
from typing import Any

from snowcoder.corpus.repository_limits import LeftOut

MAX_REASONS = 4
MAX_VALUES = 20
MAX_SHOWN_CHARS = 50
# Left out as the parameters ask: expected losses
ASKED_FOR = frozenset({"over_files_per_repository", "over_bytes_per_repository", "repository_not_taken", "not_sampled"})
# What to change in params.yaml, by reason; the others are faults of the data
_ADVICE = {
    "language_not_taken": "change {section}.languages, or, if these values are not languages, source.columns",
    "language_unknown": "name source.columns.language or source.columns.path, or set source.language for all rows",
    "too_large": "raise {section}.max_file_bytes",
    "no_content": "check source.columns.content",
    "no_files": "check source.rows",
    "malformed_row": "check that the files match source.kind",
    "malformed_value": "under source.columns, name a column of text",
    "unsafe_path": "check source.columns.path",
    "unsafe_repository": "check source.columns.repository",
    "repository_not_taken": "change {section}.only_repositories",
    "not_sampled": "raise source.sample.fraction or change source.sample.seed",
    "outside_repositories": "check source.depth",
    "over_bytes_per_repository": "raise {section}.max_bytes_per_repository",
    "over_files_per_repository": "raise {section}.max_files_per_repository",
}


def left_out_lines(skipped: LeftOut, section: str, unit: str) -> list[str]:
    """One line for each thing that a person should know; an unexpected loss of more than half of the input comes first."""
    lines = []
    n_lost = sum(count for reason, count in skipped.items() if reason not in ASKED_FOR)
    if skipped.total():
        line = f"{section}: {skipped.total()} of {skipped.n_seen} {unit} left out: {describe_reasons(skipped)}"
        lines.append(f"WARNING: MOST OF THE INPUT IS LEFT OUT. {line}; {advice(skipped, section)}" if 2 * n_lost > skipped.n_seen else line)
    if skipped.files_not_read:
        lines.append(f"{section}: files of the folder that are not read: {_counts(skipped.files_not_read)}")
    if skipped.values_ignored:
        lines.append(f"{section}: unusable values count as unknown: {_counts(skipped.values_ignored)}")
    return [*lines, *(f"WARNING: {section}: {note}" for note in skipped.notes)]


def empty_message(skipped: LeftOut, section: str, unit: str) -> str:
    """Why nothing is left, and what to change."""
    if not skipped.n_seen:
        return " ".join([f"{section}: no file is left: the source has no {unit}", *skipped.notes])
    message = f"{section}: no file is left of {skipped.n_seen} {unit}: {describe_reasons(skipped)}; {advice(skipped, section)}"
    return "; ".join([message, *skipped.notes])


def left_out_metrics(skipped: LeftOut) -> dict[str, Any]:
    """languages_not_taken: the commonest values that are no language of the corpus; files_not_read; values_ignored: where there are any."""
    languages = skipped.examples.get("language_not_taken", Counter())
    found = {
        "languages_not_taken": dict(_commonest(languages)[:MAX_VALUES]),
        "files_not_read": dict(skipped.files_not_read),
        "values_ignored": dict(skipped.values_ignored),
    }
    return {name: counts for name, counts in found.items() if counts}


def describe_reasons(skipped: LeftOut) -> str:
    """The largest reasons with their commonest example: `language_not_taken 290 (for example 'Perl' 200, 'Ada' 90), too_large 6`."""
    reasons = _commonest(+skipped)
    texts = [f"{reason} {count}{_example(skipped, reason)}" for reason, count in reasons[:MAX_REASONS]]
    others = reasons[MAX_REASONS:]
    if others:
        texts.append(f"{sum(count for _, count in others)} for {len(others)} other reasons")
    return ", ".join(texts)


def advice(skipped: LeftOut, section: str) -> str:
    """What to change for the largest unexpected reason, else for the largest."""
    reasons = [reason for reason, _ in _commonest(+skipped)]
    largest = next((reason for reason in reasons if reason not in ASKED_FOR), reasons[0])
    return _ADVICE.get(largest, f"{largest} is a property of the data: see metrics/{section}.json").format(section=section)


def _example(skipped: LeftOut, reason: str) -> str:
    examples = _commonest(skipped.examples.get(reason, Counter()))
    if not examples:
        return ""
    shown = [f"{_short(value)} {count}" for value, count in examples[:3]] if examples[0][1] > 1 else [_short(examples[0][0])]
    return f" (for example {', '.join(shown)})"


def _short(value: str) -> str:
    return repr(value) if len(value) <= MAX_SHOWN_CHARS else f"{value[:MAX_SHOWN_CHARS]!r}…"


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in _commonest(counts)[:MAX_VALUES])


def _commonest(counts: Counter[str]) -> list[tuple[str, int]]:
    """By count, then by name, so that the order of arrival does not matter."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
