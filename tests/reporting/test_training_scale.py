"""Tokens per parameter and arithmetic, next to the paper's."""

from snowcoder.reporting.contents import compose
from snowcoder.reporting.results import Results
from snowcoder.reporting.training_scale import scale_finding, training_flops


def test_flops_by_hand() -> None:
    assert training_flops(1000, 50) == 300_000.0


def test_the_sentence_has_both_sides_by_hand(results: Results) -> None:
    told = scale_finding(results)
    # 6M of 7,012,352 parameters: 0.856; 500B of 1.364B: 366.6; 6 x 7,012,352 x 7.9M = 3.3e14; 6 x 1.364B x 555B = 4.5e21
    assert "0.86 tokens per parameter (6M for 7.01M), the paper's 367" in told
    assert "3.3e+14 FLOPs, the paper's 4.5e+21, 14M times as many" in told
    assert told in compose(results).findings
