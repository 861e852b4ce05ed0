"""snowcoder.filtering.masking: what is masked, what is not, and that the result is stable."""

import ast
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snowcoder.filtering.masking import mask

# Made up here, in the form of the real ones; joined so that no scanner takes this file for a leak.
AWS_KEY = "AKIA" + "Q3EGRIVJ7ZC5MX2P"
GITHUB_TOKEN = "ghp_" + "a8Bz0QwErT1yUiOp2AsDfGh3JkLzXc4VbNm5"
RANDOM_KEY = "wq8Zr1Tn" + "Yk4vXb7LmCp2Ds9HfGj3"
HEX_KEY = "9f86d081884c7d65" + "9a2feaa0c55ad015"
DJANGO_KEY = "7q&k2=)w!m9x_v4t^b8z" + "@r5c-h3n(j6s+p1d*f0g#a$uey7ilo"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("# Author: Jane Doe <jane.doe@somewhere.org>", "email"),
        ('user = "j.d+list@mail.example-host.co.uk"', "email"),
        ("server = '93.184.216.34'", "ip_address"),
        ("10:23:45: 93.184.216.34 whois/", "ip_address"),
        ("https://lookup.net/whois/93.184.216.34", "ip_address"),
        ("# see 2606:2800:220:1:248:1893:25c8:1946 for that", "ip_address"),
        (f"key = '{AWS_KEY}'", "secret"),
        (f"token: {GITHUB_TOKEN}", "secret"),
        (f'api = "{RANDOM_KEY}"', "secret"),
        (f"password = '{HEX_KEY}'", "secret"),
        (f"curl -H 'Authorization: Bearer {RANDOM_KEY}' https://x.y", "secret"),
        (f"deploy --token {RANDOM_KEY} --now", "secret"),
        (f"<apiKey>{RANDOM_KEY}</apiKey>", "secret"),
        (f"ENV JWT_SECRET {RANDOM_KEY}", "secret"),
        (f"machine a.b login c password {RANDOM_KEY}", "secret"),
        (f"secret_key = {RANDOM_KEY} ; of the old server", "secret"),
        (f"SECRET_KEY = '{DJANGO_KEY}'", "secret"),
        (f'SECRET_KEY = "django-insecure-{DJANGO_KEY}"', "secret"),
    ],
)
def test_personal_data_and_secrets_are_replaced_and_counted(text: str, kind: str) -> None:
    masked, replaced = mask(text)
    assert replaced == {kind: 1}
    assert masked != text
    assert mask(masked) == (masked, {})


@pytest.mark.parametrize(
    "text",
    [
        "user@example.com, a@b.example, git@github.com:owner/name.git, no-reply@service.com",
        "weights = inputs@self.weight.T + other@matrix.shape[0] - left@right.com(3)",
        "@decorator.name\ndef f(): ...",
        "127.0.0.1 10.0.0.7 192.168.1.20 172.16.3.4 169.254.1.1 0.0.0.0 255.255.255.0 192.0.2.17 203.0.113.9",
        "8.8.8.8 and 1.1.1.1 are resolvers",
        "version 12.4.33.1, v12.4.33.1, Chrome/96.0.4664.110, package==12.4.33.1, oid 2.5.4.3",
        "12.4.33.1.7 and 1.12.4.33.1 have more parts; 300.12.4.33 is none",
        "a[::2], std::dec, 12:30:45, fe80::1, ::1, 2001:db8::1, b[2000::3]",
        'digest = "sha256:9f86d081884c7d659a2feaa0c55ad0159f86d081884c7d659a2feaa0c55ad015"',
        "checksum = '9f86d081884c7d659a2feaa0c55ad015'",
        'letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"',
        'path = "Some/Module2/With/A/Long/Path/Name"',
        'name = "test_that_Something_Long_happens_2_times"',
        'id = "123e4567-e89b-12d3-a456-426614174000"',
        "Ciphers chacha20-poly1305@openssh.com, curve25519-sha256@libssh.org, zlib@openssh.com",
        "opencv-python>=4.8.1.78,<4.9.10.80 and a >= 4.8.1.78, < 4.9.10.80",
        "FROM mcr.microsoft.com/dotnet/sdk:12.11.10.9",
        "gem 'rails', '6.11.7.10'",
        "## [12.11.10.9] - 2020-01-01",
        "git checkout tags/12.11.10.9, tag: 12.11.10.9, .. deprecated:: 12.11.10.9, New in 12.11.10.9",
        "version.parse('12.11.10.9')",
        "SSDP = '239.255.255.250'; MDNS = '224.0.0.251'",
        "the key DefaultAuthenticationProviderFactory and a token test_that_Something_Long_happens_2_times",
    ],
)
def test_what_is_neither_is_left_alone(text: str) -> None:
    assert mask(text) == (text, {})


