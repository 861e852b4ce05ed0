"""Reads small CSV tables that params.yaml names, whole or not at all: an error names the broken line.

in: a path  out: (line, {column: text}) of every row

A line holds one row. A field that continues on the next line would be legal CSV, but in these tables it is a quotation mark too many, which
would swallow every row up to the next one.
"""

import csv
import io
from pathlib import Path

from snowcoder.errors import ParameterError


def read_rows(path: Path, setting: str) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """(columns, rows with their line numbers) of a CSV in UTF-8; empty lines are skipped.

    setting: the parameter that names the table, for messages. Raises ParameterError for a file that cannot be read, is not UTF-8, holds
    NUL, has two columns of one name, a quotation mark not closed in its line, or a row that is shorter or longer than the header.
    """
    reader = csv.reader(io.StringIO(_text(path, setting), newline=""), strict=True)
    columns: list[str] = []
    rows = []
    line = 0
    try:
        for cells in reader:
            line, end = line + 1, reader.line_num
            if end > line:
                raise ParameterError(f"{path}:{line}: found a field over several lines; close its quotation mark on line {line}")
            if not any(cell.strip() for cell in cells) and len(cells) <= 1:
                continue
            if not columns:
                columns = _columns(cells, f"{path}:{line}")
            elif len(cells) != len(columns):
                found = f"{len(cells)} fields; allowed: {len(columns)} ({', '.join(columns)})"
                raise ParameterError(
                    f"{path}:{line}: found {found}, separated by commas; put a field that contains a comma in quotation marks"
                )
            else:
                rows.append((line, dict(zip(columns, cells, strict=True))))
    except csv.Error as error:
        raise ParameterError(f"{path}:{line + 1}: not CSV ({error}); check the quotation marks on this line") from error
    return columns, rows


def _text(path: Path, setting: str) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ParameterError(f"{path}: cannot be read ({error.strerror}); {setting} names this table") from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ParameterError(f"{path}:{line}: found bytes that are not UTF-8; save the table as UTF-8") from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise ParameterError(f"{path}:{line}: found a NUL character; save the table as UTF-8 text")
    return text


def _columns(cells: list[str], where: str) -> list[str]:
    columns = [cell.strip() for cell in cells]
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise ParameterError(f"{where}: columns: found {', '.join(map(repr, twice))} more than once; name each column once")
    return columns
