"""Turns IPython cells into Python: IPython's own commands become comments; every other character stays as it is.

in: text of one code cell  out: Python text with as many lines
A line is a command only where a statement can begin: not in a string, between brackets or after a backslash. Commands, as IPython's
TransformerManager knows them: `%magic`, `!shell`, `?help`, `help?`, the calls `,f a`, `;f a`, `/f a`, and what is assigned of them
(`files = !ls`); a backslash at the end of one takes the next line with it. A block that holds commands alone gets a `pass`.
A cell magic (`%%name`, after blank lines and comments) is followed by its body: Python for PYTHON_MAGICS, which keep it, and for
`%%writefile name.py`; another language for all others, which become comments as a whole, as do Databricks' cells `%md`, `%sh`, `%sql`.
As in IPython, prompts (`>>>`, `In [1]:`) and the indentation of a whole cell are taken off, and a cell of one line may be a magic without
its `%` (`pip install x`).
"""

import re
from collections.abc import Iterator, Sequence

# IPython's that run or time the body, and those of well-known extensions: https://ipython.readthedocs.io/en/stable/interactive/magics.html
PYTHON_MAGICS = frozenset(
    {"time", "timeit", "capture", "prun", "debug", "code_wrap", "python", "python3", "pypy", "px", "memit", "mprun", "lprun", "heat"}
    | {"snakeviz", "pyinstrument", "scalene", "ipytest", "run_pytest", "manim", "add_to", "wandb", "opts", "output", "skip", "notify"}
    | {"cache", "local", "black", "pycodestyle", "flake8", "mypy"}
)
_CELL_MAGIC = re.compile(r"[ \t]*%%(\w*)(.*)")
_OTHER_LANGUAGE = re.compile(r"[ \t]*%(?:(?:md|md-sandbox|sh|scala|fs|r)(?:\s|$)|sql\s*$)")  # Databricks: the whole cell
# Magics, and aliases of shell commands, that people write without `%`; `cd = 1`, `time * 2` and `ls in x` are Python.
_WITHOUT_SIGN = re.compile(
    r"(?:pip|conda|mamba|cd|ls|ll|cat|cp|mv|rm|mkdir|rmdir|man|less|more|matplotlib|pylab|load_ext|reload_ext|autoreload|run|time|timeit|env"
    r"|set_env|who|whos|reset|history|pdoc|pinfo|psource|store)[ \t]+(?!=|[-+*/%@|&^<>]+[\s=]|(?:in|is|and|or|not|if)\b)\S"
)
_PROMPTS = (
    (re.compile(r">>>( |$)"), re.compile(r"(?:>>>|\.\.\.)(?: |$)")),
    (re.compile(r"In \[\d+\]: "), re.compile(r"In \[\d+\]: |\s*\.{3,}: ?")),
)
_INDENTATION = re.compile(r"[ \t]*")
_PYTHON_FILE = re.compile(r"""(?:^|\s)["']?[^\s"']+\.py["']?\s*$""")
_COMMAND = re.compile(r"[ \t]*[%!?,;/]")
_ASSIGNED = re.compile(r"=[ \t]*[%!]")
_HELP = re.compile(r"[\w\])*]\s*\?\??$")
_STRING_START = re.compile(r"(?P<prefix>[A-Za-z]{0,2})(?P<quote>'''|\"\"\"|'|\")")
_PLAIN_TEXT = re.compile(r"[^'\"\\{}]+")
_WORD = re.compile(r"\w+")
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_TAB_COLUMNS = 8


def python_cell(text: str) -> str:
    """The cell as Python. Nothing is parsed: a cell that was broken stays so."""
    lines = text.split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")), len(lines))
    lines = _without_prompts(lines, first)
    if (len(lines) == 1 and _WITHOUT_SIGN.match(lines[0])) or (first < len(lines) and _OTHER_LANGUAGE.match(lines[first])):
        return "\n".join(map(_comment, lines))
    magic = _CELL_MAGIC.match(lines[first]) if first < len(lines) else None
    if magic is None:
        return "\n".join(_without_commands(lines))
    head, body = [*lines[:first], _comment(lines[first])], lines[first + 1 :]
    name, arguments = magic.groups()
    if name in ("writefile", "file") and _PYTHON_FILE.search(arguments):
        return "\n".join([*head, *body])
    if name not in PYTHON_MAGICS:
        return "\n".join([*head, *map(_comment, body)])
    return "\n".join([*head, python_cell("\n".join(body))] if body else head)


def _without_prompts(lines: list[str], first: int) -> list[str]:
    """The lines without the indentation, and then the prompt, that line number `first` begins with."""
    if first == len(lines):
        return lines
    indentation = _INDENTATION.match(lines[first])
    if indentation and indentation.group():
        lines = [line.removeprefix(indentation.group()) for line in lines]
    prompts = next((prompt for initial, prompt in _PROMPTS if initial.match(lines[first])), None)
    return lines if prompts is None else [prompts.sub("", line, count=1) if prompts.match(line) else line for line in lines]


