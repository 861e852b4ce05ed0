"""The filter rules as data: each is a threshold named `min_<signal>` or `max_<signal>`, with exceptions per language in a table.

in: the section filter_files of params.yaml (a threshold for all languages), data/filter_exceptions.csv (languages that differ), a table
of MEASURED_SCHEMA  out: which rules every row breaks.

Sources of the thresholds: StarCoder2 (arXiv 2402.19173, section 3.1) for lines, letters, encoded data, data formats, HTML and marks of
tools; The Stack's own filters for XML; OpenCoder (arXiv 2411.04905, its published filters) for digits, white space, broken characters,
repetition, comments, imports, prints, passes and asserts; min_words is ours.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from pydantic import Field

from snowcoder.errors import ParameterError
from snowcoder.filtering.csv_tables import read_rows
from snowcoder.pipeline.params import ExistingPath, ParamsModel
from snowcoder.source_files.licences import LicenceClass

EXCEPTION_COLUMNS = ("language", "threshold", "value", "source")
Fraction = Field(ge=0, le=1)
Positive = Field(gt=0)


class FilterParams(ParamsModel):
    """Which files are kept: a file below min_… or above max_… of a signal (snowcoder.filtering.signals) is rejected.

    A threshold of null switches its rule off, for every language; thresholds are in the order of the rules.
    """

    exceptions: ExistingPath
    """CSV with columns language, threshold, value (empty: off), source."""
    opt_out: ExistingPath | None
    """CSV of repositories and owners that must not be used (snowcoder.filtering.opt_out); null: none."""
    licence_classes: list[LicenceClass] = Field(min_length=1)
    """Classes of licences (snowcoder.source_files.licences) that are kept."""
    mask: bool
    """Whether emails, public IP addresses and secrets in kept files are replaced."""
    min_words: int | None = Field(ge=0)
    """Words; a file below ten is a licence line, a re-export or nothing (`__init__.py`), and teaches nothing."""
    max_lines: int | None = Positive
    """Lines (StarCoder2: 100,000)."""
    max_line_chars: int | None = Positive
    """Characters of the longest line (StarCoder2: 1,000)."""
    max_mean_line_chars: float | None = Positive
    """Mean characters of a line (StarCoder2: 100)."""
    max_generated_marker_line: int | None = Field(ge=0)
    """Line of a mark that a tool generated the file, 0 without one (StarCoder2: 0)."""
    max_generated_name: int | None = Field(ge=0)
    """1 for a name that only tools use, else 0."""
    max_xml_declaration: int | None = Field(ge=0)
    """1 with an XML declaration in the first 100 characters, else 0 (The Stack: 0)."""
    min_alphabetic_fraction: float | None = Fraction
    """Share of characters that are letters (StarCoder2: 0.25)."""
    max_digit_fraction: float | None = Fraction
    """Share of characters that are digits (OpenCoder)."""
    max_whitespace_fraction: float | None = Fraction
    """Share of characters that are white space (OpenCoder)."""
    max_replacement_fraction: float | None = Fraction
    """Share of characters that are U+FFFD, left by broken decoding (OpenCoder)."""
    max_encoded_run_chars: int | None = Positive
    """Characters of the longest run of encoded data (StarCoder2: 1,024)."""
    max_encoded_fraction: float | None = Fraction
    """Share of characters in runs of encoded data (StarCoder2: 0.5)."""
    min_visible_text_chars: int | None = Field(ge=0)
    """Characters of visible text, of HTML (StarCoder2: 100)."""
    min_visible_text_fraction: float | None = Fraction
    """Share of characters that are visible text, of HTML (StarCoder2: 0.2)."""
    max_repeated_line_fraction: float | None = Fraction
    """Share of lines that repeat an earlier one (OpenCoder)."""
    max_repeated_5gram_fraction: float | None = Fraction
    """Share of the words' characters in runs of 5 words that occurred earlier (OpenCoder)."""
    max_repeated_6gram_fraction: float | None = Fraction
    """Share of the words' characters in runs of 6 words that occurred earlier (OpenCoder)."""
    max_repeated_10gram_fraction: float | None = Fraction
    """Share of the words' characters in runs of 10 words that occurred earlier (OpenCoder)."""
    max_comment_fraction: float | None = Fraction
    """Share of characters in comment lines (OpenCoder)."""
    max_import_line_fraction: float | None = Fraction
    """Share of lines that import, of Python (OpenCoder)."""
    max_print_line_fraction: float | None = Fraction
    """Share of lines that print, of Python (OpenCoder)."""
    max_pass_line_fraction: float | None = Fraction
    """Share of lines that are `pass`, of Python (OpenCoder)."""
    max_assert_line_fraction: float | None = Fraction
    """Share of lines that assert, of Python (OpenCoder)."""
    max_syntax_error_line: int | None = Field(ge=0)
    """Line of the first syntax error, 0 without one, of Python."""


