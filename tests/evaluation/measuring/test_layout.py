"""One layout, the same program: checked by syntax trees on every reference solution, and on functions laid out in odd ways."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.benchmarks.loading import load_benchmark
from snowcoder.evaluation.measuring.layout import normalise_body

PROMPT = 'def f(x):\n    """Do it."""\n'


def tree(source: str) -> str:
    return ast.dump(ast.parse(source))


def test_every_humaneval_solution_stays_the_same_program_in_the_prompts_block() -> None:
    for problem in load_benchmark("humaneval"):
        text = normalise_body(problem.prompt, problem.canonical_solution)
        assert text is not None, problem.problem_id
        assert tree(problem.prompt + text) == tree(problem.prompt + problem.canonical_solution)
        assert text.startswith("    ")
        assert text.endswith("\n")
        assert not text.endswith("\n\n")


@pytest.mark.parametrize(
    ("prompt", "body", "expected"),
    [
        pytest.param(PROMPT, "\n\n    y = ( x+1 ) # more\n\n    return y\n\n", "    y = x + 1\n    return y\n", id="blanks and comments"),
        pytest.param(PROMPT, "    if x :\n          return 1\n", "    if x:\n        return 1\n", id="own indentation"),
        pytest.param('"""Task."""\n', "\ndef f(x):\n\treturn x\n", "def f(x):\n    return x\n", id="whole function, tabs"),
        pytest.param(
            'def f(x):\n  """Do."""\n', "  for y in x:\n      print(y)\n", "  for y in x:\n    print(y)\n", id="blocks of two blanks"
        ),
        pytest.param('def f(x):\n\t"""Do."""\n', "\tif x:\n\t\treturn 1\n", "\tif x:\n\t\treturn 1\n", id="blocks of tabs"),
        pytest.param('def f(x):\n    """Do."""', "\n    return(x)", "\n    return x\n", id="prompt ends within a line"),
        pytest.param('def f(x):\n    """Do."""', "    return(x)", "\n    return x\n", id="body on a line of its own"),
        pytest.param("def f(x):\n", "  return(x)\n", "    return x\n", id="nothing shows the indentation"),
        pytest.param(
            'class A:\n    """A."""\n\n    def f(self):\n        """Do."""\n', "        return(1)\n", "        return 1\n", id="method"
        ),
        pytest.param(
            PROMPT,
            "    return g(x)\n\n\n\ndef g(x):\n  return x\n",
            "    return g(x)\ndef g(x):\n    return x\n",
            id="a helper behind the function",
        ),
        pytest.param(
            PROMPT,
            '    def g():\n        """A.\n\n        B.\n        """\n    return  g\n',
            '    def g():\n        """A.\n\n        B.\n        """\n    return g\n',
            id="lines of a docstring stay",
        ),
        pytest.param("", "x=1\n", "x = 1\n", id="no prompt"),
        pytest.param("def f(x):\r\n    'Do.'\r\n", "    return(x)\r\n", "    return x\n", id="lines of another system"),
    ],
)
def test_hand_written_points(prompt: str, body: str, expected: str) -> None:
    assert normalise_body(prompt, body) == expected
    assert normalise_body(prompt, expected) == expected


@pytest.mark.parametrize(
    ("prompt", "body"),
    [
        pytest.param(PROMPT, "    return (\n", id="no Python"),
        pytest.param("x = (1 +\n", "2)\n", id="border within a statement"),
        pytest.param("def f(x,\n", "      y):\n    return x\n", id="border within a head"),
        pytest.param("if x:\n    y = 1\n", "    z = 1\n", id="a block that is no definition"),
        pytest.param("@cache\n", "def f(x):\n    return x\n", id="border behind a decorator"),
        pytest.param(
            'def f(x):\n  """Do."""\n', '  def g():\n    """A.\n\n        B."""\n  return g\n', id="a docstring that would have to move"
        ),
    ],
)
def test_what_cannot_be_written_otherwise_is_left_to_the_caller(prompt: str, body: str) -> None:
    assert normalise_body(prompt, body) is None


EXPRESSIONS = st.sampled_from(["x", "(x)", "x+1", "'a'", 'f"{x}b"', "[ y for y in (x,) ]", "lambda: (x)", '"\\n"', "not (x)"])
UNITS = st.sampled_from([" ", "  ", "    ", "\t"])


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, str]:
    """A function's head in one indentation, and its body in that for the first level and any for the deeper ones."""
    first, deeper = draw(UNITS), draw(UNITS)
    lines = []
    for expression in draw(st.lists(EXPRESSIONS, min_size=1, max_size=5)):
        nested = draw(st.booleans())
        lines += [f"{first}if x:", f"{first}{deeper}y  =  {expression}"] if nested else [f"{first}y={expression} # told"]
        lines += [""] * draw(st.integers(0, 2))
    return f'def f(x):\n{first}"""Do."""\n', "\n".join(lines) + "\n"


@given(bodies())
def test_the_program_stays_and_its_layout_does_not_depend_on_the_authors(case: tuple[str, str]) -> None:
    prompt, body = case
    text = normalise_body(prompt, body)
    assert text is not None
    assert tree(prompt + text) == tree(prompt + body)
    assert normalise_body(prompt, text) == text
    assert "#" not in text
    assert "\n\n" not in text
