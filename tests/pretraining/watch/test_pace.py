"""What was done since the last report, and a line a minute."""

import pytest

from snowcoder.pretraining.watch.pace import Pace
from snowcoder.pretraining.watch.throughput import Interval
from tests.pretraining.watch.steps import make_step


def test_reports_hold_what_was_done_since_the_last_one() -> None:
    reports: list[tuple[int, Interval]] = []
    pace = Pace(lambda step, interval: reports.append((step.number, interval)))
    for number in range(11, 46):  # resumed after 10 steps
        pace.see(make_step(number, n_steps=45))
    assert [number for number, _ in reports] == [20, 40, 45]
    assert [interval.tokens for _, interval in reports] == [1000, 2000, 500]
    assert [interval.elapsed_s for _, interval in reports] == [10, 20, 5]
    assert reports[1][1].input_wait_s == pytest.approx(2.0)


def test_a_line_a_minute_says_how_long_it_still_takes(capsys: pytest.CaptureFixture[str]) -> None:
    pace = Pace(lambda *_: None)
    for number in range(11, 31):
        pace.see(make_step(number, elapsed_s=12.5))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4  # of the steps 15, 20, 25 and 30
    assert "step 15/1000: loss 3.000, 3 h 25 min left" in lines[0]  # 985 steps of 12.5 s
