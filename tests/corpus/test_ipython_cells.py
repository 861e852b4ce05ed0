"""snowcoder.corpus.ipython_cells: Python is unchanged byte for byte, and IPython commands, wherever a statement may be, leave Python."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.corpus.ipython_cells import python_cell

SOURCES = sorted((Path(__file__).resolve().parents[2] / "src").rglob("*.py"))
PYTHON = [
    'print("%d of %d"\n      % (3, 4))\n',
    "ok = (1\n      != 2)\n",
    '"""\nWhat is this?\n"""\n',
    'def f():\n    """\n    %s formatting\n    !important\n    ?\n    %%time\n    """\n',
    "x = 10 \\\n  % 3\n",
    'x = "a\\\n% b\\\n! c"\n',
    "# why?\nx = a  # or b?\n",
    "x %= 3\ny = x != 3\nz = 'What?'\n",
    "if a: b = {\n  'x': 1,\n  # really?\n  'y': 7\n  % 4}\n",
    "f'''\n%s {x:\n>3}\n%d'''\n",
    "print(f\"{x:'>10}\", f'{{ {y!r}', rb'\\'\n  b'%d' % 3)\n",
    'print(f"{x["#"]}"\n  % 3)\n',
    'x = f"{\n  y  # "\n  % 3}"\n',
    "print(t'{a}'\n % 3)\n",
    "x = [1,\r\n 2\r\n % 3]\r\n",
    "class A:\n\tx: int = 3\n\n\tdef f(self): return -self.x\n",
    "",
]
COMMANDS = [
    "%matplotlib inline",
    "%timeit f(x for x in y)",
    "!ls",
    "!!ls | wc",
    '!echo "it\'s {name}" \\\n  and (more',
    "!pip install a \\\n  b \\\n  c",
    "?len",
    "??len",
    "len?",
    "np.array.sum??",
    "rows[0].name?",
    "np.*load*?",
    "%time?",
    "files = !ls",
    "files = !ls \\\n  -l",
    "first, rest = %sql select 1",
    "d['x'] = !ls",
    "x = %time f()",
    ",f a b",
    ";f a",
    "/f a",
]


@pytest.mark.parametrize("cell", PYTHON)
def test_python_comes_out_byte_for_byte(cell: str) -> None:
    assert python_cell(cell) == cell


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_files_of_this_project_do_too(path: Path) -> None:
    content = path.read_text()
    assert python_cell(content) == content


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("!pip install a \\\n  b\nx = 1\n", "# !pip install a \\\n#   b\nx = 1\n"),
        ("files = !ls \\\n  -l\nx = 1", "# files = !ls \\\n#   -l\nx = 1"),
        ("len?  # help\nx = 1", "# len?  # help\nx = 1"),
        ("!echo 'it\n!ls\r\nx = 1\r\n", "# !echo 'it\n# !ls\nx = 1\r\n"),
        ("if True:\n    %matplotlib inline\n", "if True:\n    pass  # %matplotlib inline\n"),
        ("if x:  # why?\n\t!a \\\n\tb\n\n\t!c\ny = 1", "if x:  # why?\n\tpass  # !a \\\n# \tb\n\n# \t!c\ny = 1"),
        ("if x:\n    !ls\n    y = 1", "if x:\n#     !ls\n    y = 1"),
        ("try:\n    !ls\nexcept E:\n    y?\nelse:\n    1", "try:\n    pass  # !ls\nexcept E:\n    pass  # y?\nelse:\n    1"),
        ("for a in (b,\n  c):\n    if a:\n        !ls\n    d", "for a in (b,\n  c):\n    if a:\n        pass  # !ls\n    d"),
        ("x = lambda: \\\n  1\n!ls", "x = lambda: \\\n  1\n# !ls"),
    ],
)
def test_commands_become_comments_and_a_block_of_them_a_pass(cell: str, code: str) -> None:
    assert python_cell(cell) == code


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("%%time\nmodel = fit(X, y)\n", "# %%time\nmodel = fit(X, y)\n"),
        ("%%capture out --no-stderr\ndef f(x):\n    return x + 1", "# %%capture out --no-stderr\ndef f(x):\n    return x + 1"),
        ("\n# Fast?\n\n%%timeit -n 3 x = 1\n%precision 3\nx", "\n# Fast?\n\n# %%timeit -n 3 x = 1\n# %precision 3\nx"),
        ("%%time\n%%capture\nx = 1", "# %%time\n# %%capture\nx = 1"),
        ("%%python3\nprint(1)", "# %%python3\nprint(1)"),
        ("%%time", "# %%time"),
        ("%%bash\nls\n\necho", "# %%bash\n# ls\n#\n# echo"),
        ("%%sql\nselect 1", "# %%sql\n# select 1"),
        ("%%html\n<p>", "# %%html\n# <p>"),
        ("%%timer\nx", "# %%timer\n# x"),
        ("%%python2\nprint 1", "# %%python2\n# print 1"),
        ("%%writefile -a 'lib/a.py'\nx = 1\n", "# %%writefile -a 'lib/a.py'\nx = 1\n"),
        ("%%writefile a.txt\nx = 1", "# %%writefile a.txt\n# x = 1"),
        ("x = 1\n%%time\ny = 2", "x = 1\n# %%time\ny = 2"),
    ],
)
def test_a_cell_magic_keeps_its_body_where_that_is_python(cell: str, code: str) -> None:
    assert python_cell(cell) == code


def blocks(bodies: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[str]]:
    headers = st.sampled_from(
        ["if a:", "for x in (1,\n  2):", "def f(a={'b': 1}):  # why?", "class A:", "while f'{a:>3}':", "try:\n    1\nfinally:"]
    )
    return st.builds(lambda head, body: [head, *("    " + line for line in body)], headers, bodies)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("    x = 1\n    if x:\n        y = 2", "x = 1\nif x:\n    y = 2"),
        ("  # why\n  %matplotlib inline\n  import x", "# why\n# %matplotlib inline\nimport x"),
        (">>> def f():\n...     return 1\n...\n>>> f()", "def f():\n    return 1\n\nf()"),
        ("In [1]: for i in x:\n   ...:     !ls\n   ...: ", "for i in x:\n    pass  # !ls\n"),
        ("pip install numpy", "# pip install numpy"),
        ("cd ../data", "# cd ../data"),
        ("ls -l *.py\r", "# ls -l *.py"),
        ("time f(x)", "# time f(x)"),
        ("%%cache x.pkl x\nx = f()", "# %%cache x.pkl x\nx = f()"),
        ("%md\n# Title\nsome text", "# %md\n# # Title\n# some text"),
        ("%md ## Title\nsome text", "# %md ## Title\n# some text"),
        ("%sql\nselect *\nfrom t", "# %sql\n# select *\n# from t"),
        ("%sql select 1\nx = 1", "# %sql select 1\nx = 1"),
        ("%run ./setup\nx = 1", "# %run ./setup\nx = 1"),
    ],
)
def test_what_ipython_and_databricks_take_off_or_add(cell: str, code: str) -> None:
    assert python_cell(cell) == code


@pytest.mark.parametrize(
    "cell", ["time * 2", "cd = 1", "run += 1", "ls in x", "more and less", "who", "env['x']", "time.time()", "store(x)"]
)
def test_a_line_of_python_is_no_magic_without_its_sign(cell: str) -> None:
    assert python_cell(cell) == cell


STATEMENTS = st.sampled_from(["x = 1", "print(a,\n  b % 2)", "y = '''\n%s\n!x\nz?\n'''", "# done?", "z = 7 \\\n  % 2", "", "w = 'a' \"'\""])
PROGRAMS = st.recursive(
    st.lists(STATEMENTS, min_size=1, max_size=4), lambda inner: st.builds(list.__add__, blocks(inner), inner), max_leaves=6
)
WITH_COMMANDS = st.recursive(
    st.lists(st.one_of(STATEMENTS, st.sampled_from(COMMANDS)), min_size=1, max_size=4),
    lambda inner: st.builds(list.__add__, blocks(inner), inner),
    max_leaves=6,
)


def parses(code: str) -> bool:
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return True


@given(PROGRAMS.map("\n".join))
def test_any_python_comes_out_byte_for_byte(cell: str) -> None:
    assert python_cell(cell) == cell


@given(WITH_COMMANDS)
def test_any_cell_with_commands_is_python_afterwards(lines: list[str]) -> None:
    """Against the same cell with `pass` for each command: where that is Python, so is the result, with as many lines."""
    reference = [line[: len(line) - len(line.lstrip())] + "pass" if line.lstrip() in COMMANDS else line for line in lines]
    cell = "\n".join(lines)
    code = python_cell(cell)
    assert code.count("\n") == cell.count("\n")
    assert parses(code) or not parses("\n".join(reference))


@given(st.text(alphabet="ab\n \\\"'{}[]()#%!?=:f,", max_size=60))
def test_any_text_is_read_to_its_end(cell: str) -> None:
    code = python_cell(cell)
    assert code.count("\n") == cell.count("\n")