def _without_commands(lines: Sequence[str]) -> list[str]:
    """The lines with commands as comments, and a `pass` for the first command of a block without a statement."""
    statements = list(_statements(lines))
    out = list(lines)
    for position, (start, end, is_command, _) in enumerate(statements):
        if not is_command:
            continue
        for number in range(start, end):
            out[number] = _comment(lines[number])
        if _is_alone(position, statements, lines):
            code = lines[start].lstrip()
            out[start] = lines[start][: len(lines[start]) - len(code)] + f"pass  # {code}"
    return out


def _is_alone(position: int, statements: Sequence[tuple[int, int, bool, bool]], lines: Sequence[str]) -> bool:
    """Whether a command is the first of a block that holds no statement."""
    if position == 0 or statements[position - 1][2] or not statements[position - 1][3]:
        return False
    opener = _column(lines[statements[position - 1][0]])
    later = (statements[number] for number in range(position, len(statements)))
    following = (_column(lines[start]) for start, _, is_command, _ in later if not is_command)
    return _column(lines[statements[position][0]]) > opener >= next(following, -1)


def _statements(lines: Sequence[str]) -> Iterator[tuple[int, int, bool, bool]]:
    """(first line, one past the last, whether it is a command, whether it opens a block) of each statement; comments are none."""
    number = 0
    while number < len(lines):
        start, scanner = number, _Scanner()
        is_command = _COMMAND.match(lines[start]) is not None or scanner.feed(lines[start])
        number += 1
        while number < len(lines) and (_is_continued(lines[number - 1]) if is_command else scanner.is_open):
            if not is_command:
                scanner.feed(lines[number])
            number += 1
        if is_command or scanner.last:
            yield start, number, is_command, scanner.last == ":"


class _Scanner:
    """Reads a statement line by line: strings, also those with replacement fields that hold strings again, brackets and comments.

    is_open: the statement continues on the next line. last: the last character that is no blank and no comment, "" if there is none.
    _open: what is open, outermost first: a bracket; the prefix and quote of a string; `{:`, the format specification of a field.
    """

    def __init__(self) -> None:
        self.last = ""
        self.is_open = False
        self._open: list[str] = []

    def feed(self, line: str) -> bool:
        """Read a line without its newline. Returns whether it asks for help or assigns a command's result, outside strings and brackets."""
        is_assigned = False
        place, line = 0, line.rstrip("\r")
        end = line
        while place < len(line):
            if self._in_text():
                place = self._text(line, place)
                continue
            character = line[place]
            if character == "#":
                end = line[:place]
                break
            is_assigned = is_assigned or (not self._open and _ASSIGNED.match(line, place) is not None)
            place = self._code(line, place)
        self._end_line(line)
        return is_assigned or (not self._open and _HELP.search(end.rstrip()) is not None and self.last == "?")

    def _in_text(self) -> bool:
        return bool(self._open) and (self._open[-1][-1] in "'\"" or self._open[-1] == "{:")

    def _text(self, line: str, place: int) -> int:
        """Read one piece of a string or of a format specification."""
        if plain := _PLAIN_TEXT.match(line, place):
            return plain.end()
        opened = self._open[-1]
        quote = opened.lstrip("rbuftRBUFT") if opened != "{:" else ""
        has_fields = opened == "{:" or bool(set(opened.lower()) & set("ft"))
        if quote and line.startswith(quote, place):
            self._open.pop()
            self.last = "'"
            return place + len(quote)
        if quote and line[place] == "\\":
            return place + 2
        if has_fields and line[place] == "{":
            if quote and line.startswith("{{", place):
                return place + 2
            self._open.append("{f")
        elif opened == "{:" and line[place] == "}":
            self._open.pop()
        return place + 1

    def _code(self, line: str, place: int) -> int:
        """Read one token of code."""
        string = _STRING_START.match(line, place)
        if string and set(string["prefix"].lower()) <= set("rbuft"):
            self._open.append(string.group())
            return string.end()
        word = _WORD.match(line, place)
        if word:
            self.last = "a"
            return word.end()
        character = line[place]
        if character in _CLOSING:
            self._open.append(character)
        elif self._open and character == _CLOSING[self._open[-1][0]]:
            self._open.pop()
        elif character == ":" and self._open and self._open[-1] == "{f":
            self._open[-1] = "{:"
        if not character.isspace():
            self.last = character
        return place + 1

    def _end_line(self, line: str) -> None:
        """A string in single quotes ends with its line, unless a backslash or a field holds it open."""
        is_continued = _is_continued(line) and (self.last == "\\" or self._in_text())
        while not is_continued and self._in_text() and len(self._open[-1].lstrip("rbuftRBUFT")) == 1:
            self._open.pop()
        self.is_open = bool(self._open) or is_continued


def _is_continued(line: str) -> bool:
    return line.rstrip("\r").endswith("\\")


def _column(line: str) -> int:
    expanded = line.expandtabs(_TAB_COLUMNS)
    return len(expanded) - len(expanded.lstrip())


def _comment(line: str) -> str:
    return f"# {line}".rstrip()
