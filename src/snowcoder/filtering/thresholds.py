"""What a file may be, by language: StarCoder2's thresholds as defaults (params) and the languages that differ from them (this table).

Sources: StarCoder2 (arXiv 2402.19173, section 3.1) for lines, alphabetic fraction, encoded runs, data formats and HTML; min_words is ours.
A `None` switches a rule off for the language.
"""

from dataclasses import dataclass, replace

from pydantic import Field

from snowcoder.params import ParamsModel


class FilterParams(ParamsModel):
    """Thresholds of the rules, for languages the table below does not name.

    max_lines: lines of a file.
    max_mean_line_chars, max_line_chars: mean and longest length of a line.
    max_markup_line_chars: longest line of markup (HTML, text), which has no limit on the mean.
    min_alphabetic_fraction: letters / characters.
    max_encoded_run_chars: characters of one base64, hexadecimal or \\u-escape run.
    max_encoded_fraction: characters in such runs / characters.
    max_data_lines: lines of a JSON, YAML or text file.
    min_html_text_chars, min_html_text_fraction: visible text of an HTML file, and its part of the file.
    min_words: whitespace-separated words; below 10 a file is a licence line, a re-export or nothing (`__init__.py`), and teaches nothing.
    mask: replace emails, public IP addresses and secrets in what is kept.
    """

    max_lines: int = Field(default=100_000, gt=0)
    max_mean_line_chars: float = Field(default=100.0, gt=0)
    max_line_chars: int = Field(default=1000, gt=0)
    max_markup_line_chars: int = Field(default=100_000, gt=0)
    min_alphabetic_fraction: float = Field(default=0.25, ge=0, le=1)
    max_encoded_run_chars: int = Field(default=1024, gt=0)
    max_encoded_fraction: float = Field(default=0.5, ge=0, le=1)
    max_data_lines: int = Field(default=512, gt=0)
    min_html_text_chars: int = Field(default=100, ge=0)
    min_html_text_fraction: float = Field(default=0.2, ge=0, le=1)
    min_words: int = Field(default=10, ge=0)
    mask: bool = True


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The thresholds that hold for one language; None: the rule does not."""

    max_lines: int
    max_mean_line_chars: float | None
    max_line_chars: int
    min_alphabetic_fraction: float | None
    max_encoded_run_chars: int
    max_encoded_fraction: float
    min_words: int
    min_html_text_chars: int | None = None
    min_html_text_fraction: float | None = None
    must_parse_python: bool = False


# Prose wraps where it likes, and templates put a whole tag on a line: a long line says nothing there.
MARKUP = frozenset({"html", "text"})
DATA = frozenset({"json", "text", "yaml"})
# A notebook is JSON with cells inside: its lines are the cells', its letters too.
ANY_ALPHABET = frozenset({"jupyter-notebook"})


def thresholds_of(language: str, params: FilterParams) -> Thresholds:
    """The thresholds for files of `language`."""
    chosen = Thresholds(
        max_lines=params.max_data_lines if language in DATA else params.max_lines,
        max_mean_line_chars=None if language in MARKUP else params.max_mean_line_chars,
        max_line_chars=params.max_markup_line_chars if language in MARKUP else params.max_line_chars,
        min_alphabetic_fraction=None if language in ANY_ALPHABET else params.min_alphabetic_fraction,
        max_encoded_run_chars=params.max_encoded_run_chars,
        max_encoded_fraction=params.max_encoded_fraction,
        min_words=params.min_words,
        must_parse_python=language == "python",
    )
    if language == "html":
        return replace(chosen, min_html_text_chars=params.min_html_text_chars, min_html_text_fraction=params.min_html_text_fraction)
    return chosen
