"""Finds secrets in text: the patterns and entropy limits of detect-secrets, without its verification (nothing goes over the network).

in: text of a file  out: the secrets in it.

As BigCode does, the plugins for basic auth and keywords are off (they find the word `password`, not one), and so is entropy near a word
for a digest: a checksum is no secret. Private keys are found by their PEM block here. Speed: a plugin looks at a text only if it holds
one of the plugin's fixed strings.
"""

import re
from collections.abc import Iterator
from functools import cache

from detect_secrets.filters.heuristic import is_not_alphanumeric_string, is_potential_uuid, is_sequential_string, is_templated_secret
from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
from detect_secrets.plugins.base import BasePlugin, RegexBasedDetector
from detect_secrets.plugins.discord import DiscordBotTokenDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
from detect_secrets.plugins.high_entropy_strings import Base64HighEntropyString, HexHighEntropyString
from detect_secrets.plugins.jwt import JwtTokenDetector
from detect_secrets.plugins.mailchimp import MailchimpDetector
from detect_secrets.plugins.npm import NpmDetector
from detect_secrets.plugins.openai import OpenAIDetector
from detect_secrets.plugins.pypi_token import PypiTokenDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.square_oauth import SquareOAuthDetector
from detect_secrets.plugins.stripe import StripeDetector
from detect_secrets.plugins.telegram_token import TelegramBotTokenDetector
from detect_secrets.plugins.twilio import TwilioKeyDetector

# Plugin -> strings of which a text must hold one (lower case, compared so) for a match to be possible; none named: always asked.
_PATTERN_PLUGINS: tuple[tuple[type[BasePlugin], tuple[str, ...]], ...] = (
    (AWSKeyDetector, ("a3t", "abia", "acca", "akia", "asia", "aws")),
    (AzureStorageKeyDetector, ("accountkey=",)),
    (DiscordBotTokenDetector, ()),
    (GitHubTokenDetector, ("ghp_", "gho_", "ghu_", "ghs_", "ghr_")),
    (GitLabTokenDetector, ("gl", "gr1348941")),
    (JwtTokenDetector, ("eyj",)),
    (MailchimpDetector, ("-us",)),
    (NpmDetector, ("_authtoken=",)),
    (OpenAIDetector, ("t3blbkfj",)),
    (PypiTokenDetector, ("pypi-age",)),
    (SendGridDetector, ("sg.",)),
    (SlackDetector, ("xox", "hooks.slack.com")),
    (SquareOAuthDetector, ("sq0csp-",)),
    (StripeDetector, ("k_live_",)),
    (TelegramBotTokenDetector, ()),
    (TwilioKeyDetector, ("ac", "sk")),
)
BASE64_ENTROPY_BITS = 4.5
HEX_ENTROPY_BITS = 3.0
MIN_BASE64_CHARS = 20
MIN_HEX_CHARS = 32
# The longest piece between separators must be this long: `"Some/path/To/module2"` is a path, and an identifier has underscores.
MIN_UNBROKEN_CHARS = 16
MIN_GROUP_CHARS = 16

_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?P<body>[^-]{40,}?)-----END ")
_QUOTED = re.compile(rf"""(["'])([A-Za-z0-9+/_=-]{{{MIN_BASE64_CHARS},512}})\1""")
_HEX = re.compile(r"[0-9a-fA-F]+")
_DIGEST_WORDS = re.compile(r"sha\d|hash|digest|md5|checksum|integrity|crc|hex|uuid|guid|fingerprint|alphabet|charset|nonce", re.IGNORECASE)
_CONTEXT_CHARS = 100


def find_secrets(text: str) -> set[str]:
    """The secrets in `text`, as they are written there."""
    found = {match["body"] for match in _PRIVATE_KEY.finditer(text)}
    lowered = text.lower()
    for plugin, needles in _plugins():
        if not needles or any(needle in lowered for needle in needles):
            found |= {secret for secret in _matches(plugin, text) if _may_be_secret(secret)}
    return found | _random_strings(text)


def _matches(plugin: BasePlugin, text: str) -> Iterator[str]:
    """What the plugin's patterns match. A group is the secret only if it is long: analyze_string would give `ghp` for `(ghp|gho)_…`."""
    if not isinstance(plugin, RegexBasedDetector) or type(plugin).analyze_string is not RegexBasedDetector.analyze_string:
        yield from plugin.analyze_string(text)
        return
    for pattern in plugin.denylist:
        for match in pattern.finditer(text):
            groups = [group for group in match.groups() if group and len(group) >= MIN_GROUP_CHARS]
            yield max(groups, key=len, default=match.group())


def _random_strings(text: str) -> set[str]:
    """Quoted strings that look drawn at random, away from words for digests and alphabets."""
    return {
        match[2]
        for match in _QUOTED.finditer(text)
        if _looks_random(match[2]) and not _DIGEST_WORDS.search(text, max(0, match.start() - _CONTEXT_CHARS), match.end() + _CONTEXT_CHARS)
    }


def _looks_random(string: str) -> bool:
    base64_plugin, hex_plugin = _entropy_plugins()
    if _HEX.fullmatch(string):
        return len(string) >= MIN_HEX_CHARS and _may_be_secret(string) and hex_plugin.calculate_shannon_entropy(string) > HEX_ENTROPY_BITS
    classes = (str.isupper, str.islower, str.isdigit)
    if not all(any(map(belongs, string)) for belongs in classes) or max(map(len, re.split(r"[/_+=-]", string))) < MIN_UNBROKEN_CHARS:
        return False
    return _may_be_secret(string) and base64_plugin.calculate_shannon_entropy(string) > BASE64_ENTROPY_BITS


def _may_be_secret(string: str) -> bool:
    """Not a placeholder, an identifier or an alphabet: those of detect-secrets' filters that look at the string alone, and a digit."""
    refused = (is_sequential_string, is_potential_uuid, is_templated_secret, is_not_alphanumeric_string)
    return any(map(str.isdigit, string)) and len(set(string)) > 4 and not any(test(string) for test in refused)


@cache
def _plugins() -> tuple[tuple[BasePlugin, tuple[str, ...]], ...]:
    return tuple((plugin(), needles) for plugin, needles in _PATTERN_PLUGINS)


@cache
def _entropy_plugins() -> tuple[Base64HighEntropyString, HexHighEntropyString]:
    return Base64HighEntropyString(BASE64_ENTROPY_BITS), HexHighEntropyString(HEX_ENTROPY_BITS)
