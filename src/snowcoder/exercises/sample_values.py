"""Example values as source text, by kind, and the kinds that a parameter's name or annotation suggests. Mostly data.

Within a kind the first values are the most telling ones. A name gives kinds, or its own values where the name says more than
its kind: a function of a `url` shows little on "hello world".
"""

import re

KINDS: dict[str, tuple[str, ...]] = {
    "int": ("3", "0", "10", "1", "-4", "7", "2", "12", "100", "255", "1999", "5"),
    "float": ("2.5", "0.0", "-1.25", "10.0", "0.1", "3.75", "1000.0"),
    "str": (
        '"hello world"', '""', '"Hello, World!"', '"abc"', '"a,b,c"', '"  two  words "', '"snake_case_name"', '"CamelCaseName"', '"12"',
        '"first line\\nsecond line"', '"3.14"', '"key=value"', '"racecar"', '"a-b_c.d"', '"don\'t"', '"Ünïcödé"', '"x" * 12', '"true"',
    ),
    "bytes": ('b"hello"', 'b""', 'b"a,b"', 'b"\\x00\\xff\\x10"', 'b"two words"'),
    "bool": ("True", "False"),
    "none": ("None",),
    "numbers": ("[3, 1, 2]", "[]", "[5]", "[1, 2, 2, 3, 3, 3]", "[-1, 0, 4, 10]", "[2, 4, 6]", "range(6)", "(7, 8, 9)"),
    "strings": ('["pear", "apple", "fig"]', "[]", '["a"]', '["a", "b", "a", "c"]', '["one", "two words", ""]', '["x1", "x10", "x2"]'),
    "lists": ("[[1, 2], [3, 4]]", "[]", "[[1], [2, 3], []]", '[("a", 1), ("b", 2), ("a", 3)]', "[[1, [2, [3]]], 4]"),
    "dict": (
        '{"a": 1, "b": 2}', "{}", '{"x": {"y": 1}, "z": [1, 2]}', '{"name": "Ada", "age": 36}', '{1: "one", 2: "two"}', '{"b": 2, "c": 3}',
    ),
    "dicts": ('[{"a": 1}, {"a": 2, "b": 3}]', "[]", '[{"name": "Ada", "age": 36}, {"name": "Bob", "age": 25}]'),
    "set": ("{1, 2, 3}", "set()", "{2, 3, 4}", '{"a", "b"}'),
    "tuple": ("(1, 2)", "()", '("a", "b")', "(3, 4, 5)"),
    "function": ("lambda x: x + 1", "len", "str", "lambda x: x % 2 == 0", "str.upper", "lambda x, y: x + y", "lambda x: x", "sorted"),
    "type": ("int", "str", "list", "dict"),
}  # fmt: skip
# a parameter of which nothing is known
ANY = ("str", "int", "numbers", "strings", "dict", "float", "lists", "bytes", "none", "tuple")
ITERABLE = ("numbers", "strings", "str", "lists", "tuple", "dict")

