"""Where a server is: what is no address is refused, and its secrets are in no message."""

import base64
import html
import json
from urllib.parse import quote

import pytest

from snowcoder.errors import ParameterError
from snowcoder.inference.engines.endpoint import Endpoint

PLANTED = 'sk-planted/"<&7+x'


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:8000/v1/", "http://127.0.0.1:8000/v1"),
        ("https://user:p%40ss@host.example/v1", "https://host.example/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("http://host", "http://host"),
    ],
)
def test_an_address_is_asked_and_shown_without_its_credentials(url: str, address: str) -> None:
    assert Endpoint(url).address == address
    assert "user" not in repr(Endpoint(url))


def test_a_key_and_a_name_with_a_password_become_a_header() -> None:
    assert Endpoint("http://host/v1").headers == {}
    assert Endpoint("http://host/v1", "k-123456").headers == {"Authorization": "Bearer k-123456"}
    basic = base64.b64encode(b"user:p@ss").decode()
    assert Endpoint("http://user:p%40ss@host/v1").headers == {"Authorization": f"Basic {basic}"}


@pytest.mark.parametrize(
    "url",
    [
        "not a url",
        "",
        "host:8000/v1",
        "ftp://host/v1",
        "http://",
        "http:///v1",
        "http://host:port/v1",
        "http://host:99999/v1",
        "http://[::1/v1",
        "http://host/v1?key=planted-secret",
        "http://host/v1#planted-secret",
        "http://ho st/v1",
        "http://host/v1\n",
        "http://planted-secret@[x/v1",
        "planted-secret",
    ],
)
def test_what_is_no_address_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ParameterError, match=r"environment: SNOWCODER_ENDPOINT_URL: found .*; allowed: http") as caught:
        Endpoint(url)
    assert "planted" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("key", ["planted secret", "planted-secret\n", "planted\tsecret", "planted-sécret", "planted\x00secret"])
def test_a_key_that_no_header_holds_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ParameterError, match=r"SNOWCODER_ENDPOINT_KEY: found .*; allowed: visible ASCII characters") as caught:
        Endpoint("http://host/v1", key)
    assert "planted" not in str(caught.value)


def test_a_key_next_to_a_password_is_refused() -> None:
    with pytest.raises(
        ParameterError, match="SNOWCODER_ENDPOINT_KEY: found a key, and a name or password in SNOWCODER_ENDPOINT_URL"
    ) as caught:
        Endpoint("http://user:planted-secret@host/v1", "planted-key")
    assert "planted" not in str(caught.value)


FORMS = {
    "plain": PLANTED,
    "json": json.dumps(PLANTED)[1:-1],
    "json with slashes": json.dumps(PLANTED)[1:-1].replace("/", "\\/"),
    "json of go": json.dumps(PLANTED)[1:-1].replace("<", "\\u003c").replace("&", "\\u0026"),
    "of an address": quote(PLANTED, safe=""),
    "of a path": quote(PLANTED),
    "html": html.escape(PLANTED),
    "base64": base64.b64encode(PLANTED.encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_key_is_redacted_in_each_form_that_a_server_may_echo(form: str) -> None:
    endpoint = Endpoint("http://host/v1", PLANTED)
    assert endpoint.redacted(f"wrong key ({form})") == "wrong key (***)"


def test_name_and_password_of_an_address_are_redacted() -> None:
    endpoint = Endpoint("http://user:planted%2Fsecret@host/v1")
    basic = base64.b64encode(b"user:planted/secret").decode()
    for shown in ("planted/secret", "planted%2Fsecret", "user:planted%2Fsecret", basic):
        assert "planted" not in endpoint.redacted(f"<{shown}>")
        assert basic not in endpoint.redacted(f"<{shown}>")
    # alone, the name is the key
    assert "planted" not in Endpoint("http://sk-planted@host/v1").redacted("no user sk-planted")


def test_a_word_in_place_of_a_key_does_not_blot_out_messages() -> None:
    assert Endpoint("http://host/v1", "x").redacted("explained: 0x12") == "explained: 0x12"
