"""The language of a file, from its extension, and from its content where the extension is ambiguous or absent.

in: path and text  out: a lower-case language name, or None for what is no language of the corpus.

The names cover the paper's 18 languages (section 2.1, "similar to StarCoder2-3B"), CSS and HTML, and the data formats that StarCoder2's
filters treat on their own (json, yaml, text); which of them a run takes is its own choice (fetch_corpus.languages).
"""

import re
from pathlib import PurePosixPath

EXTENSIONS: dict[str, tuple[str, ...]] = {
    "c": (".c",),
    "cpp": (".cpp", ".cc", ".cxx", ".c++", ".hpp", ".hh", ".hxx", ".h++", ".ipp", ".tpp", ".cu", ".cuh"),
    "csharp": (".cs",),
    "css": (".css",),
    "dart": (".dart",),
    "go": (".go",),
    "html": (".html", ".htm", ".xhtml", ".jinja2", ".j2", ".mako"),
    "java": (".java",),
    "javascript": (".js", ".mjs", ".cjs", ".jsx"),
    "json": (".json",),
    "jupyter-notebook": (".ipynb",),
    "kotlin": (".kt", ".kts"),
    "php": (".php",),
    "python": (".py", ".pyi", ".pyw"),
    "ruby": (".rb",),
    "rust": (".rs",),
    "scala": (".scala",),
    "shell": (".sh", ".bash", ".zsh", ".ksh"),
    "sql": (".sql",),
    "swift": (".swift",),
    "text": (".txt",),
    "typescript": (".ts", ".tsx", ".mts", ".cts"),
    "yaml": (".yaml", ".yml"),
}
LANGUAGES = tuple(sorted(EXTENSIONS))
HEADER_EXTENSION = ".h"

_BY_EXTENSION = {extension: language for language, extensions in EXTENSIONS.items() for extension in extensions}
_CPP_ONLY = re.compile(
    r"^\s*(?:template\s*<|namespace\b|using\s+\w|class\s+\w+|#\s*include\s*<[a-z_]+>)|\bstd::|\b(?:constexpr|nullptr)\b",
    re.MULTILINE,
)
_HTML_TAG = re.compile(r"<(?:!doctype|html|head|body|div|span|p|table|tr|ul|form|a|h[1-6])\b", re.IGNORECASE)
_SHEBANG = re.compile(r"#!\s*\S*?(?:/env\s+(?:-S\s+)?)?/?(?P<program>[a-z]+)[\d.]*(?:\s|$)")
_SHEBANG_LANGUAGES = {
    "sh": "shell",
    "bash": "shell",
    "zsh": "shell",
    "dash": "shell",
    "ksh": "shell",
    "python": "python",
    "node": "javascript",
    "ruby": "ruby",
    "php": "php",
}
# Templates carry the extension of their engine whatever they render, so these need an HTML tag to count as HTML.
_TEMPLATE_EXTENSIONS = frozenset(EXTENSIONS["html"]) - {".html", ".htm", ".xhtml"}


def language_of(path: str, content: str) -> str | None:
    """The language of a file, or None. `path` uses forward slashes; only its last part counts."""
    extension = PurePosixPath(path).suffix.lower()
    if not extension:
        return _language_of_shebang(content)
    if extension == HEADER_EXTENSION:
        return "cpp" if _CPP_ONLY.search(content) else "c"
    language = _BY_EXTENSION.get(extension)
    if language == "typescript" and content.lstrip().startswith("<"):
        return None  # Qt Linguist translations are XML under the same extension
    if extension in _TEMPLATE_EXTENSIONS and not _HTML_TAG.search(content):
        return None
    return language


def may_have_language(path: str) -> bool:
    """Whether the name alone leaves a language possible: for passing over pictures and archives unread."""
    extension = PurePosixPath(path).suffix.lower()
    return not extension or extension == HEADER_EXTENSION or extension in _BY_EXTENSION


def _language_of_shebang(content: str) -> str | None:
    match = _SHEBANG.match(content.split("\n", 1)[0])
    return _SHEBANG_LANGUAGES.get(match["program"]) if match else None
