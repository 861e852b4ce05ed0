"""Turns doctest examples into tests of an exercise: plain asserts where they are equivalent, otherwise a doctest run.

`>>> f(2)` / `4` becomes `assert f(2) == 4`; `>>> print(f(2))` becomes an assert on str(); a traceback becomes try/except; an
expression with another output becomes an assert on repr(). One example that none of this fits (an ellipsis, a printed blank line, output
of a loop) turns the whole block into a doctest run, because examples share their variables.
"""

import ast
import doctest
from collections.abc import Sequence
from dataclasses import dataclass

from snowcoder.exercises.names import parse

EXAMPLES_RUN = """import doctest

EXAMPLES = {quoted}
runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
assert runner.run(doctest.DocTestParser().get_doctest(EXAMPLES, globals(), "examples", None, 0)).failed == 0
"""
# expressions that need no parentheses before `==`
PLAIN = (ast.Call, ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.List, ast.Dict, ast.Set, ast.JoinedStr)


@dataclass(frozen=True)
class Tests:
    """A block of test code, and how many checks it makes. only_doctest: it is a doctest run, as plain asserts would not say the same."""

    code: str
    n_tests: int
    only_doctest: bool = False


def make_tests(examples: Sequence[doctest.Example]) -> Tests:
    """Tests that say what `examples` say. Examples marked +SKIP are left out."""
    examples = [example for example in examples if not example.options.get(doctest.SKIP)]
    n_tests = sum(1 for example in examples if example.want or example.exc_msg)
    parts = [_as_code(example) for example in examples]
    if any(part is None for part in parts):
        text = "".join(_shown(example, with_options=True) for example in examples)
        return Tests(EXAMPLES_RUN.format(quoted=quote(text)), n_tests, only_doctest=True)
    return Tests("\n".join(part for part in parts if part is not None) + "\n", n_tests)


def show_examples(examples: Sequence[doctest.Example]) -> str:
    """The examples as in the docstring, options left out, without indentation."""
    return "".join(_shown(example, with_options=False) for example in examples)


def runs_as_doctest(examples: Sequence[doctest.Example]) -> bool:
    """`show_examples` of these passes doctest without options: no option is set, no output is elided, no order of a set is shown."""
    return not any(
        example.options or "..." in example.want or "{" in example.want or "\\" in example.source + example.want for example in examples
    )


def _as_code(example: doctest.Example) -> str | None:
    source, want = example.source.rstrip("\n"), example.want.rstrip("\n")
    if example.exc_msg:
        return _as_expected_error(example)
    if not want:
        return source
    tree = parse(source)
    if tree is None or len(tree.body) != 1 or not isinstance(tree.body[0], ast.Expr) or "<BLANKLINE>" in want or "..." in want:
        return None
    expression = tree.body[0].value
    if isinstance(expression, ast.Call) and isinstance(expression.func, ast.Name) and expression.func.id == "print":
        return _as_printed(expression, want, example)
    literal = _literal(want)
    if literal is not None:
        text = _on_one_line(expression, source)
        operand = text if isinstance(expression, PLAIN) else f"({text})"
        return f"assert {operand} {'is' if literal in ('True', 'False') else '=='} {literal}"
    if "\n" in want or example.options.get(doctest.NORMALIZE_WHITESPACE):
        return None
    return f"assert repr({_on_one_line(expression, source)}) == {want!r}"


def _as_expected_error(example: doctest.Example) -> str | None:
    name, _, message = (example.exc_msg or "").rstrip("\n").partition(": ")
    source = example.source.rstrip("\n")
    vague = example.options.get(doctest.ELLIPSIS) or example.options.get(doctest.IGNORE_EXCEPTION_DETAIL)
    if not name.isidentifier() or "\n" in message or (vague and "..." in message):
        return None
    check = f"    assert str(error) == {message!r}" if message and not vague else "    pass"
    head = f"except {name} as error:" if message and not vague else f"except {name}:"
    indented = "\n".join(f"    {line}" if line else line for line in source.split("\n"))
    if '"""' in source or "'''" in source:
        return None
    return f'try:\n{indented}\n{head}\n{check}\nelse:\n    raise AssertionError("{name} expected")'


def _as_printed(expression: ast.Call, want: str, example: doctest.Example) -> str | None:
    if len(expression.args) != 1 or expression.keywords or isinstance(expression.args[0], ast.Starred):
        return None
    if example.options.get(doctest.NORMALIZE_WHITESPACE):
        return None
    return f"assert str({ast.unparse(expression.args[0])}) == {want!r}"


def _literal(want: str) -> str | None:
    """`want` on one line if it is a literal whose equality means the same output."""
    try:
        value = ast.literal_eval(want)
        shown = repr(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None
    same = "".join(shown.split()) == "".join(want.split())
    unordered = isinstance(value, set | frozenset | dict) and "\n" not in want
    return shown if same else want if unordered else None


def _on_one_line(expression: ast.expr, source: str) -> str:
    return ast.unparse(expression) if "\n" in source or "#" in source or ";" in source else source.strip()


def _shown(example: doctest.Example, with_options: bool) -> str:
    lines = [line.split("# doctest:")[0].rstrip() if "# doctest:" in line else line for line in example.source.rstrip("\n").split("\n")]
    if with_options and example.options:
        options = (f"{'+' if on else '-'}{_flag_name(flag)}" for flag, on in sorted(example.options.items()))
        lines[0] += f"  # doctest: {', '.join(options)}"
    shown = "\n".join((">>> " if number == 0 else "... ") + line for number, line in enumerate(lines))
    if example.exc_msg:
        return f"{shown}\nTraceback (most recent call last):\n    ...\n{example.exc_msg}"
    return f"{shown}\n{example.want}"


def _flag_name(flag: int) -> str:
    return next(name for name, value in doctest.OPTIONFLAGS_BY_NAME.items() if value == flag)


def quote(text: str) -> str:
    """A triple-quoted literal equal to `text`: raw where it has backslashes, escaped where neither form would do."""
    raw = "r" if "\\" in text else ""
    quoted = f'{raw}"""{text}"""'
    try:
        if ast.literal_eval(quoted) == text:
            return quoted
    except (SyntaxError, ValueError):
        pass
    return repr(text)