# words of parameter names -> values; see values_by_name
LAST_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("url uri href link urls uris", (
        '"http://example.com/a/b.html?x=1&y=2#top"', '"https://user:pw@example.com:8080/"', '"/relative/path"', '"example.com"', '""',
        '"mailto:ada@example.com"', '"http://EXAMPLE.com/%7Eada/a b"',
    )),
    ("path filename fname filepath file pathname", (
        '"src/package/module.py"', '"/usr/local/lib/archive.tar.gz"', '"README"', '"a/../b/./c.txt"', '""', '".hidden"',
        '"C:\\\\dir\\\\a.txt"',
    )),
    ("ext extension suffix", ('".txt"', '".py"', '"gz"', '""')),
    ("email mail address", ('"ada@example.com"', '"not an address"', '"Ada <ada@example.com>"', '"127.0.0.1"', '"a@b"')),
    ("host hostname domain netloc authority", ('"example.com"', '"localhost:8080"', '"127.0.0.1"', '"[::1]:80"', '"-bad-.com"')),
    ("ip ipv4 ipv6 cidr", ('"127.0.0.1"', '"192.168.0.0/24"', '"::1"', '"256.1.1.1"', '"fe80::1/64"')),
    ("version ver spec specifier requirement", ('"1.2.3"', '"2.0rc1"', '"1.0.post1"', '"not a version"', '">=1.0,<2.0"', '"0.9"')),
    ("color colour hex rgb", ('"#ff8800"', '"red"', '"#fff"', '(255, 136, 0)', '"not a colour"')),
    ("html markup xml tag soup", (
        '"<p>Hello <b>world</b></p>"', '"plain text"', '"&lt;a&gt; &amp; b"', '"<br/>"', '"<a href=\'/x\'>x</a>"',
    )),
    ("date datetime timestamp", ('"2024-02-29"', '"2024-02-29T12:30:00"', '"29/02/2024"', "86400", '"yesterday"')),
    ("json payload", ('"[1, 2, 3]"', "'{\"a\": 1}'", '""', '{"a": [1, {"b": 2}]}')),
    ("sql query statement stmt", ('"SELECT a, b FROM t WHERE x = 1"', '"select * from t;"', '""', '"a=1&b=2&a=3"')),
    ("pattern regex regexp glob", ('"a+"', '"*.py"', '"[a-c]"', '"^x"')),
    ("sep separator delim delimiter glue joiner", ('", "', '"-"', '""', '"_"')),
    ("encoding charset codec", ('"utf-8"', '"latin-1"', '"ascii"', '"unknown"')),
    ("lang language locale", ('"en"', '"de_AT"', '"pt-BR"', '"xx"')),
    ("mime mimetype type", ('"text/html; charset=utf-8"', '"application/json"', '"image/*"', '""')),
    ("cookie header accept", ('"text/html, application/json;q=0.5"', '"a=1; b=2"', '""', '"gzip"')),
    ("code source src expr expression snippet", ('"x = 1 + 2"', '"def f(a):\\n    return a\\n"', '"a and (b or c)"', '""')),
    ("flag verbose strict reverse", ("bool",)),
    ("year month day hour minute seconds second days hours bytes_count", (
        "12", "2024", "1900", "1", "90", "3600", "0", "123456", "-5", "1.5",
    )),
    ("n m i j k nth num no count size length len width height depth level index idx pos position offset start stop end step limit", (
        "int", "float",
    )),
    ("maximum minimum base port times indent digits places precision max min", ("int", "float")),
    ("x y z a b value val number amount ratio factor rate threshold tol tolerance v", ("int", "float", "str", "numbers", "strings")),
    ("func function fn callback predicate keyfunc transform mapper iteratee comparator callable f op", ("function",)),
    ("key attr field prop", ('"a"', '"name"', "1", '["a", "b"]', "len")),
    ("dict mapping map kwargs options opts config params attrs headers data obj object context env settings meta metadata table", (
        "dict", "lists", "numbers", "str", "dicts",
    )),
    ("rows records dicts objects", ("dicts", "lists", "numbers")),
    ("words names strings lines tokens parts texts paths files tags chars labels columns fields choices argv args keys", (
        "strings", "lists", "str",
    )),
    ("matrix grid pairs points nested edges intervals ranges segments", ("lists", "numbers")),
    ("seq sequence iterable iterator it items list lst array arr elements values collection xs ys numbers nums population", ITERABLE),
    ("sample indices sizes weights coords iterables seqs", ITERABLE),
    ("bytes buf buffer blob raw digest", ("bytes", "str")),
    ("string str text word name title line char msg message s st txt sentence label prefix content body token identifier ident", ("str",)),
    ("doc docstring input slug phrase description symbol c ch arg what singular plural noun verb letters alphabet old new sub", ("str",)),
    ("substring markdown template fmt format haystack needle css selector paragraph command lhs rhs", ("str",)),
    ("cls klass types", ("type",)),
)  # fmt: skip
FIRST_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("is has use allow ignore skip with keep include force should", ("bool",)),
    ("max min n num", ("int", "float")),
)

# annotation's outermost name, lower case -> kinds
ANNOTATIONS: dict[str, tuple[str, ...]] = {
    "int": ("int",), "float": ("float", "int"), "complex": ("float",), "str": ("str",), "anystr": ("str",), "text": ("str",),
    "bytes": ("bytes",), "bytearray": ("bytes",), "bool": ("bool",), "none": ("none",), "number": ("int", "float"),
    "dict": ("dict",), "mapping": ("dict",), "mutablemapping": ("dict",), "set": ("set",), "frozenset": ("set",),
    "tuple": ("tuple", "numbers"), "list": ("numbers", "strings", "lists"), "sequence": ("numbers", "strings", "lists"),
    "iterable": ("numbers", "strings", "lists"), "iterator": ("numbers", "strings"), "collection": ("numbers", "strings", "set"),
    "callable": ("function",), "type": ("type",), "any": ANY, "object": ANY,
}  # fmt: skip

# words of a docstring's type for a parameter -> kinds; the first that occurs decides
TYPE_WORDS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), kinds)
    for pattern, kinds in (
        (r"\b(list|iterable|sequence|tuple|array)s? of (str|string|text|unicode|word|token|name)", ("strings",)),
        (r"\b(list|iterable|sequence)s? of (dict|mapping)", ("dicts",)),
        (r"\b(list|iterable|sequence)s? of (list|tuple|pair|sequence)", ("lists",)),
        (r"\b(list|iterable|sequence|array)s? of (int|float|num)", ("numbers",)),
        (r"\b(callable|function)\b", ("function",)),
        (r"\b(dict|dictionary|mapping)\b", ("dict",)),
        (r"\b(list|array|sequence|iterable|iterator|collection)\b", ("numbers", "strings", "lists")),
        (r"\btuple\b", ("tuple", "numbers")),
        (r"\bset\b", ("set",)),
        (r"\b(str|string|unicode|text|basestring)\b", ("str",)),
        (r"\bbytes?\b", ("bytes",)),
        (r"\b(bool|boolean)\b", ("bool",)),
        (r"\b(int|integer)\b", ("int",)),
        (r"\b(float|number|numeric)\b", ("float", "int")),
    )
)


def values_by_name(name: str) -> tuple[str, ...]:
    """Kinds or values for a parameter called `name`: by its last word, else by its first; () where neither is known."""
    first, *_, last = [*name.lower().strip("_").split("_"), name.lower().strip("_").split("_")[-1]]
    by_last = (values for words, values in LAST_WORDS if last in words.split())
    by_first = (values for words, values in FIRST_WORDS if first in words.split() and first != last)
    return next(by_first, ()) or next(by_last, ())
