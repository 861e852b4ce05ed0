"""snowcoder.source_files.languages: extension first, content where it is ambiguous or absent."""

import pytest

from snowcoder.source_files.languages import EXTENSIONS, LANGUAGES, language_of, may_have_language, name_language

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
        ("a/view.h", "#import <UIKit/UIKit.h>\n@interface View : UIView\n@end\n", None),
        ("a/script.m", "x = 1;\n", None),
        ("a/script.pl", "use strict;\n", None),
        ("a/run.cgi", "#!/usr/bin/python\nprint(1)\n", "python"),
        ("a/run.cgi", "#!/usr/bin/perl\nprint 1;\n", None),
        ("a/page.inc", "<?php echo 1;\n", "php"),
        ("a/vec.inc", "template <class T>\nvoid f(T);\n", "cpp"),
        ("a/asm.inc", "section .text\n", None),
        ("a/kernel.rs", "#pragma version(1)\nint x;\n", None),
        ("a/main.rs", "fn main() {}\n", "rust"),
        ("a/Old.cs", "!Object methodsFor: 'x'!\n", None),
        ("a/New.cs", "using System;\nclass C {}\n", "csharp"),
        ("a/hack.php", "<?hh // strict\n", None),
        ("a/page.php", "<html><?php echo 1; ?>\n", "php"),
        ("a/tiles.tsx", '<?xml version="1.0"?>\n<tileset/>\n', None),
        ("a/view.tsx", "<div/>;\n", "typescript"),
        ("a/movie.ts", "G\x00\x11", None),
        ("build.sbt", 'name := "x"\n', "scala"),
        ("Gemfile", "source 'x'\n", "ruby"),
        ("a/notes.ipynb", "{}", "jupyter-notebook"),
        *(
            (f"a/x{extension}", "x", language)
            for language, extension in [
                ("java", ".java"),
                ("go", ".go"),
                ("kotlin", ".kt"),
                ("dart", ".dart"),
                ("swift", ".swift"),
                ("sql", ".sql"),
                ("ruby", ".rb"),
            ]
        ),
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


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("Python", "python"),
        ("C++", "cpp"),
        ("C#", "csharp"),
        ("Jupyter Notebook", "jupyter-notebook"),
        ("Shell", "shell"),
        *[(name, "python") for name in ("py", ".py", "PY", " python ", "Python3", "pyi")],
        *[(name, "javascript") for name in ("js", ".js", "JavaScript", "node.js", "jsx", "ECMAScript")],
        *[(name, "typescript") for name in ("ts", ".ts", "TypeScript", "tsx")],
        *[(name, "cpp") for name in ("c++", "cpp", "CPP", ".cc", "cxx", "h++", "cplusplus", "Cuda")],
        *[(name, "csharp") for name in ("c#", "cs", ".cs", "CSharp", "c-sharp", "c_sharp", "C Sharp")],
        *[(name, "shell") for name in ("sh", "bash", ".sh", "zsh", "shell script", "ShellScript")],
        *[(name, "jupyter-notebook") for name in ("jupyter_notebook", "ipynb", ".ipynb", "jupyter", "jupyter-scripts")],
        *[("golang", "go"), ("go", "go"), ("rs", "rust"), ("rb", "ruby"), ("kt", "kotlin"), ("yml", "yaml"), ("htm", "html")],
        *[(name, None) for name in ("Perl", "h", ".", "c/c++", "Objective-C", "unknown")],
        ("", None),
    ],
)
def test_names_that_data_sets_give(name: str, language: str | None) -> None:
    assert name_language(name) == language
