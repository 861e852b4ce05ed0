"""Finds secrets in text: keys by pattern, private keys, and random strings named as secrets. Nothing is sent over the network.

in: text of a file  out: the secrets in it
Forms: those of detect-secrets, without its verification, and those it lacks (snowcoder.filtering.key_patterns). A match counts from the
start of a word and reaches to its end. Random strings: in quotes, assigned at the end of a line, in a URL, or after a name as
in commands, headers and XML, by detect-secrets' entropy, if the words before it call it a secret and none near it calls it a digest: a
checksum, a commit or the base64 of readable text is not a secret. Neither is a placeholder (`sk-xxxx`, `AKIAIOSFODNN7EXAMPLE`, `your-key`).
As in BigCode's filter, detect-secrets' plugins for keywords and basic auth are off: they find the word `password`. Speed: a pattern is only
tried on a text that contains one of its fixed strings.
"""

import base64
import binascii
import math
import re
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from urllib.parse import unquote

from detect_secrets.filters.heuristic import is_not_alphanumeric_string, is_potential_uuid, is_sequential_string, is_templated_secret
from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.plugins.discord import DiscordBotTokenDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
from detect_secrets.plugins.high_entropy_strings import Base64HighEntropyString, HexHighEntropyString
from detect_secrets.plugins.mailchimp import MailchimpDetector
from detect_secrets.plugins.npm import NpmDetector
from detect_secrets.plugins.pypi_token import PypiTokenDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.square_oauth import SquareOAuthDetector
from detect_secrets.plugins.stripe import StripeDetector
from detect_secrets.plugins.telegram_token import TelegramBotTokenDetector
from detect_secrets.plugins.twilio import TwilioKeyDetector

from snowcoder.filtering.key_patterns import KEY_PATTERNS

# Plugin -> strings of which a text must hold one (lower case, compared so) for a match to be possible; none named: always asked.
_PLUGINS: tuple[tuple[Callable[[], RegexBasedDetector], tuple[str, ...]], ...] = (
    (AWSKeyDetector, ("a3t", "abia", "acca", "akia", "asia", "aws")),
    (AzureStorageKeyDetector, ("accountkey=",)),
    (DiscordBotTokenDetector, ()),
    (GitHubTokenDetector, ("ghp_", "gho_", "ghu_", "ghs_", "ghr_")),
    (GitLabTokenDetector, ("gl", "gr1348941")),
    (MailchimpDetector, ("-us",)),
    (NpmDetector, ("_authtoken=",)),
    (PypiTokenDetector, ("pypi-age",)),
    (SendGridDetector, ("sg.",)),
    (SlackDetector, ("xox", "hooks.slack.com")),
    (SquareOAuthDetector, ("sq0csp-",)),
    (StripeDetector, ("k_live_",)),
    (TelegramBotTokenDetector, ()),
    (TwilioKeyDetector, ("ac", "sk")),
)
BASE64_ENTROPY_BITS = 4.0
# A string of 20 different characters has log2(20) = 4.3 bits, and one drawn at random repeats a few.
MAX_MISSING_ENTROPY_BITS = 0.6
MAX_WORD_CHARS = 0.55  # per character; 0.2 where characters are drawn at random
MIN_CLASS_CHANGES = 0.3  # per character; 0.6 where characters are drawn at random
HEX_ENTROPY_BITS = 3.0
MIN_BASE64_CHARS = 20
MIN_HEX_CHARS = 32
# The longest piece between separators must be this long: `"Some/path/To/module2"` is a path, and an identifier has underscores.
MIN_UNBROKEN_CHARS = 16
MIN_GROUP_CHARS = 16
MIN_DISTINCT_CHARS = 8
MAX_WORDS_CHARS = 40

