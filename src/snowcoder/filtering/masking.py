"""Replaces emails, public IP addresses and secrets in text, each value everywhere by the same stand-in.

in: text of a file  out: the text without them, and how many were replaced by kind (email, ip_address, secret).

A stand-in depends on the value alone, so that one value stays one value over all files, and is of a form that is never masked again:
  email       user-1a2b@example.com                  (reserved for documentation, RFC 2606)
  ip_address  203.0.113.7, 2001:db8::1a2b            (reserved for documentation, RFC 5737 and 3849)
  secret      masked-secret-1a2b
Left alone: addresses that are private, loopback, reserved, or a public resolver; numbers that read as versions; addresses at example
domains; `git@`, which is a user name of servers. Masking is idempotent.
"""

import hashlib
import ipaddress
import re
from collections import Counter

from snowcoder.filtering.secrets import find_secrets

# A second pass finds what the first one's stand-ins have set free; no text is known to need a third.
MAX_PASSES = 4
KINDS = ("email", "ip_address", "secret")

_EMAIL = re.compile(
    r"(?<![\w.%+-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?P<domain>(?:[A-Za-z0-9-]{1,63}\.){1,6}(?P<top>[A-Za-z]{2,18}))(?![\w@(\[-]|\.\w)"
)
# `x@y.shape` is a matrix product: only what ends like a domain of the mail world counts.
_TOP_DOMAINS = frozenset(
    {"at", "au", "be", "biz", "br", "ca", "cc", "ch", "cloud", "cn", "co", "com", "cz", "de", "dev", "dk", "edu", "es", "eu", "fi", "fr"}
    | {"gov", "gr", "hu", "ie", "il", "in", "io", "ir", "it", "jp", "kr", "me", "mil", "mx", "net", "nl", "no", "nz", "org", "pl", "pm"}
    | {"pro", "pt", "ro", "ru", "se", "sg", "sh", "si", "sk", "tech", "tr", "tv", "tw", "ua", "uk", "us", "xyz", "za"}
)
_EXAMPLE_DOMAIN = re.compile(r"(?:^|\.)(?:example|test|invalid|localhost|local)$|(?:^|\.)example\.(?:com|org|net|edu)$", re.IGNORECASE)
_SERVICE_USERS = frozenset({"git", "hg", "svn", "noreply", "no-reply"})
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = re.compile(rf"(?<![\w.\-]){_OCTET}(?:\.{_OCTET}){{3}}(?![\w\-]|\.\w)")
_IPV6 = re.compile(r"(?<![\w:.])[23][0-9a-fA-F]{3}(?::[0-9a-fA-F]{0,4}){2,7}(?![\w:.])")
# A text without these holds no address; a fixed first character or few of them are found far faster than the whole pattern.
_MAYBE_EMAIL = re.compile(r"@[A-Za-z0-9-]{1,63}\.")
_MAYBE_IPV4 = re.compile(r"\.\d{1,3}\.\d{1,3}\.\d")
_MAYBE_IPV6 = re.compile(r":[0-9a-fA-F]{0,4}:")
_VERSION_BEFORE = re.compile(
    r"(?:(?<![a-z])(?:version|ver|release|rev|build|chrome|firefox|safari|webkit|msie|v|oid|section)|[=~<>!^]=)[\s\"'(:=/]*$", re.IGNORECASE
)
_VERSION_CONTEXT_CHARS = 24
_PUBLIC_RESOLVERS = frozenset({"1.1.1.1", "1.0.0.1", "8.8.8.8", "8.8.4.4", "9.9.9.9", "208.67.222.222", "208.67.220.220"})


def mask(text: str) -> tuple[str, Counter[str]]:
    """(text with stand-ins, replacements by kind). mask(mask(text)[0])[0] == mask(text)[0]."""
    replaced: Counter[str] = Counter()
    for _ in range(MAX_PASSES):
        masked = _mask_once(text, replaced)
        if masked == text:
            break
        text = masked
    return text, replaced


def _mask_once(text: str, replaced: Counter[str]) -> str:
    for secret in sorted(find_secrets(text), key=lambda secret: (-len(secret), secret)):
        replaced["secret"] += text.count(secret)
        text = text.replace(secret, f"masked-secret-{_code(secret)}")
    if _MAYBE_EMAIL.search(text):
        text = _EMAIL.sub(lambda match: _counted("email", _email(match), match, replaced), text)
    if _MAYBE_IPV4.search(text):
        text = _IPV4.sub(lambda match: _counted("ip_address", _ipv4(match), match, replaced), text)
    if _MAYBE_IPV6.search(text):
        text = _IPV6.sub(lambda match: _counted("ip_address", _ipv6(match), match, replaced), text)
    return text


def _counted(kind: str, stand_in: str, match: re.Match[str], replaced: Counter[str]) -> str:
    if stand_in != match.group():
        replaced[kind] += 1
    return stand_in


def _email(match: re.Match[str]) -> str:
    user = match.group().split("@")[0].lower()
    known = match["top"].lower() in _TOP_DOMAINS
    if not known or user in _SERVICE_USERS or _EXAMPLE_DOMAIN.search(match["domain"]):
        return match.group()
    return f"user-{_code(match.group().lower())}@example.com"


def _ipv4(match: re.Match[str]) -> str:
    text = match.group()
    before = match.string[max(0, match.start() - _VERSION_CONTEXT_CHARS) : match.start()]
    small = all(len(octet) == 1 for octet in text.split("."))  # 1.2.3.4, 2.5.4.3: an example, a version or an object identifier
    if small or text.endswith(".0.0") or text in _PUBLIC_RESOLVERS or _VERSION_BEFORE.search(before):
        return text
    return f"203.0.113.{int(_code(text), 16) % 254 + 1}" if ipaddress.IPv4Address(text).is_global else text


def _ipv6(match: re.Match[str]) -> str:
    if len(match.group().replace("::", ":").split(":")) < 3:  # 2000::3 is a slice
        return match.group()
    try:
        address = ipaddress.IPv6Address(match.group())
    except ValueError:
        return match.group()
    return f"2001:db8::{_code(address.compressed)}" if address.is_global else match.group()


def _code(value: str) -> str:
    """Four hexadecimal digits: enough to keep values apart in a file, too few to find the value again."""
    return hashlib.sha256(value.encode()).hexdigest()[:4]
