"""Extracts the file from a model's answer.

in: the text of a completion   out: a code file, or the Refusal that says what the answer is instead
"""

import ast
import re

from snowcoder.exercises.cutout import Refusal
from snowcoder.exercises.functions import Definition
from snowcoder.exercises.names import parse
from snowcoder.inference.engine import Completion
from snowcoder.synthesis.documents import SyntheticDocument

FENCED = re.compile(r"^(```+|~~~+)[ \t]*([\w+#-]*)[^\n]*\n(.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL)
# beginnings of the names of functions that check, where a file calls them
CHECKING = ("test", "_test", "check", "_check", "run_tests", "main", "_main")
# what models write after a fence, apart from the language's name
TAGS = {
    "py": "python", "python3": "python", "js": "javascript", "jsx": "javascript", "ts": "typescript", "tsx": "typescript", "c++": "cpp",
    "cc": "cpp", "h": "c", "sh": "shell", "bash": "shell", "c#": "csharp", "cs": "csharp", "golang": "go", "rs": "rust", "rb": "ruby",
}  # fmt: skip


def read_document(completion: Completion, language: str, chat: bool) -> SyntheticDocument | Refusal:
    """The document in an answer. Refusals: empty_answer, several_code_blocks, no_code_block, other_language.

    A chat answer holds its file in one fenced block; what is around it is not part of the file. An answer that was cut off is a document
    as far as it goes: acceptance counts it as unfinished.
    """
    text = completion.text
    if chat and completion.finish_reason == "stop":
        blocks = FENCED.findall(text)
        if len(blocks) != 1:
            return Refusal("several_code_blocks" if blocks else "no_code_block", "")
        tag = blocks[0][1].lower()
        if tag and TAGS.get(tag, tag) != language:
            return Refusal("other_language", tag)
        text = blocks[0][2]
    if not text.strip():
        return Refusal("empty_answer", "")
    content = text.strip("\n").rstrip() + "\n"
    tree = parse(content) if language == "python" else None
    tests = _checks(tree) if tree else []
    return SyntheticDocument(
        name="",
        content=content,
        problem=(ast.get_docstring(tree) or "") if tree else "",
        solution=content,
        tests="\n".join(tests),
        n_tests=len(tests),
        tests_from="model" if tests else "",
        finish_reason=completion.finish_reason,
    )


def _checks(tree: ast.Module) -> list[str]:
    """The asserts that run when the file is run: at its top level, and in functions that are called there."""
    outer = [node for statement in tree.body if not isinstance(statement, Definition) for node in ast.walk(statement)]
    called = {node.func.id for node in outer if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    functions = [statement for statement in tree.body if isinstance(statement, ast.FunctionDef) and statement.name in called]
    inner = [node for function in functions if function.name.startswith(CHECKING) for node in ast.walk(function)]
    return [ast.unparse(node) for node in [*outer, *inner] if isinstance(node, ast.Assert)]
