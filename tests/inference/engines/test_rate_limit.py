from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.inference.engines.rate_limit import (
    FIRST_WAIT_S,
    LONGEST_REQUESTED_S,
    LONGEST_WAIT_S,
    backoff_s,
    duration_s,
    requested_wait_s,
)

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"), [("20ms", 0.02), ("1s", 1), ("6m0s", 360), ("1h2m3.5s", 3723.5), ("7", 7), ("", 0), ("soon", 0), ("1s later", 0)]
)
def test_durations(text: str, seconds: float):
    assert duration_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"retry-after": "2.5"}, 2.5),
        ({"retry-after": "Thu, 01 Jan 2026 12:00:30 GMT"}, 30),
        ({"retry-after": "Thu, 01 Jan 2026 11:00:00 GMT"}, 0),
        ({"retry-after": "later"}, 0),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "2s"}, 2),
        ({"x-ratelimit-remaining-requests": "1", "x-ratelimit-reset-requests": "2s"}, 0),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "1m", "retry-after": "3"}, 60),
        ({"retry-after": "1e400"}, 0),
        ({"retry-after": "nan"}, 0),
        ({"retry-after": "1e9"}, LONGEST_REQUESTED_S),
        ({"retry-after": "Thu, 01 Jan 2026 12:00:30 +99999999999999999999"}, 0),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "9" * 400 + "s"}, 0),
    ],
)
def test_what_headers_ask_for(headers: dict[str, str], seconds: float):
    assert requested_wait_s(headers, NOW) == seconds


@given(st.integers(1, 1000))
def test_backoff_grows_to_a_bound(failures: int):
    assert 0 <= backoff_s(failures) <= min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(failures, 60))
