"""The rules, as data: a rule is a threshold named `min_<signal>` or `max_<signal>`, and a table of the languages it differs for.

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
from snowcoder.licences import LicenceClass
from snowcoder.pipeline.params import ExistingPath, ParamsModel

EXCEPTION_COLUMNS = ("language", "threshold", "value", "source")
Fraction = Field(ge=0, le=1)
Positive = Field(gt=0)


class FilterParams(ParamsModel):
    """Which files are kept. A threshold of null switches its rule off, for every language; the thresholds stand in the order of the rules.

    exceptions: CSV with columns language, threshold, value (empty: off), source.
    opt_out: CSV of repositories and owners that must not be used, see snowcoder.filtering.opt_out; null: none.
    licence_classes: classes of licences (snowcoder.licences) that are kept.
    mask: replace emails, public IP addresses and secrets in what is kept.
    min_words: below ten a file is a licence line, a re-export or nothing (`__init__.py`), and teaches nothing.
    The others are named after their signal: see snowcoder.filtering.signals.
    """

    exceptions: ExistingPath
    opt_out: ExistingPath | None
    licence_classes: list[LicenceClass] = Field(min_length=1)
    mask: bool
    min_words: int | None = Field(ge=0)
    max_lines: int | None = Positive
    max_line_chars: int | None = Positive
    max_mean_line_chars: float | None = Positive
    max_generated_marker_line: int | None = Field(ge=0)
    max_generated_name: int | None = Field(ge=0)
    max_xml_declaration: int | None = Field(ge=0)
    min_alphabetic_fraction: float | None = Fraction
    max_digit_fraction: float | None = Fraction
    max_whitespace_fraction: float | None = Fraction
    max_replacement_fraction: float | None = Fraction
    max_encoded_run_chars: int | None = Positive
    max_encoded_fraction: float | None = Fraction
    min_visible_text_chars: int | None = Field(ge=0)
    min_visible_text_fraction: float | None = Fraction
    max_repeated_line_fraction: float | None = Fraction
    max_repeated_5gram_fraction: float | None = Fraction
    max_repeated_6gram_fraction: float | None = Fraction
    max_repeated_10gram_fraction: float | None = Fraction
    max_comment_fraction: float | None = Fraction
    max_import_line_fraction: float | None = Fraction
    max_print_line_fraction: float | None = Fraction
    max_pass_line_fraction: float | None = Fraction
    max_assert_line_fraction: float | None = Fraction
    max_syntax_error_line: int | None = Field(ge=0)


# Beside the thresholds of params: stand-ins in the code of a Python file would change what it does.
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
