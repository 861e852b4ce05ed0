"""Decides when a server may be asked again: by its headers, or after a growing wait.

Headers: Retry-After (RFC 9110, seconds or a date), and OpenAI's x-ratelimit-remaining-* and x-ratelimit-reset-*
(`20ms`, `1s`, `6m0s`; https://platform.openai.com/docs/guides/rate-limits).
"""

import math
import random
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 60.0
LONGEST_REQUESTED_S = 86_400.0  # allowances come back within a day; a server that says more is asked again after a day
UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


def requested_wait_s(headers: Mapping[str, str], now: datetime | None = None) -> float:
    """Seconds until the server wants to be asked again, a day at most; 0 where its headers ask for no wait.

    headers: of any answer, names in lower case. An exhausted allowance (remaining 0) asks for a wait until its reset.
    """
    waits = [_retry_after_s(headers.get("retry-after", ""), now or datetime.now(UTC))]
    for kind in ("requests", "tokens"):
        if headers.get(f"x-ratelimit-remaining-{kind}", "").strip() == "0":
            waits.append(duration_s(headers.get(f"x-ratelimit-reset-{kind}", "")))
    return min(max((wait for wait in waits if math.isfinite(wait)), default=0.0), LONGEST_REQUESTED_S)


def duration_s(text: str) -> float:
    """Seconds of `6m0s`, `20ms`, or a bare number of seconds; 0 for anything else."""
    stripped = text.strip()
    if re.fullmatch(r"\d+(?:\.\d+)?", stripped):
        return float(stripped)
    if PART.sub("", stripped):
        return 0.0
    return sum(float(count) * UNITS_S[unit] for count, unit in PART.findall(stripped))


def backoff_s(failures: int) -> float:
    """What to wait after the `failures`-th failure in a row: exponential, with full jitter, so that clients do not come back together.

    Exempt from seeding: it decides when a request is made, never what it gives.
    """
    return random.uniform(0, min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0**failures))


def _retry_after_s(text: str, now: datetime) -> float:
    if not text:
        return 0.0
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(text) - now).total_seconds())
    except (ValueError, TypeError, OverflowError):  # neither seconds nor a date: as if it were not there
        return 0.0
