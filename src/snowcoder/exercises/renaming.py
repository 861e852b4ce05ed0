"""A private helper makes a good exercise under a public name: `_split_words` becomes `split_words`, wherever the exercise says it."""

import builtins
import doctest
import keyword
import re
from dataclasses import replace

from snowcoder.exercises.cutout import Cutout


def without_underscore(cutout: Cutout) -> Cutout:
    """The cutout with its function under a public name, unless that name stands for something already."""
    private = cutout.function.name
    public = private.lstrip("_")
    texts = [cutout.function.source, *cutout.definitions, *cutout.imports, *(example.source for example in cutout.examples)]
    taken = re.compile(rf"\b{re.escape(public)}\b")
    unusable = not public.isidentifier() or keyword.iskeyword(public) or hasattr(builtins, public)
    if public == private or unusable or any(taken.search(text) for text in texts):
        return cutout
    word = re.compile(rf"\b{re.escape(private)}\b")
    function = replace(cutout.function, name=public, docstring=word.sub(public, cutout.function.docstring))
    examples = tuple(
        doctest.Example(word.sub(public, one.source), one.want, one.exc_msg, one.lineno, one.indent, dict(one.options))
        for one in cutout.examples
    )
    return replace(
        cutout,
        function=function.with_source(word.sub(public, cutout.function.source)),
        definitions=tuple(word.sub(public, text) for text in cutout.definitions),
        examples=examples,
    )
