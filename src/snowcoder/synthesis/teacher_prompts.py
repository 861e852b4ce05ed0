"""The prompts that ask a model for a document, one version per name: a changed word is a new version, because stored responses
are keyed by it.

in: a language and a passage of a seed file   out: a Prompt

Ours, for code files: the recipe (arXiv 2409.02326, 2.4) turns OSS-Instruct (arXiv 2312.02120), which asks for a question and its answer,
into one that asks for a file, and prints no prompt.
"""

from typing import Literal

from snowcoder.inference.engine import Chat, Prompt

PromptVersion = Literal["instruct-1", "base-1"]

SYSTEM = (
    "You write source files for a library of worked problems. Each file states one programming problem, solves it completely and shows "
    "that the solution is right. A reader who has nothing but the file can understand it and run it."
)
INSTRUCT = """Below is a passage of a real {language} file. Let it suggest a subject to you: a data structure, an algorithm, a rule,
a format. Do not copy or continue it, and do not mention it.

<passage>
{passage}
</passage>

Write one self-contained {language} file about a problem of that subject:
- at its top, a comment or docstring that states the problem so exactly that somebody else could solve it: inputs, outputs, limits,
  examples;
- then the whole solution, in functions or classes with clear names, with a comment wherever the reasoning is not plain;
- at its end, checks that run when the file is run{checks};
- nothing but the standard library of {language}; no reading of input, no network, no files, no placeholders.

Answer with the file alone, in one fenced code block."""
BASE = """The files of this collection are self-contained: each states one programming problem in a comment, solves it, and checks
the solution.

=== an excerpt that suggests a subject ({language}) ===
{passage}

=== a self-contained {language} file that states, solves and checks a problem of that subject ===
"""
# what follows a file in the collection that a base model is led to continue
BASE_STOP = ("\n=== ",)
NAMES = {
    "c": "C", "cpp": "C++", "csharp": "C#", "css": "CSS", "go": "Go", "html": "HTML", "java": "Java", "javascript": "JavaScript",
    "php": "PHP", "python": "Python", "ruby": "Ruby", "rust": "Rust", "shell": "Bash", "sql": "SQL", "typescript": "TypeScript",
}  # fmt: skip


def teacher_prompt(version: PromptVersion, language: str, passage: str) -> Prompt:
    """The prompt of that version."""
    if version == "base-1":
        return BASE.format(language=language_name(language), passage=passage)
    checks = ": plain assert statements at the top level, several of them for the limits" if language == "python" else ""
    return Chat(SYSTEM, INSTRUCT.format(language=language_name(language), passage=passage, checks=checks))


def teacher_stop_strings(version: PromptVersion) -> tuple[str, ...]:
    """What ends an answer to it, in addition to the model's own end."""
    return BASE_STOP if version == "base-1" else ()


def language_name(language: str) -> str:
    """As people write it."""
    return NAMES.get(language, language.capitalize())
