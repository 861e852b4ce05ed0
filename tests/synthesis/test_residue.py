import pytest

from snowcoder.synthesis.residue import residue

CODE = '"""Sort the names."""\n\n\ndef ordered(names):\n    return sorted(names)\n'


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (f"Sure! Here is the code:\n{CODE}", "chat"),
        (f"# Here is a Python file that sorts:\n{CODE}", "chat"),
        (f"{CODE}# I hope this helps!\n", "chat"),
        (f"```python\n{CODE}```\n", "code_fence"),
        (f"# As an AI language model, I do not run code.\n{CODE}", "refusal"),
        ("# I'm sorry, but I cannot help with that.\n", "refusal"),
        (f"{CODE}<|eot_id|>", "template_marker"),
        (f"[INST] sort [/INST]\n{CODE}", "template_marker"),
        ("def f(x):\n    # your code here\n    pass\n", "unfinished"),
        ("def f(x):\n    # ... rest of the code\n    pass\n", "unfinished"),
    ],
)
def test_traces_of_a_conversation_are_found(content: str, reason: str):
    found = residue(content)
    assert found is not None
    assert found[0] == reason


@pytest.mark.parametrize(
    "content",
    [
        CODE,
        'def f():\n    """Markdown:\n\n    ```python\n    f()\n    ```\n    """\n    return "user: you"\n',
        "# Here are the cases of the standard.\nCASES = 3\n",
        f"{CODE}{'x = 1' + chr(10)}" * 200 + 'text = "I\'m sorry"\n' + CODE * 40,
        'netloc = f"//user:{password}@host"\n',
        "raise NotImplementedError\n",
    ],
)
def test_ordinary_code_is_left_alone(content: str):
    assert residue(content) is None