_PRIVATE_KEY = re.compile(
    r"(?:-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----|Private-Lines: \d+)"
    r"(?P<body>(?:(?!---).){40,20000}?)(?:-----END |---- END |Private-MAC: )",
    re.DOTALL,
)
_KEY_LINE = re.compile(r"[A-Za-z0-9+/=]{20}")
_WORD_CHARS = re.compile(r"[\w-]{0,1000}")  # longer words are no keys, and would be read again from each of their places
_QUOTED = re.compile(rf"""(["'`])(?P<string>[A-Za-z0-9+/_=~.-]{{{MIN_BASE64_CHARS},512}})\1""")
_ASSIGNED = re.compile(
    rf"^[ \t]*(?:export[ \t]+|set[ \t]+)?[\w.-]+[ \t]*[=:][ \t]*(?P<string>[A-Za-z0-9+/_=~-]{{{MIN_BASE64_CHARS},512}})"
    r"(?:[ \t]+[#;].*|[ \t\r]*)$",
    re.MULTILINE,
)
_IN_QUERY = re.compile(rf"(?i:key|token|secret|password)=(?P<string>[A-Za-z0-9+/_~-]{{{MIN_BASE64_CHARS},512}})")
# An option of a command, an HTTP header, an element of XML, a line of a Dockerfile
_AFTER_NAME = re.compile(
    rf"(?i:(?:key|token|secret|passw(?:or)?d)(?:>|[ \t]+|:[ \t]*)|\bbearer[ \t]+)"
    rf"(?P<string>[A-Za-z0-9+/_=~-]{{{MIN_BASE64_CHARS},512}})(?![\w.+/-])"
)
_CAMEL_WORD = re.compile(r"[A-Z]?[a-z]{3,}")
_HEX = re.compile(r"[0-9a-fA-F]+")
_SECRET_WORDS = re.compile(r"secret|token|passw|passphrase|\bpwd|_pwd|\bpw\b|credential|bearer|\bapi|_api|auth|key", re.IGNORECASE)
_DIGEST_WORDS = re.compile(
    r"sha\d|hash|digest|md5|checksum|integrity|crc|hex|uuid|guid|fingerprint|thumbprint|alphabet|charset|nonce|commit|revision|\brev\b|etag"
    r"|pub(?:lic)?[_-]?key|signature|vector|expect|cache|primary[_-]?key|foreign[_-]?key|tokeniz|token_?id|\biv\b|blob|\btree\b|txid|address",
    re.IGNORECASE,
)
_CONTEXT_CHARS = 100
_MIN_CONTEXT_CHARS = 4  # a string that begins its line belongs to the line before
_PLACEHOLDER = re.compile(
    r"x{5}|\*{3}|example|sample|placeholder|dummy|changeme|redacted|insert|replace|your[_-]|[_-]here\b|abcdef?gh|12345678|98765432|(.)\1{6}",
    re.IGNORECASE,
)
_TEMPLATE = re.compile(r"[{}<>*\[\]()|\\]|^[$%]\w*%?$|%[sd]")
_PASSWORD_WORDS = re.compile(
    r"(?:(?:my|your|an?|the|some|db|database|user|test|example|sample|dummy|fake|super|very|strong|default|old|new|pass(?:word|wd|phrase)?"
    r"|pwd|pw|pas|secret|token|key|api|change|change_?me|username|name|login|host|port|postgres(?:ql)?|mysql|redis|mongo(?:db)?|rabbit(?:mq)?"
    r"|neo4j|minio|airflow|sa|root|admin|guest|foo|bar|baz|qux|abc|xyz|xxx+|ok|me|here|value|string|redacted|masked|hidden|x-oauth-basic"
    r"|p|u|letmein|qwerty|scott|tiger)[ ._-]?)+\d{0,4}[!@]?",
    re.IGNORECASE,
)


def find_secrets(text: str) -> set[str]:
    """The secrets in `text`, as they are written there."""
    found = {match["body"] for match in _PRIVATE_KEY.finditer(text) if _KEY_LINE.search(match["body"])}
    lowered = text.lower()
    for needles, pattern in _patterns():
        if not needles or any(needle in lowered for needle in needles):
            found |= {secret for match in pattern.finditer(text) if _is_key(secret := _whole_word(match))}
    return found | _random_strings(text)


def is_placeholder_password(password: str, user: str) -> bool:
    """Whether the password of `scheme://user:password@host` is a placeholder: a template, digits alone, or a word such as `secret`."""
    password = unquote(password)
    templated = _TEMPLATE.search(password) is not None
    words = (len(password) <= MAX_WORDS_CHARS and _PASSWORD_WORDS.fullmatch(password) is not None) or password.lower() == user.lower()
    return templated or words or password.isdigit() or password.startswith("masked-secret-") or _PLACEHOLDER.search(password) is not None


def _whole_word(match: re.Match[str]) -> str:
    """What a pattern found, to the end of the word; "" if it begins within one. A group is the secret only if it is long: `(ghp|gho)_…`."""
    groups = [number for number, group in enumerate(match.groups(), start=1) if group and len(group) >= MIN_GROUP_CHARS]
    start, end = match.span(max(groups, key=lambda number: len(match[number]), default=0))
    text = match.string
    before = text[start - 1 : start]
    if (before.isalnum() or before == "_") and text[start - 2 : start] not in ("\\n", "\\t"):
        return ""
    rest = _WORD_CHARS.match(text, end)
    return text[start : rest.end() if rest else end]


