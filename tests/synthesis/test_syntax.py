"""A small program in every language parses; the same program with a part missing, and prose, do not."""

import pytest

from snowcoder.source_files.languages import EXTENSIONS
from snowcoder.synthesis.syntax import GRAMMARS, is_parsed, syntax_fault

PROGRAMS = {
    "c": "#include <stdio.h>\n\nint twice(int x) {\n    return 2 * x;\n}\n",
    "cpp": "#include <vector>\n\ntemplate <typename T>\nT first(const std::vector<T>& v) {\n    return v.at(0);\n}\n",
    "csharp": "using System;\n\nclass Sum {\n    static int Add(int a, int b) => a + b;\n}\n",
    "css": "/* a card */\n.card {\n  color: red;\n}\n",
    "dart": "int twice(int x) {\n  return 2 * x;\n}\n",
    "go": "package main\n\nfunc twice(x int) int {\n\treturn 2 * x\n}\n",
    "html": "<!doctype html>\n<html><body>\n<p>text</p>\n</body></html>\n",
    "java": "class Sum {\n    static int add(int a, int b) {\n        return a + b;\n    }\n}\n",
    "javascript": "function twice(x) {\n  return 2 * x;\n}\nconsole.assert(twice(2) === 4);\n",
    "kotlin": "fun twice(x: Int): Int {\n    return 2 * x\n}\n",
    "php": "<?php\nfunction twice($x) {\n    return 2 * $x;\n}\n",
    "python": '"""Twice."""\n\n\ndef twice(x):\n    return 2 * x\n',
    "ruby": "def twice(x)\n  2 * x\nend\n",
    "rust": "fn twice(x: i32) -> i32 {\n    2 * x\n}\n",
    "scala": "object Sum {\n  def add(a: Int, b: Int): Int = {\n    a + b\n  }\n}\n",
    "shell": 'twice() {\n  echo $((2 * $1))\n}\n[ "$(twice 2)" = 4 ] || exit 1\n',
    "sql": "-- names\nCREATE TABLE names (id INTEGER, name TEXT);\nSELECT name FROM names WHERE id = 1;\n",
    "swift": "func twice(x: Int) -> Int {\n    return 2 * x\n}\n",
    "typescript": "function twice(x: number): number {\n  return 2 * x;\n}\n",
}
# what is left when a bracket, or the end of a block, is lost
LOST = {"python": "):", "ruby": "end", "html": "</body", "sql": ");", "css": "{"}
PROSE = "This file is about a problem, and states it in words: nothing else (yet.\n"


@pytest.mark.parametrize("language", sorted(PROGRAMS))
def test_a_program_parses(language: str):
    assert is_parsed(language)
    assert syntax_fault(PROGRAMS[language], language) is None


@pytest.mark.parametrize("language", sorted(set(PROGRAMS) - {"html"}))
def test_a_program_that_lacks_a_part_does_not(language: str):
    lost = LOST.get(language, "}")
    assert lost in PROGRAMS[language]
    fault = syntax_fault(PROGRAMS[language].replace(lost, "", 1), language)
    assert fault is not None
    assert fault[0] == "does_not_parse"


@pytest.mark.parametrize("language", sorted(PROGRAMS))
def test_prose_is_no_program(language: str):
    assert syntax_fault(PROSE, language) is not None


@pytest.mark.parametrize(
    ("content", "language"),
    [
        ('"""Only words."""\n', "python"),
        ("# only words\n", "python"),
        ("// only words\n/* and more */\n", "javascript"),
        ("# only words\n", "shell"),
        ("-- only words\n", "sql"),
        ("only words\n", "html"),
        ("", "c"),
    ],
)
def test_a_file_of_comments_holds_no_code(content: str, language: str):
    assert syntax_fault(content, language) == ("no_code", "")


def test_the_place_of_the_fault_is_told():
    fault = syntax_fault("int a;\nint f( { return 1; }\n", "c")
    assert fault is not None
    assert fault[1].startswith("line 2: ")


def test_what_python_parses_and_cannot_compile_is_a_fault():
    fault = syntax_fault("def f(a, a):\n    return a\n", "python")
    assert fault is not None
    assert "duplicate argument" in fault[1]


@pytest.mark.parametrize(("language", "other"), [("javascript", "python"), ("c", "python"), ("rust", "go"), ("python", "javascript")])
def test_another_language_does_not_parse(language: str, other: str):
    assert syntax_fault(PROGRAMS[other], language) is not None


def test_a_language_without_a_grammar_is_said_to_be_unchecked():
    assert not is_parsed("jupyter-notebook")
    assert syntax_fault("def f( {", "jupyter-notebook") is None


def test_grammars_are_of_languages_of_the_corpus():
    assert set(GRAMMARS) < set(EXTENSIONS)
