"""A function of a held-out file is recognised under any name, docstring, comments and layout."""

from snowcoder.exercises.function_shapes import function_shapes, held_out_shapes

HELD_OUT = '''
class Tools:
    def double(self, values):
        """Twice each value."""
        return [2 * value for value in values]


def first(values, default=None):
    """The first value."""
    for value in values:
        return value
    return default
'''


def test_a_copy_with_other_name_docstring_and_layout_is_found() -> None:
    document = 'def head(values, default = None):\n    """Exercise: >>> head([1])"""\n    # comment\n'
    document += "    for value in values: return value\n    return default\n"
    assert function_shapes(document, "head") <= held_out_shapes([HELD_OUT])


def test_other_code_is_not() -> None:
    document = "def first(values, default=None):\n    return next(iter(values), default)\n"
    assert function_shapes(document, "first").isdisjoint(held_out_shapes([HELD_OUT]))


def test_only_the_named_function_counts_and_broken_code_has_none() -> None:
    assert len(function_shapes(HELD_OUT)) == 2
    assert len(function_shapes(HELD_OUT, "first")) == 1
    assert function_shapes("def broken(:") == set()
