"""Extracts the program from a sample that does not parse: end tokens, code fences, prose around it, a truncated last line.

in: what a model wrote   out: the program that it meant

For samples of other tools, and only on request: it changes what is graded. What parses stays unchanged, to the letter. Of the
rest, the first of these that parses and defines the requested function is taken: the text up to an end token, with the indentation that a
completion's first line has lost; the text up to a code fence; the Python blocks between fences, up to the first that defines the
function; the longest run of lines that parses (sanitising.py).
"""

import ast
import re
import textwrap
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence

from snowcoder.evaluation.sanitising import MAX_LINES, longest_program

# Special tokens of GPT, Qwen, Llama, Phi, Gemma, StarCoder, CodeLlama, Mistral, DeepSeek (full-width bars) models
END_TOKEN = re.compile(
    r"<\|[\w-]{1,40}\|>|<\uff5c[^\uff5c\n]{1,40}\uff5c>|</?s>|\[/?INST\]"
    r"|<(?:(?:start|end)_of_turn|file_sep|fim_\w+|repo_?name|filename|gh_stars|endoftext|end_of_text|eos|bos|pad|unk|EOT|EOM|MID|PRE|SUF)>"
)
FIRST_TOKENS = re.compile(
    rf"\A[\s\ufeff]*(?:(?:<(?:filename|repo_?name|file_sep)>[\w./-]+\n|{END_TOKEN.pattern})(?:assistant\b)?(?:[ \t]*\n)?)+|\A\ufeff"
)
THOUGHTS = re.compile(r"\A.*</think>", re.DOTALL)
FENCE = re.compile(r"^[ \t>]*(`{3,}|~{3,})[ \t]*([^`\n]*?)[ \t\r]*$", re.MULTILINE)
# CodeLlama's fence; that of MBPP's prompt; one that follows code on its line
TAG = re.compile(r"^[ \t]*\[(?:/?PYTHON|BEGIN|DONE)\][ \t\r]*$|(?<=[^\s`])```[ \t]*$", re.MULTILINE)
LISTS = ("[PYTHON]", "[BEGIN]", "[DONE]")  # those that Python takes for a list
MAX_TOKENS = 20
DEFINITIONS = (ast.AnnAssign, ast.Assign, ast.AsyncFunctionDef, ast.ClassDef, ast.FunctionDef, ast.Import, ast.ImportFrom)
PYTHON_NAMES = ("", "python", "python3", "py", "py3")


def parses(program: str) -> bool:
    """Whether Python compiles it. A tag that Python would take for a list (LISTS), alone on its line, is none of a program's parts."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(program, "<sample>", "exec", dont_inherit=True)
            nodes = ast.parse(program).body if any(tag in program for tag in LISTS) else []
    except (SyntaxError, ValueError, MemoryError, RecursionError, OverflowError):
        return False
    return not any(isinstance(node, ast.Expr) and isinstance(node.value, ast.List) and ast.unparse(node.value) in LISTS for node in nodes)


def count_unparsed(samples: Sequence[tuple[str, str]]) -> dict[str, int]:
    """(start, text) of each -> {samples: that do not parse, end_token: of these, those that hold one, code_fence}."""
    counts: Counter[str] = Counter(samples=0, end_token=0, code_fence=0)
    for start, text in samples:
        if not parses(start + text):
            found = {"samples": True, "end_token": END_TOKEN.search(text), "code_fence": FENCE.search(text) or TAG.search(text)}
            counts.update(name for name, value in found.items() if value)
    return dict(counts)


def repair(text: str, entry_point: str, start: str = "") -> str:
    """The program of `start` and `text`; both as they are if they parse, or if no part of them defines `entry_point`."""
    whole = start + text
    if parses(whole):
        return whole
    return next((program for program in _candidates(text, entry_point, start) if _defines(program, entry_point)), whole)


def _candidates(text: str, entry_point: str, start: str) -> Iterator[str]:
    text = FIRST_TOKENS.sub("", THOUGHTS.sub("", text), count=1)
    text = text if start else text.lstrip()
    ends = [match.start() for match in END_TOKEN.finditer(text)]
    for part in (text, *(text[:end] for end in ends[:MAX_TOKENS])):  # not only the first: a program may hold one in a string
        yield start + part
        if start:
            yield f"{start}    {part.lstrip()}"  # a tool that strips what a model wrote strips the first line's indentation too
    text = TAG.sub("\n```", text[: ends[0]] if ends else text)
    fence = FENCE.search(text)
    if fence:
        yield start + text[: fence.start()]
        yield from _fenced(python_blocks(text), entry_point, start)
    if (start + text).count("\n") < MAX_LINES:
        yield longest_program((start + text).split("\n"))
        if start:
            yield f"{start}\n{longest_program(text.split(chr(10)))}"


def _fenced(blocks: Sequence[str], entry_point: str, start: str) -> Iterator[str]:
    """A block may be a whole program, or the body of the function that `start` begins."""
    before: list[str] = []
    for block in blocks:
        if _defines(block, entry_point):
            yield f"{start}\n" * bool(start) + "\n".join([*before, block])
            yield block
        if parses(block) and all(isinstance(node, DEFINITIONS) for node in ast.parse(block).body):
            before.append(block)
    if start:
        for block in blocks:
            yield start + block
            yield start + textwrap.indent(block, "    ")


def python_blocks(text: str) -> list[str]:
    """The texts between code fences whose language is Python or not named, without their common indentation; the last may be open."""
    blocks: list[str] = []
    mark, language = "", ""  # of the fence that is open
    lines: list[str] = []
    for line in [*text.split("\n"), ""]:
        fence = FENCE.match(line)
        if not mark and fence:
            mark, language, lines = fence[1], fence[2].lower(), []
        elif mark and fence and not fence[2] and fence[1].startswith(mark):
            blocks += _python_block(lines, language)
            mark = ""
        elif mark:
            lines.append(line)
    return blocks + (_python_block(lines[:-1], language) if mark else [])


def _python_block(lines: Sequence[str], language: str) -> list[str]:
    """The block, or none."""
    if all(line.lstrip().startswith(">") for line in lines):
        lines = [re.sub(r"^\s*> ?", "", line) for line in lines]
    name = re.match(r"[\s{.]*([\w+#-]*)", language)
    return [textwrap.dedent("\n".join(lines)) + "\n"] if name and name[1] in PYTHON_NAMES else []


def _defines(program: str, entry_point: str) -> bool:
    """It parses, and what it last says of that name is more than a signature."""
    if not parses(program):
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        named = [node for node in ast.parse(program).body if _binds(node, entry_point)]
    return bool(named) and not (isinstance(named[-1], ast.FunctionDef | ast.AsyncFunctionDef) and all(map(_says_nothing, named[-1].body)))


def _binds(node: ast.stmt, name: str) -> bool:
    targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
    return getattr(node, "name", None) == name or any(getattr(target, "id", None) == name for target in targets)


def _says_nothing(node: ast.stmt) -> bool:
    if isinstance(node, ast.Raise):  # that nothing is implemented, with or without words
        return getattr(getattr(node.exc, "func", node.exc), "id", None) == "NotImplementedError"
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