def _is_key(string: str) -> bool:
    """Whether what has the form of a key is one: enough different characters, not lower case letters alone, and no placeholder."""
    kinds = any(map(str.isdigit, string)) or any(map(str.isupper, string))
    return kinds and len(set(string)) >= MIN_DISTINCT_CHARS and _PLACEHOLDER.search(string) is None


def _random_strings(text: str) -> set[str]:
    """Strings that look drawn at random and are called a secret, and not a digest."""
    matches = (match for pattern in (_QUOTED, _ASSIGNED, _IN_QUERY, _AFTER_NAME) for match in pattern.finditer(text))
    return {match["string"] for match in matches if _looks_random(match["string"]) and _is_called_secret(text, *match.span("string"))}


def _is_called_secret(text: str, start: int, end: int) -> bool:
    line_start = text.rfind("\n", 0, start) + 1
    if len(text[line_start:start].strip()) < _MIN_CONTEXT_CHARS:
        line_start = text.rfind("\n", 0, max(0, line_start - 1)) + 1
    before = text[max(line_start, start - _CONTEXT_CHARS) : start]
    after = text[end : end + _CONTEXT_CHARS].partition("\n")[0]
    return _SECRET_WORDS.search(before) is not None and _DIGEST_WORDS.search(before) is None and _DIGEST_WORDS.search(after) is None


def _looks_random(string: str) -> bool:
    base64_plugin, hex_plugin = _entropy_plugins()
    if not any(map(str.isdigit, string)) or not _is_key(string) or _is_known_form(string):
        return False
    if _HEX.fullmatch(string):
        return (
            len(string) >= MIN_HEX_CHARS
            and not _counts_up(bytes.fromhex(string[: len(string) // 2 * 2]))
            and hex_plugin.calculate_shannon_entropy(string) > HEX_ENTROPY_BITS
        )
    classes = (str.isupper, str.islower, str.isdigit)
    if not all(any(map(belongs, string)) for belongs in classes) or max(map(len, re.split(r"[/_+=.~-]", string))) < MIN_UNBROKEN_CHARS:
        return False
    if (
        _class_changes(string) < MIN_CLASS_CHANGES * len(string)
        or _word_chars(string) > MAX_WORD_CHARS * len(string)
        or _is_readable(string)
    ):
        return False
    return base64_plugin.calculate_shannon_entropy(string) > min(BASE64_ENTROPY_BITS, math.log2(len(string)) - MAX_MISSING_ENTROPY_BITS)


def _class_changes(string: str) -> int:
    """How often an upper case letter, a lower case letter or a digit follows one of another class: CamelCase has few such places."""
    classes = [(char.isupper(), char.islower(), char.isdigit()) for char in string]
    return sum(before != after for before, after in pairwise(classes))


def _word_chars(string: str) -> int:
    """Characters of what may be words: at least three lower case letters in a row, with the upper case letter before them."""
    return sum(map(len, _CAMEL_WORD.findall(string)))


def _is_known_form(string: str) -> bool:
    """An alphabet, a UUID, a template or no letters at all: those of detect-secrets' filters that look at the string alone."""
    return any(test(string) for test in (is_sequential_string, is_potential_uuid, is_templated_secret, is_not_alphanumeric_string))


def _is_readable(string: str) -> bool:
    """Whether it is the base64 of printable text or of bytes that count up: a test vector, no key."""
    try:
        decoded = base64.b64decode(string + "=" * (-len(string) % 4), altchars=b"-_" if set("-_") & set(string) else None, validate=True)
    except (binascii.Error, ValueError):
        return False
    return _counts_up(decoded) or all(32 <= byte < 127 or byte in (9, 10, 13) for byte in decoded)


def _counts_up(data: bytes) -> bool:
    """Whether all bytes are the same distance apart."""
    return len({(after - before) % 256 for before, after in pairwise(data)}) == 1


@cache
def _patterns() -> tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]:
    of_plugins = ((needles, pattern) for plugin, needles in _PLUGINS for pattern in plugin().denylist)
    return (*of_plugins, *(((needle,), pattern) for needle, pattern in KEY_PATTERNS))


@cache
def _entropy_plugins() -> tuple[Base64HighEntropyString, HexHighEntropyString]:
    return Base64HighEntropyString(BASE64_ENTROPY_BITS), HexHighEntropyString(HEX_ENTROPY_BITS)
