"""Real problems and the committed thresholds, for tests of decontamination; and disguises for a solution."""

import ast
import os
from functools import cache
from pathlib import Path

import pytest

from snowcoder.benchmarks.evalplus import HUMANEVAL_PLUS, MBPP_PLUS
from snowcoder.benchmarks.loading import load_benchmark
from snowcoder.benchmarks.problem import Problem
from snowcoder.decontamination.screen import BenchmarkScreen
from snowcoder.decontamination.settings import DecontaminationParams
from snowcoder.params import load_section

ROOT = Path(__file__).resolve().parents[2]
PARAMS = load_section("decontaminate_files", DecontaminationParams, ROOT / "params.yaml")


@cache
def human_eval() -> tuple[Problem, ...]:
    return tuple(load_benchmark("humaneval"))


@cache
def screen() -> BenchmarkScreen:
    """HumanEval's screen at the committed thresholds."""
    return BenchmarkScreen(human_eval(), PARAMS)


def plus_problems() -> tuple[Problem, ...]:
    """HumanEval+ and MBPP+; skips where the folder of benchmarks does not hold them."""
    folder = os.environ.get("SNOWCODER_BENCHMARKS_DIR")
    for origin in (HUMANEVAL_PLUS, MBPP_PLUS):
        if not folder or not any((Path(folder) / name).is_file() for name in origin.files):
            pytest.skip(f"SNOWCODER_BENCHMARKS_DIR does not hold {origin.files[0]}")
    return tuple(problem for name in ("humaneval_plus", "mbpp_plus") for problem in load_benchmark(name))


class Renamer(ast.NodeTransformer):
    """Renames what a program binds: variables, arguments, functions."""

    def __init__(self, tree: ast.Module, prefix: str) -> None:
        bound = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
        bound += [node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)]
        bound += [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        self.names = {name: f"{prefix}{number}" for number, name in enumerate(dict.fromkeys(bound))}

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self.names.get(node.id, node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.arg = self.names.get(node.arg, node.arg)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name = self.names.get(node.name, node.name)
        return self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        return self.generic_visit(node)


def without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.Module) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return tree


def disguised(problem: Problem, prefix: str) -> str:
    """The whole solution, its docstrings gone, every name changed, and laid out anew by ast.unparse."""
    tree = without_docstrings(ast.parse(problem.prompt + problem.canonical_solution))
    return ast.unparse(ast.fix_missing_locations(Renamer(tree, prefix).visit(tree)))
