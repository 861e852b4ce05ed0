"""Detects a file's language from its extension, or from its content if the extension is ambiguous or missing.

in: path and text  out: a lower-case language name, or None if it is not a language of the corpus.

The names cover the paper's 18 languages (section 2.1, "similar to StarCoder2-3B"), CSS and HTML, and the data formats that StarCoder2's
filters treat on their own (json, yaml, text); fetch_corpus.languages chooses among them.
"""

import re
from pathlib import PurePosixPath

NOTEBOOK = "jupyter-notebook"
EXTENSIONS: dict[str, tuple[str, ...]] = {
    "c": (".c",),
    "cpp": (".cpp", ".cc", ".cxx", ".c++", ".hpp", ".hh", ".hxx", ".h++", ".ipp", ".tpp", ".cu", ".cuh"),
    "csharp": (".cs", ".csx"),
    "css": (".css",),
    "dart": (".dart",),
    "go": (".go",),
    "html": (".html", ".htm", ".xhtml", ".jinja2", ".j2", ".mako"),
    "java": (".java",),
    "javascript": (".js", ".mjs", ".cjs", ".jsx", ".es6"),
    "json": (".json",),
    NOTEBOOK: (".ipynb",),
    "kotlin": (".kt", ".kts", ".ktm"),
    "php": (".php", ".phtml", ".php5", ".php7"),
    "python": (".py", ".pyi", ".pyw"),
    "ruby": (".rb", ".rake", ".gemspec", ".ru"),
    "rust": (".rs",),
    "scala": (".scala", ".sbt", ".sc"),
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
    r"^\s*(?:template\s*<|namespace\b|using\s+\w|class\s+\w+|#\s*include\s*<[a-z_]+>)|\bstd::|\b(?:constexpr|nullptr)\b", re.MULTILINE
)
_HTML_TAG = re.compile(r"<(?:!doctype|html|head|body|div|span|p|table|tr|ul|form|a|h[1-6])\b", re.IGNORECASE)
# Extensions that several languages share (GitHub Linguist's heuristics): what a text must not look like to be the language of the table.
_OTHER_LANGUAGE = {
    ".ts": re.compile(r"\s*<|G\w{0,2}\x00|\s*\[Timeline\]"),  # Qt Linguist's translations and tile sets are XML
    ".tsx": re.compile(r"\s*<\?xml"),
    ".rs": re.compile(r"\s*<\?xml|(?s:.{0,2000})^\s*#(?:include|pragma)\b", re.MULTILINE),  # XML; RenderScript
    ".cs": re.compile(r"\s*(?:!|\w[\w ]*(?:subclass:|methodsFor:))|\s*\"[^\"]*\"\s*!"),  # Smalltalk
    ".php": re.compile(r"\s*<\?hh\b"),  # Hack
    ".sc": re.compile(r"(?s:.{0,2000})\bSynthDef\b|\s*\("),  # SuperCollider
    ".kt": re.compile(r"\s*<\?xml"),
    ".h": re.compile(r"(?s:.*)^\s*@(?:interface|protocol|property|class|end)\b", re.MULTILINE),  # Objective-C
}
# Extensions of no language of the corpus, under which one may be found; .m (Objective-C, MATLAB) and .pl (Perl, Prolog) hold none of ours
_BY_CONTENT = {
    ".inc": (
        (re.compile(r"\A\s*<\?php\b"), "php"),
        (_CPP_ONLY, "cpp"),
        (re.compile(r"\A\s*(?:--|CREATE\b|INSERT\b|SELECT\b)", re.IGNORECASE), "sql"),
    ),
    **dict.fromkeys((".cgi", ".fcgi", ".command"), ()),
}
_FILE_NAMES = dict.fromkeys(("rakefile", "gemfile", "guardfile", "vagrantfile", "podfile"), "ruby") | {"jakefile": "javascript"}
# Other names that data sets, editors and people have for these languages, in lower case with single dashes; extensions are known without
# being listed here
_NAMES = {
    "cpp": "c++ cplusplus cuda",
    "csharp": "c# c-sharp",
    "go": "golang",
    "html": "html5",
    "css": "css3",
    "javascript": "ecmascript node nodejs node.js",
    NOTEBOOK: "jupyter jupyter-scripts jupyter-structured",
    "python": "python3 python-3 py3",
    "shell": "shell-script shellscript",
    "text": "plain-text plaintext",
}
_ALIASES = {alias: language for language, aliases in _NAMES.items() for alias in aliases.split()}
_SHEBANG = re.compile(r"#!\s*\S*?(?:/env\s+(?:-S\s+)?)?/?(?P<program>[a-z]+)[\d.]*(?:\s|$)")
_SHEBANG_LANGUAGES = {
    **{language: language for language in ("python", "scala", "kotlin", "swift", "ruby", "php")},
    **dict.fromkeys(("sh", "bash", "zsh", "dash", "ksh"), "shell"),
    **{"pypy": "python", "node": "javascript"},
}
# Templates carry the extension of their engine whatever they render, so these need an HTML tag to count as HTML.
_TEMPLATE_EXTENSIONS = frozenset(EXTENSIONS["html"]) - {".html", ".htm", ".xhtml"}


def language_of(path: str, content: str) -> str | None:
    """The language of a file, or None. `path` uses forward slashes; only its last part counts."""
    name = PurePosixPath(path)
    extension = name.suffix.lower()
    if not extension:
        return _FILE_NAMES.get(name.name.lower()) or _language_of_shebang(content)
    other = _OTHER_LANGUAGE.get(extension)
    if other is not None and other.match(content):
        return None
    if extension == HEADER_EXTENSION:
        return "cpp" if _CPP_ONLY.search(content) else "c"
    if extension in _BY_CONTENT:
        found = next((language for pattern, language in _BY_CONTENT[extension] if pattern.search(content)), None)
        return found or _language_of_shebang(content)
    if extension in _TEMPLATE_EXTENSIONS and not _HTML_TAG.search(content):
        return None
    return _BY_EXTENSION.get(extension)


def name_language(name: str) -> str | None:
    """The language that a data set or a person calls `name`, or None: `Python`, `C++`, `Jupyter Notebook`, `golang`, `py`, `.py`."""
    dashed = re.sub(r"[\s_-]+", "-", name.strip().lower())
    language = _ALIASES.get(dashed, dashed)
    return language if language in EXTENSIONS else _BY_EXTENSION.get(f".{dashed.removeprefix('.')}")


def may_have_language(path: str) -> bool:
    """Whether the name alone leaves a language possible: for passing over pictures and archives unread."""
    extension = PurePosixPath(path).suffix.lower()
    return not extension or extension == HEADER_EXTENSION or extension in _BY_CONTENT or extension in _BY_EXTENSION


def _language_of_shebang(content: str) -> str | None:
    match = _SHEBANG.match(content.split("\n", 1)[0])
    return _SHEBANG_LANGUAGES.get(match["program"]) if match else None
