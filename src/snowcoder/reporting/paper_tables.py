"""The paper's own Tables 2 to 6 (arXiv 2409.02326v1), and which of their differences the choice of problems explains.

The paper prints percentages; the size of each benchmark gives the number of solved problems. Every figure is from one greedy run, and
only the choice of problems is judged. What another training seed would change comes on top. The paper does not print
how two models pair over the problems, so the test is the unpaired one (two_proportions_p_value): a paired one on the same problems could
detect somewhat smaller differences.

Also the figures that the report sets next to ours. Table 1: the model. Section 2: tokens.
"""

from dataclasses import dataclass

from snowcoder.reporting.document import Table
from snowcoder.statistics.paired import two_proportions_p_value

SOURCE = "Arctic-SnowCoder, arXiv 2409.02326v1"
PROBLEMS = {"HumanEval+": 164, "MBPP+": 378, "EvoEval": 500, "BigCodeBench": 1140}
SIGNIFICANT = 0.05
EXPLAINED = "more than the choice of problems explains"  # head of a column that says yes or no
Rates = dict[str, tuple[float, ...]]  # row -> percent solved, by benchmark

# Table 2, columns of PROBLEMS; the rows of Tables 3 to 6 have no BigCodeBench
TABLE_2: Rates = {
    "StableCode-3B": (26.2, 43.9, 18.6, 25.9),
    "StarCoder2-3B": (27.4, 49.2, 19.0, 21.4),
    "Granite-Code-Base-3B": (29.3, 45.8, 19.8, 20.0),
    "CodeGemma-2B v1.0": (18.3, 46.3, 15.4, 23.9),
    "CodeGemma-2B v1.1": (32.3, 48.9, 19.8, 28.0),
    "Qwen1.5-1.8B": (19.5, 28.3, 5.0, 6.3),
    "Qwen2-1.5B": (31.1, 38.4, 17.2, 16.5),
    "DeepSeek-Coder-1.3B": (28.7, 48.1, 19.2, 22.2),
    "StarCoderBase-3B": (17.7, 36.8, 11.6, 5.9),
    "SmolLM-1.7B": (15.9, 34.7, 10.0, 2.5),
    "Phi-1.5-1.3B": (31.7, 43.7, 20.6, 14.3),
    "SnowCoder-alpha": (14.0, 27.8, 7.4, 10.3),
    "SnowCoder-beta": (21.3, 34.7, 12.8, 12.3),
    "SnowCoder": (28.0, 42.9, 18.0, 19.4),
}
TABLE_3: Rates = {"by repository": (10.4, 25.9, 7.0), "by language, then repository": (15.9, 27.8, 7.4)}
TABLE_4: Rates = {
    "none (alpha)": (15.9, 27.8, 7.4),
    "random": (12.8, 23.3, 8.0),
    "EDU": (16.5, 22.2, 10.4),
    "INS": (18.3, 29.9, 10.4),
    "HQ": (16.5, 26.7, 9.2),
    "HQINS": (18.3, 33.1, 11.6),
}
TABLE_5: Rates = {"linear": (16.5, 30.4, 9.8), "constant": (18.3, 31.7, 9.4), "re-warm-up": (18.3, 33.1, 11.6)}
TABLE_6: Rates = {
    "1 x 10B": (18.3, 33.1, 11.6),
    "1 x 50B": (14.0, 33.6, 9.6),
    "2 x 25B": (19.5, 34.7, 9.2),
    "3 x 16.7B": (18.9, 34.4, 11.2),
    "4 x 12.5B": (21.3, 32.5, 12.8),
    "5 x 10B": (17.7, 36.0, 10.4),
}
# Table 4: HumanEval pass@1 in percent of 10B tokens chosen by each annotator
TABLE_4_HUMANEVAL = {"EDU": 19.5, "INS": 21.3, "HQ": 19.5, "HQINS": 22.0, "random": 15.9}
# our variant -> the paper's model, and its tokens
MODELS = {
    "general": ("SnowCoder-alpha", "500B"),
    "continued": ("SnowCoder-beta", "500B + 50B"),
    "enhanced": ("SnowCoder", "550B + 5B"),
}
N_PARAMETERS = 1_364_000_000  # derived from Table 1
N_UNIQUE_TOKENS = 400_000_000_000
PHASE_TOKENS = {"general": 500_000_000_000, "continued": 50_000_000_000, "enhanced": 5_000_000_000}
SELECTED_TOKENS = 12_500_000_000  # four repeats of them
SYNTHETIC_TOKENS = 2_000_000_000
N_LANGUAGES = 18
VOCABULARY = 64_000
TABLES: dict[str, Rates] = {"2": TABLE_2, "3": TABLE_3, "4": TABLE_4, "5": TABLE_5, "6": TABLE_6}
# (table, row, row that it is set above)
CLAIMS = (
    *(("2", "SnowCoder", other) for other in TABLE_2 if other != "SnowCoder"),
    ("2", "SnowCoder-beta", "SnowCoder-alpha"),
    ("3", "by language, then repository", "by repository"),
    *(("4", "HQINS", other) for other in TABLE_4 if other != "HQINS"),
    *(("5", "re-warm-up", other) for other in TABLE_5 if other != "re-warm-up"),
    *(("6", "4 x 12.5B", other) for other in TABLE_6 if other != "4 x 12.5B"),
)


