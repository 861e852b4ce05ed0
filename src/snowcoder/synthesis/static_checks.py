"""Checks documents without running them: finished, one program in one language, no benchmark or held-out function, not a copy.

in: DOCUMENT_SCHEMA rows   out: a Rejection, or None, per document
"""

import ast
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from snowcoder.decontamination.screen import BenchmarkScreen, Overlap
from snowcoder.errors import ParameterError
from snowcoder.exercises.function_shapes import function_shapes
from snowcoder.exercises.names import BUILTIN_NAMES, bound_names, free_names, parse
from snowcoder.pipeline.execution import map_items
from snowcoder.synthesis.corpus_overlap import CorpusOverlap
from snowcoder.synthesis.syntax import syntax_fault

BATCH_DOCUMENTS = 256
# what every module has next to the built-in names
MODULE_NAMES = frozenset({"__file__", "__annotations__"})
# markers of chat templates, which belong into no file (special tokens of Llama, Qwen, Mistral, Gemma, GPT models)
TEMPLATE_MARKER = re.compile(
    r"<\|(?:im_start|im_end|eot_id|endoftext|start_header_id|end_header_id|begin_of_text|end_of_text|assistant|user|system)\|>"
    r"|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>"
)
# a line that fences code; inside a docstring it may be Markdown, at the left margin of a file it wraps the answer
FENCE = re.compile(r"^(?:```|~~~)", re.MULTILINE)
REFUSAL = re.compile(
    r"\bas an? (?:ai|artificial intelligence|(?:large )?language model)\b|\bI(?:'m| am) (?:sorry|unable|not able)\b|\bI apologi[sz]e\b"
    r"|\bI (?:cannot|can't|can not) (?:help|assist|provide|fulfil|comply|generate|create|write)",
    re.IGNORECASE,
)
CHAT = re.compile(
    r"^[\s#\"'*>/]*(?:sure(?:[,!]| thing)|certainly[,!]|of course[,!]|absolutely[,!]|great question|### (?:human|user|assistant|system)\s*:"
    r"|here(?:'s| is| are) (?:the|a|an|my|your|some)\b.*:\s*$|I hope this helps|hope that helps|let me know if|feel free to"
    r"|(?:this|the above) (?:code|solution|file|script) (?:above |below )?(?:should|will|demonstrates|provides))",
    re.IGNORECASE | re.MULTILINE,
)
UNFINISHED = re.compile(
    r"#\s*(?:\.\.\.|…|rest of (?:the )?(?:code|implementation)|(?:your|more|remaining) (?:code|implementation|tests?)\b)"
    r"|#\s*(?:implementation (?:goes )?here|add (?:your|more)\b)|\braise NotImplemented[E]rror\s*#|\bT[O]DO:? implement",
    re.IGNORECASE,
)
# characters at either end of a document where an answer speaks to its reader
MARGIN = 400


@dataclass(frozen=True)
class Rejection:
    """Why a document is not fit. detail: the exception, or the document_id, file or problem that it repeats."""

    reason: str
    detail: str


Screened = tuple[Rejection | None, list[Overlap]]


def screen_documents(documents: Sequence[dict[str, Any]], screen: BenchmarkScreen, held_out: frozenset[str]) -> list[Screened]:
    """(why it is rejected, the overlaps with benchmarks) per document, in their order."""
    batches = [documents[start : start + BATCH_DOCUMENTS] for start in range(0, len(documents), BATCH_DOCUMENTS)]
    return [result for part in map_items(partial(_screen_batch, screen=screen, held_out=held_out), batches, "screen") for result in part]


def screen_document(row: dict[str, Any], screen: BenchmarkScreen, held_out: frozenset[str]) -> Screened:
    """The first fault of one document: unfinished, what residue and syntax.py find, unresolved_import, undefined_name,
    held_out_overlap, benchmark_overlap, generic_match. A document that is kept may have generic overlaps."""
    if row["finish_reason"] != "stop":
        return Rejection("unfinished", row["finish_reason"]), []
    if found := residue(row["content"]):
        return Rejection(*found), []
    if found := syntax_fault(row["content"], row["language"]):
        return Rejection(*found), []
    if row["language"] == "python":
        tree = parse(row["content"])
        assert tree is not None, f"{row['document_id']}: parsed a moment ago, but no longer does"
        if module := unresolved_import(tree):
            return Rejection("unresolved_import", module), []
        if name := undefined_name(row["content"], tree):
            return Rejection("undefined_name", name), []
        if not held_out.isdisjoint(function_shapes(row["solution"], row["name"])):
            return Rejection("held_out_overlap", row["name"]), []
    overlaps = screen.overlaps(row["content"])
    if reason := screen.drop_reason(overlaps):
        return Rejection(reason, f"{overlaps[0].benchmark} {overlaps[0].problem_id}"), overlaps
    return None, overlaps


def residue(content: str) -> tuple[str, str] | None:
    """Traces of the conversation in which a model wrote the file, and unfinished work, by its text alone: (reason, the text that shows it).

    Reasons: template_marker, code_fence, refusal, chat, unfinished.
    """
    margins = content if len(content) <= 2 * MARGIN else f"{content[:MARGIN]}\n{content[-MARGIN:]}"
    searches = (
        ("template_marker", TEMPLATE_MARKER, content),
        ("code_fence", FENCE, margins),
        ("refusal", REFUSAL, margins),
        ("chat", CHAT, margins),
        ("unfinished", UNFINISHED, content),
    )
    for reason, pattern, text in searches:
        if match := pattern.search(text):
            return reason, match[0].strip()[:80]
    return None


def unresolved_import(tree: ast.Module) -> str:
    """The first module that `tree` imports from outside the standard library; '' if there is none."""
    for node in ast.walk(tree):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            modules = ["." * node.level + (node.module or "")]
        for module in modules:
            if module.split(".")[0] not in sys.stdlib_module_names:
                return module
    return ""


def undefined_name(content: str, tree: ast.Module) -> str:
    """The first name, by the alphabet, that `content` reads and nothing in it binds, not even elsewhere; '' if there is none, or where
    `import *` may bind any.
    """
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    if any(alias.name == "*" for node in imports for alias in node.names):
        return ""
    return min(free_names(content) - bound_names(tree) - BUILTIN_NAMES - MODULE_NAMES, default="")


def find_copies(
    documents: Sequence[dict[str, Any]], overlaps: Sequence[CorpusOverlap], max_seed_containment: Mapping[str, float]
) -> dict[str, Rejection]:
    """Rejections, by document_id, of what repeats its seed beyond its teacher's limit, or a file of the corpus.

    Raises ParameterError if a teacher has no limit.
    """
    rejections = {}
    for row, overlap in zip(documents, overlaps, strict=True):
        teacher, shared = row["teacher"], overlap.seed_containment
        if teacher not in max_seed_containment:
            known = ", ".join(sorted(max_seed_containment))
            raise ParameterError(
                f"params.yaml: accept_documents.max_seed_containment: no limit for the teacher {teacher!r}; found: {known}"
            )
        if shared > max_seed_containment[teacher]:
            rejections[row["document_id"]] = Rejection("copy_of_seed", f"{shared:.2f} of it")
        elif overlap.duplicate_of:
            rejections[row["document_id"]] = Rejection("near_duplicate_of_corpus", overlap.duplicate_of)
    return rejections


def _screen_batch(documents: Sequence[dict[str, Any]], screen: BenchmarkScreen, held_out: frozenset[str]) -> list[Screened]:
    return [screen_document(row, screen, held_out) for row in documents]
