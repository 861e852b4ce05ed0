"""The repository's texts: lines are short, LOG is dated, nothing is unfinished, no path of a user's machine."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    "README.md",
    "LOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "bench/RESULTS.md",
    *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))),
)
PROSE_COLUMNS = 100
README_LINES = 130
# a link, a picture or a link's definition that fills its line cannot be wrapped
UNBREAKABLE = re.compile(r"\s*(?:[-*] )?(?:!?\[[^\]]*\]\([^)]*\)|\[[^\]]+\]: \S+)[.,;:]?\s*")
LOG_HEADING = re.compile(r"## (\d{4}-\d{2}-\d{2}) \S.* \(.+\)")
# English that is never meant here, with what to write instead
FOREIGN = {
    r"\btold\b": "reported, known, distinguished",
    r"\bbeside\b": "next to, compared with, apart from",
    r"\bdear(?:er|est)?\b": "expensive",
    r"\bmend(?:s|ed|ing)?\b": "fix",
    r"\bat hand\b(?!-)": "available, current",
}


def tracked_texts() -> dict[str, str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    paths = [name for name in listed if name.endswith((".py", ".yaml", ".md", ".toml", ".txt", "Makefile", "run"))]
    return {name: (ROOT / name).read_text() for name in paths if (ROOT / name).exists()}


def test_nothing_is_left_unfinished() -> None:
    unfinished = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "raise NotImplemented" + "Error")))
    for name, text in tracked_texts().items():
        if name.startswith(("src/", "stages/", "tools/")):
            found = unfinished.search(text)
            assert found is None, f"{name}: {found}"


def test_no_absolute_path_of_a_home_or_work_folder() -> None:
    pattern = re.compile(r"(?<![\w.])/(?:home|root|Users|work)/\w")
    for name, text in tracked_texts().items():
        assert not pattern.search(text), name


def prose_lines(document: str) -> list[tuple[int, str]]:
    """(number, line) of a Markdown document without code blocks and tables."""
    lines, fenced = [], False
    for number, line in enumerate((ROOT / document).read_text().splitlines(), 1):
        fence = line.lstrip().startswith("```")
        if not (fence or fenced or line.lstrip().startswith("|")):
            lines.append((number, line))
        fenced ^= fence
    return lines


@pytest.mark.parametrize("document", DOCUMENTS)
def test_prose_is_wrapped(document: str) -> None:
    long = [
        f"{document}:{number}: found {len(line)} columns; allowed: {PROSE_COLUMNS}"
        for number, line in prose_lines(document)
        if len(line) > PROSE_COLUMNS and not UNBREAKABLE.fullmatch(line)
    ]
    assert long == []


def test_the_readme_is_short() -> None:
    n_lines = len((ROOT / "README.md").read_text().splitlines())
    assert n_lines <= README_LINES, f"README.md: found {n_lines} lines; allowed: {README_LINES}; move the rest to docs/"


def test_log_entries_are_dated_newest_first_with_a_verdict() -> None:
    headings = [line for _, line in prose_lines("LOG.md") if line.startswith("#")][1:]
    matches = [LOG_HEADING.fullmatch(heading) for heading in headings]
    assert [heading for heading, match in zip(headings, matches, strict=True) if match is None] == [], (
        "allowed: ## YYYY-MM-DD Title (verdict)"
    )
    dates = [match.group(1) for match in matches if match]
    assert len(dates) > 1
    assert dates == sorted(dates, reverse=True)


def foreign_words(text: str) -> list[str]:
    """Words of FOREIGN in a text, except in inline code."""
    prose = re.sub(r"`[^`]*`", "", text)
    return [f"{match.group(0)!r}: write {better}" for word, better in FOREIGN.items() for match in re.finditer(word, prose, re.IGNORECASE)]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_documents_are_in_plain_english(document: str) -> None:
    found = [f"{document}:{number}: {word}" for number, line in prose_lines(document) for word in foreign_words(line)]
    assert found == []


def test_first_lines_of_modules_are_in_plain_english() -> None:
    found = []
    for name, text in tracked_texts().items():
        if name.endswith(".py"):
            first = (ast.get_docstring(ast.parse(text)) or "").split("\n")[0]
            found += [f"{name}: {word}" for word in foreign_words(first)]
    assert found == []
