"""snowcoder.corpus.languages: extension first, content where it is ambiguous or absent."""

import pytest

from snowcoder.corpus.languages import EXTENSIONS, LANGUAGES, language_of, may_have_language

PAPER_LANGUAGES = {
    "python", "java", "cpp", "c", "javascript", "php", "csharp", "go", "typescript", "sql", "ruby", "rust", "jupyter-notebook", "scala",
    "kotlin", "shell", "dart", "swift",
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "content", "language"),
    [
        ("a/b/module.py", "x = 1\n", "python"),
        ("a/stubs.PYI", "x: int\n", "python"),
        ("a/types.d.ts", "export declare const x: number;\n", "typescript"),
        ("a/translation.ts", '<?xml version="1.0"?>\n<TS version="2.1">\n', None),
        ("a/plain.h", "int add(int a, int b);\n", "c"),
        ("a/object.h", "namespace a {\nclass B {};\n}\n", "cpp"),
        ("a/header.h", "#include <vector>\nint n;\n", "cpp"),
        ("a/c_header.h", "#include <stdio.h>\nint n;\n", "c"),
        ("bin/run", "#!/bin/sh\necho hello\n", "shell"),
        ("bin/run", "#!/usr/bin/env python3\nprint(1)\n", "python"),
        ("bin/run", "#!/usr/bin/env bash\n", "shell"),
        ("bin/run", "no shebang\n", None),
        ("page.html.j2", "<div>{{ name }}</div>\n", "html"),
        ("service.conf.j2", "port = {{ port }}\n", None),
        ("picture.png", "x", None),
        ("LICENSE", "MIT License\n", None),
    ],
)
def test_language_of(path: str, content: str, language: str | None) -> None:
    assert language_of(path, content) == language


def test_the_languages_of_the_paper_are_known_and_no_extension_is_claimed_twice() -> None:
    assert set(LANGUAGES) >= PAPER_LANGUAGES | {"css", "html"}
    extensions = [extension for group in EXTENSIONS.values() for extension in group]
    assert len(extensions) == len(set(extensions))


def test_names_that_can_have_no_language_need_not_be_read() -> None:
    assert not may_have_language("a/picture.png")
    assert all(may_have_language(path) for path in ("a/run", "a/x.h", "a/x.py"))
