"""snowcoder.filtering.python_syntax: every Python 3 parses; Python 2 and broken text do not, under any interpreter."""

import ast
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snowcoder.decontamination.python_tree import read_python
from snowcoder.errors import ExecutionError
from snowcoder.exercises.function_shapes import function_shapes
from snowcoder.exercises.functions import extract_classes, extract_functions
from snowcoder.filtering import python_syntax
from snowcoder.filtering.measuring import measure_shard
from snowcoder.filtering.python_syntax import code_tokens, syntax_error_lines
from snowcoder.labels.rubric_python import score_python
from tests.filtering.rows import source_table

TRY = "try:\n    work()\n"
NEWER = [
    "type X = int\n",
    "type Pair[T] = tuple[T, T]\n",
    "def f[T](x: T) -> T:\n    return x\n",
    "class Box[T: int = bool, *Ts = *tuple[int], **P = [int]]:\n    pass\n",
    'x = f"{\'a\' if True else "b"}"\n',
    "x = f\"{'\\n'.join(names)}\"\n",
    'x = f"{\n    value  # a comment\n}"\n',
    TRY + "except* A:\n    pass\n",
    TRY + "except A, B:\n    pass\n",
    TRY + "except OSError, ValueError:\n    raise ValueError from None\n",
    TRY + "except A, socket.error:\n    pass\n",
    TRY + "except* OSError, TypeError:\n    pass\n",
    "from zlib import error\n" + TRY + "except OSError, error:\n    pass\n",
    "x = t'hello {name!r:>{width}}'\n",
    'x = rt"\\d{name}"\n',
    "match point:\n    case [1, *rest] if rest:\n        pass\n    case {'a': Point(x=0), **others}:\n        pass\n",
    "match = case = type = _ = 1\nprint(match, case, type)\n",
    "with (open('a') as a, open('b') as b):\n    pass\n",
    "def f():\n    try:\n        pass\n    finally:\n        return 1\n",
    "x = [*row for row in rows]\n",
    "lazy import numpy\n",
]
OLDER = [
    "x = 1\n",
    "",
    "# nothing but words\n",
    "print('a')\nexec('b')\n",
    "print >>file, 'x'\n",  # a comparison of Python 3
    "x = 0o777\r\nif x:\r\n\ty = 2\r\n",
    "x = 1\n\x0c\ndef f(a, /, b, *, c): ...\n",
    "await fetch()\nasync for x in y:\n    return x\n",
    '"""Python 2 has\n\n    except A, e:\n"""\n',
    TRY + "except (A, e):\n    pass\n",
    TRY + "except(A,\n       e):\n    pass\n",
    "# ruff: noqa\nx = 1\n",
]
BROKEN = [
    ("x = 1\ndef broken(:\n", 2),
    ('x = 1\nprint "x"\n', 2),
    ("# ruff: noqa\nprint 'x'  # noqa\n", 2),
    ("exec 'x'\n", 1),
    ("raise A, 'b'\n", 1),
    ("x = `y`\n", 1),
    ("if a <> b:\n    pass\n", 1),
    ("x = 0777\n", 1),
    ("x = 10L\n", 1),
    ("x = ur'a'\n", 1),
    ("def f(a, (b, c)):\n    pass\n", 1),
    (TRY + "except A, e:\n    pass\n", 3),
    (TRY + "except (A, B), e:\n    pass\n", 3),
    (TRY + "except os.error, (errno, msg):\n    pass\n", 3),
    (TRY + "except socket.error,msg :\n    pass\n", 3),
    (TRY + "except Exception, E:\n    log(E)\n", 3),
    ("def f():\nreturn 1\n", 2),
    ("if a:\n        x\n    y\n", 3),
    ("class A:\n\tdef f(self):\n\t\tpass\n        def g(self):\n            pass\n", 4),
    ("def f(a, a):\n    pass\n", 1),
    ("x = '\0'\n", 1),
    ("x = 'a\n", 1),
    ("<<<<<<< HEAD\nx = 1\n", 1),
]


