"""Writes what the terminal shows after grading: the score, and warnings of whatever makes it mean less than it seems to.

in: summary of grade_samples.py   out: lines
"""

import sys
from collections.abc import Iterator
from typing import Any

MAX_NAMED = 10


def remarks(benchmark: str, summary: dict[str, Any], advice: str) -> list[str]:
    """The score comes last. advice: what to do about samples that do not parse."""
    unparsed = [unparsed_remark(benchmark, summary["unparsed"], summary["samples"], advice)] if summary["unparsed"]["samples"] else []
    return [*unparsed, *_problems(benchmark, summary), *_repeated(benchmark, summary), _score(benchmark, summary)]


def unparsed_remark(name: str, unparsed: dict[str, int], n_samples: int, advice: str) -> str:
    """`N of M samples do not parse; K hold an end token, J a code fence`, and what to do."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    held = f"{unparsed['end_token']} hold an end token, {unparsed['code_fence']} a code fence"
    return f"{name}: {unparsed['samples']} of {n_samples} samples do not parse (Python {version}); {held}; {advice}"


def _problems(benchmark: str, summary: dict[str, Any]) -> Iterator[str]:
    missing = summary["problems_without_sample"]
    if missing:
        named = ", ".join(missing[:MAX_NAMED]) + (f" and {len(missing) - MAX_NAMED} more" if len(missing) > MAX_NAMED else "")
        yield f"{benchmark}: {len(missing)} of {summary['base']['problems']} problems have no sample and count as failed: {named}"
    for name, reason in summary["base"].get("not_estimated", {}).items():
        yield f"{benchmark}: {name} is not estimated: {reason}"


def _repeated(benchmark: str, summary: dict[str, Any]) -> Iterator[str]:
    repeated = summary["repeated"]
    ks = [name for name in summary["base"] if name.startswith("pass@") and name != "pass@1"]
    if not repeated["samples"] or not ks:
        return
    sampled = summary["base"]["problems"] - len(summary["problems_without_sample"])
    if repeated["problems_with_one_text"] == sampled:
        yield (
            f"{benchmark}: all samples of each problem are the same text, as in greedy decoding: {', '.join(ks)} "
            "adds nothing to pass@1; draw samples at a temperature above 0"
        )
    else:
        yield (
            f"{benchmark}: {repeated['samples']} of {summary['samples']} samples repeat another of their problem; "
            f"{repeated['problems_with_one_text']} of {sampled} problems have one text only"
        )


def _score(benchmark: str, summary: dict[str, Any]) -> str:
    """pass@k of the benchmark's own tests (base) and of all tests (plus)."""
    parts = []
    for name in ("base", "plus"):
        found = summary[name]
        low, high = found["ci95"]
        more = "".join(f", {key} {100 * found[key]:.1f}%" for key in found if key.startswith("pass@") and key != "pass@1")
        parts.append(f"{name} pass@1 {100 * found['pass@1']:.1f}% ({100 * low:.1f} to {100 * high:.1f}){more}")
    return f"{benchmark}: {'; '.join(parts)}; {summary['samples']} samples of {summary['base']['problems']} problems"