@dataclass(frozen=True)
class PaperComparison:
    """solved: of all problems of all benchmarks of the table, by the first and the second. p_values: by benchmark; pooled: of the sums."""

    table: str
    first: str
    second: str
    solved: tuple[int, int]
    total: int
    p_values: dict[str, float]
    pooled: float

    @property
    def is_explained(self) -> bool:
        """The sums differ by no more than the choice of problems explains."""
        return self.pooled > SIGNIFICANT


def compare_in_paper() -> list[PaperComparison]:
    """Every difference that the paper draws a conclusion from."""
    return [_compare(*claim) for claim in CLAIMS]


def _compare(table: str, first: str, second: str) -> PaperComparison:
    rows = TABLES[table]
    names = list(PROBLEMS)[: len(rows[first])]
    counts = [[solved(rate, PROBLEMS[name]) for rate, name in zip(rows[row], names, strict=True)] for row in (first, second)]
    p_values = {name: two_proportions_p_value(a, b, PROBLEMS[name], PROBLEMS[name]) for name, a, b in zip(names, *counts, strict=True)}
    total, sums = sum(PROBLEMS[name] for name in names), (sum(counts[0]), sum(counts[1]))
    return PaperComparison(table, first, second, sums, total, p_values, two_proportions_p_value(*sums, total, total))


def solved(percent: float, problems: int) -> int:
    """How many problems a printed percentage stands for."""
    return round(percent * problems / 100)


def explained_words(is_explained: bool) -> str:
    """The cell of a column EXPLAINED."""
    return "no" if is_explained else "yes"


def paper_differences_table() -> Table:
    """Each comparison with its p-values."""
    rows = []
    for one in compare_in_paper():
        difference = one.solved[0] - one.solved[1]
        cells = [f"{one.p_values[name]:.3f}" if name in one.p_values else "-" for name in PROBLEMS]
        rows.append(
            [
                one.table,
                one.first,
                one.second,
                f"{difference:+d} of {one.total:,}",
                *cells,
                f"{one.pooled:.4f}",
                explained_words(one.is_explained),
            ]
        )
    columns = ["table", "model or setting", "against", "problems solved", *[f"p {name}" for name in PROBLEMS], "p of the sums", EXPLAINED]
    caption = (
        "The paper's own differences: two-sided p-values of two proportions, from its printed percentages. All of the paper's figures are "
        "from one training run each: the difference of another seed comes on top."
    )
    return Table(columns, rows, caption, text_columns=3)