def test_a_private_key_is_replaced_as_a_whole() -> None:
    body = "MIIEpAIBAAKCAQEA7bq3k0f\n" * 4
    text = f'KEY = """-----BEGIN RSA PRIVATE KEY-----\n{body}-----END RSA PRIVATE KEY-----"""\n'
    masked, replaced = mask(text)
    assert replaced == {"secret": 1}
    assert "MIIE" not in masked
    ast.parse(masked)


def test_one_value_has_one_stand_in_everywhere() -> None:
    first, _ = mask("a@corp.com b@corp.com A@Corp.com")
    second, _ = mask("x = 'b@corp.com'")
    stand_ins = first.split()
    assert stand_ins[0] == stand_ins[2] != stand_ins[1]
    assert stand_ins[1] in second


def test_a_password_in_a_url_is_replaced_there_alone() -> None:
    text = "url = 'postgres://shop:green4@db.corp.net/x'\nclass green4: ...\n"
    masked, replaced = mask(text)
    assert replaced == {"secret": 1}
    assert masked.startswith("url = 'postgres://shop:masked-secret-")
    assert masked.endswith("@db.corp.net/x'\nclass green4: ...\n")


def test_a_key_is_replaced_to_its_end() -> None:
    key = "sk_live_" + "51Hq8Zr1TnYk4vXb7LmCp2Ds9HfGj3wE6"  # older keys had 24 characters after the second underscore
    masked, _ = mask(f"key = '{key}'")
    assert re.fullmatch(r"key = 'masked-secret-[0-9a-f]{4}'", masked)


def test_in_python_a_product_is_no_email_and_a_string_beside_it_holds_one() -> None:
    text = "y = left@right.de  # ask jane@corp.com\nz = 'jane@corp.com'\n"
    masked, replaced = mask(text, is_python=True)
    assert replaced == {"email": 2}
    assert masked.startswith("y = left@right.de  # ask user-")
    assert mask(masked, is_python=True) == (masked, {})


def test_masked_python_still_parses() -> None:
    text = f"def send(to='jane@corp.com', host='93.184.216.34'):\n    '''Sends to jane@corp.com.'''\n    return '{GITHUB_TOKEN}'\n"
    masked, replaced = mask(text)
    ast.parse(masked)
    assert replaced == {"email": 2, "ip_address": 1, "secret": 1}


PIECES = st.sampled_from(
    (
        *("jane@corp.com", "a.b@c.org", "@", ".", " ", "\n", '"', "'", "93.184.216.34", "8.8.4.4", "hash", "=", "\\", ":", "v", "x", "7"),
        *(AWS_KEY, GITHUB_TOKEN, RANDOM_KEY, HEX_KEY, "eyJhbGciOi", "2606:2800:220:1:248:1893:25c8:1946", "-", "/"),
        *("://", "ftp://ann:", "xY7pq9", "@host.net", "/", "API_KEY=", "key = ", "sk-"),
        *("masked-secret-1a2b", "user-1a2b@example.com", "203.0.113.7"),
    )
)


@given(st.lists(st.one_of(PIECES, st.text(max_size=5)), max_size=25).map("".join), st.booleans())
def test_masking_is_idempotent(text: str, is_python: bool) -> None:
    masked, _ = mask(text, is_python)
    assert mask(masked, is_python) == (masked, {})


@pytest.mark.parametrize(
    "unit", ["eyJ", "sk-", "glpat-", "xoxb-1-", "a@b.", "http://a:pass", "-----BEGIN PRIVATE KEY-----", "1.1.1.1", "key='"]
)
def test_hostile_text_is_masked_in_time(unit: str) -> None:
    """A hundred thousand characters that begin a form again and again: seconds at most, where trying each to the end would take minutes."""
    text = unit * (100_000 // len(unit))
    started = time.process_time()
    mask(text)
    assert time.process_time() - started < 10
