"""Figures printed in the paper (Wei, Han, Samdani: Arctic-SnowCoder, arXiv 2409.02326v1), to compare with ours.

Table 2: pass@1, greedy, in percent. Table 1: the model. Section 2: tokens. Its scale is 1.36 billion parameters and 555 billion tokens.
"""

from dataclasses import dataclass

SOURCE = "Arctic-SnowCoder, arXiv 2409.02326v1"


@dataclass(frozen=True)
class PaperModel:
    """One row of Table 2. pass_at_1: benchmark -> percent."""

    name: str
    tokens: str
    pass_at_1: dict[str, float]


BENCHMARKS = ("HumanEval+", "MBPP+", "EvoEval", "BigCodeBench")
# our variant -> the paper's model
TABLE_2 = {
    "general": PaperModel("SnowCoder-alpha", "500B", dict(zip(BENCHMARKS, (14.0, 27.8, 7.4, 10.3), strict=True))),
    "continued": PaperModel("SnowCoder-beta", "500B + 50B", dict(zip(BENCHMARKS, (21.3, 34.7, 12.8, 12.3), strict=True))),
    "enhanced": PaperModel("SnowCoder", "550B + 5B", dict(zip(BENCHMARKS, (28.0, 42.9, 18.0, 19.4), strict=True))),
}
# Table 4: HumanEval pass@1 in percent of 10B tokens chosen by each annotator
TABLE_4_HUMANEVAL = {"EDU": 19.5, "INS": 21.3, "HQ": 19.5, "HQINS": 22.0, "random": 15.9}

N_PARAMETERS = 1_364_000_000  # derived from Table 1
N_UNIQUE_TOKENS = 400_000_000_000
PHASE_TOKENS = {"general": 500_000_000_000, "continued": 50_000_000_000, "enhanced": 5_000_000_000}
SELECTED_TOKENS = 12_500_000_000  # four repeats of them
SYNTHETIC_TOKENS = 2_000_000_000
N_LANGUAGES = 18
VOCABULARY = 64_000