@pytest.mark.parametrize("content", NEWER + OLDER)
def test_python_of_any_age_parses(content: str) -> None:
    assert syntax_error_lines([content]) == [0]


@pytest.mark.parametrize(("content", "line"), BROKEN)
def test_python_2_and_broken_text_do_not(content: str, line: int) -> None:
    assert syntax_error_lines([content]) == [line]


def test_many_texts_at_once_are_each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python_syntax, "MAX_FILES_PER_CALL", 5)
    contents = [*NEWER, *(content for content, _ in BROKEN), *OLDER]
    assert syntax_error_lines(contents) == [0] * len(NEWER) + [line for _, line in BROKEN] + [0] * len(OLDER)
    assert syntax_error_lines([]) == []


def test_python_and_notebooks_have_the_signal_and_other_languages_have_none() -> None:
    files = source_table(
        [("python", "x = (\n"), ("ruby", "def broken(:\n"), ("jupyter-notebook", "print 'of Python 2'\n"), ("python", "x\n")]
    )
    assert measure_shard(files).tables["files"]["syntax_error_line"].to_pylist() == [2, None, 1, 0]


@pytest.mark.parametrize("hostile", ["-" * 20_000 + "1", "a." * 50_000 + "b", "[" * 20_000, "a" + "()" * 50_000])
def test_a_text_that_ends_the_parser_is_an_error_and_takes_no_other_with_it(hostile: str) -> None:
    assert syntax_error_lines(["x = 1\n", hostile, "x = (\n"]) == [0, 1, 2]
    code_tokens(hostile)


def test_a_parser_that_does_not_work_is_no_syntax_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python_syntax, "GRAMMAR", "py2")
    with pytest.raises(ExecutionError, match="install the version"):
        syntax_error_lines(["x = 1\n"])


def test_the_surroundings_do_not_matter(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration, a .gitignore and a folder that linters pass over change no number."""
    folder = os.path.join(str(tmp_path), "build")
    os.mkdir(folder)
    for name, text in ((".gitignore", "*\n"), ("ruff.toml", 'target-version = "py37"\nexclude = ["*"]\n')):
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)
    monkeypatch.setenv("TMPDIR", folder)
    monkeypatch.setattr(python_syntax.tempfile, "tempdir", None)
    assert syntax_error_lines(["x = (\n", NEWER[0]]) == [2, 0]


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@settings(deadline=None, max_examples=30)
@given(st.lists(st.text(alphabet="ab1 \n()[]:='\"#,.\\@", max_size=30), max_size=20))
def test_the_verdict_is_this_interpreters_on_syntax_that_it_knows(contents: list[str]) -> None:
    lines = syntax_error_lines(contents)
    for content, line in zip(contents, lines, strict=True):
        if line == 0:
            continue
        with pytest.raises(SyntaxError):
            compile(content, "a", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("content", NEWER)
def test_later_stages_read_a_newer_file_or_pass_over_it(content: str) -> None:
    read_python(content)
    score_python(content, 0.1)
    function_shapes(content)
    extract_functions(content)
    extract_classes(content)


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("x = 'jane@corp.com'  # by jane@corp.com\n", "x = 'user@example.com'  # by user@example.com\n", True),
        ("x = t'{a}jane@corp.com' rb'\\n'\n", "x = t'{a}user@example.com' rb'\\t'\n", True),
        ("x = left@right.de\n", "x = user@example.com\n", False),
        ('x = f"{left@right.de}"\n', 'x = f"{user@example.com}"\n', False),
        ("type X = left@right.de\nprint 'broken'\n", "type X = user@example.com\nprint 'broken'\n", False),
    ],
)
def test_strings_and_comments_are_no_code_tokens(left: str, right: str, same: bool) -> None:
    assert (code_tokens(left) == code_tokens(right)) is same
