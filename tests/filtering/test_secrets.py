"""snowcoder.filtering.secrets: the fast path finds what the plugins find, and never asks the network."""

import socket

import pytest

from snowcoder.filtering import secrets
from snowcoder.filtering.secrets import find_secrets

# Made up here, in the form of the real ones.
SAMPLES = [
    "AKIA" + "Q3EGRIVJ7ZC5MX2P",
    "AccountKey=" + "lJzRc1YdHaAA2KCNJJ1tkYwF/+mKK6Ygw0NGe170Xu592euJv2wYUtBlV8z+qnlcNQSnIYVTkLWntUO1F8j8rQ==",
    "gho_" + "a8Bz0QwErT1yUiOp2AsDfGh3JkLzXc4VbNm5",
    "glpat-" + "x7Kq2mZp9Vt4Rw8Ys3Nd",
    "xoxb-" + "34532454-e039d02840a0b9379c",
    "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "SG." + "ngeVfQFYQlKU0ufo8x5d1A." + "TwL2iGABf9DHoTf-09kqeF8tAmbihYzrnopKc-1s5cr",
    "sq0csp-" + "Zt4KQw9xLm2_Rv7NcBy3HsJd8Fg-uPe5oAi6TqUkYhXMr",
]


@pytest.mark.parametrize("secret", SAMPLES)
def test_a_secret_is_found_in_the_middle_of_a_file(secret: str) -> None:
    text = f"def f():\n    return 1\n\nvalue = '{secret}'\n\nprint(value)\n"
    assert any(secret.endswith(found) or found in secret for found in find_secrets(text))


@pytest.mark.parametrize("secret", SAMPLES)
def test_no_fixed_string_hides_a_match(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fixed strings are a shortcut: with all plugins always asked, the same is found."""
    text = f"value = '{secret}'\n"
    quick = find_secrets(text)
    always = tuple(((), pattern) for _, pattern in secrets._patterns())
    monkeypatch.setattr(secrets, "_patterns", lambda: always)
    assert find_secrets(text) == quick


def test_nothing_goes_over_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("a secret was about to be sent for verification")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    assert find_secrets("\n".join(SAMPLES))


@pytest.mark.parametrize(
    "text", ["", "import os\n", "token = 'your-token-here'", "key = '<API_KEY_1>'", "password = 'hunter2'", "AKIA1111111111111111"]
)
def test_placeholders_and_plain_code_hold_no_secret(text: str) -> None:
    assert find_secrets(text) == set()