# Not among the thresholds of params: stand-ins in the code of a Python file would change what it does.
MASKING_RULE = "max_replacements_in_code"
RULES = (*(name for name in FilterParams.model_fields if name.startswith(("min_", "max_"))), MASKING_RULE)


@dataclass(frozen=True)
class Thresholds:
    """The threshold of every rule; None: the rule is off. exceptions: language -> the rules that differ for it."""

    default: dict[str, float | None]
    exceptions: dict[str, dict[str, float | None]]

    def of(self, language: str) -> dict[str, float | None]:
        """The thresholds that hold for a language."""
        return self.default | self.exceptions.get(language, {})


@dataclass(frozen=True)
class Findings:
    """Rules against rows. values, thresholds: float64[rules, rows], NaN where there is none; broken: bool[rules, rows]."""

    values: np.ndarray
    thresholds: np.ndarray
    broken: np.ndarray


def load_thresholds(params: FilterParams) -> Thresholds:
    """The thresholds of params with the exceptions of their table. Raises ParameterError naming the line at fault."""
    default: dict[str, float | None] = {rule: getattr(params, rule, None) for rule in RULES}
    default[MASKING_RULE] = 0 if params.mask else None
    exceptions = read_exceptions(Path(params.exceptions))
    active = {
        language: {rule: value for rule, value in rules.items() if default[rule] is not None} for language, rules in exceptions.items()
    }
    return Thresholds(default, active)


def read_exceptions(path: Path) -> dict[str, dict[str, float | None]]:
    """language -> {rule: threshold, None for off}. Raises ParameterError naming the line that is none."""
    columns, rows = read_rows(path, "filter_files.exceptions")
    if tuple(columns) != EXCEPTION_COLUMNS:
        raise ParameterError(f"{path}: columns: found {', '.join(map(repr, columns)) or 'none'}; allowed: {', '.join(EXCEPTION_COLUMNS)}")
    exceptions: dict[str, dict[str, float | None]] = {}
    for number, row in rows:
        if row["threshold"] not in RULES:
            raise ParameterError(f"{path}:{number}: threshold: found {row['threshold']!r}; allowed: {', '.join(RULES)}")
        rules = exceptions.setdefault(row["language"], {})
        if row["threshold"] in rules:
            raise ParameterError(f"{path}:{number}: {row['language']} has two rows for {row['threshold']}; keep one")
        rules[row["threshold"]] = _number(row["value"], f"{path}:{number}")
    return exceptions


def find_broken(files: pa.Table, thresholds: Thresholds) -> Findings:
    """Compare the signals of a table of MEASURED_SCHEMA with the thresholds; no content is read."""
    languages = files["language"].to_pylist()
    per_language = {language: thresholds.of(language) for language in set(languages)}
    values = np.array([files[signal_of(rule)].to_numpy().astype(float) for rule in RULES])
    bounds = np.array([[per_language[language][rule] for language in languages] for rule in RULES], dtype=float)  # None becomes NaN
    is_minimum = np.array([rule.startswith("min_") for rule in RULES])[:, None]
    with np.errstate(invalid="ignore"):  # what is NaN is not broken
        broken = np.where(is_minimum, values < bounds, values > bounds)
    return Findings(values, bounds, broken)


def signal_of(rule: str) -> str:
    """The signal that a rule looks at."""
    return rule.removeprefix("min_").removeprefix("max_")


def _number(text: str, where: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError as error:
        raise ParameterError(f"{where}: value: found {text!r}; allowed: a number, or nothing to switch the rule off") from error
