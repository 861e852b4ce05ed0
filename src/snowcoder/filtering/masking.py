"""Replaces emails, public IP addresses and secrets in text; equal values get the same replacement everywhere.

in: text of a file  out: the text without them, and how many were replaced by kind (email, ip_address, secret).

A stand-in depends on the value alone, so that one value stays one value over all files, and is of a form that is never masked again:
  email       user-1a2b@example.com                  (reserved for documentation, RFC 2606)
  ip_address  203.0.113.7, 2001:db8::1a2b            (reserved for documentation, RFC 5737 and 3849)
  secret      masked-secret-1a2b                     (also for the password of `scheme://user:password@host`, there alone)
Left alone: addresses that are private, loopback, reserved, multicast, or a public resolver; numbers that read as versions; addresses
at example domains; `git@`, which is a user name of servers; algorithms of SSH; matrix products (`left@right.de`), in Python wherever code
stands. Masking is idempotent.
"""

import hashlib
import ipaddress
import re
from collections import Counter
from collections.abc import Callable

from snowcoder.filtering.python_syntax import code_ranges
from snowcoder.filtering.secrets import find_secrets, is_placeholder_password
from snowcoder.filtering.top_domains import TOP_DOMAINS

# A second pass finds what the first one's stand-ins have set free; no text is known to need a third.
MAX_PASSES = 4
KINDS = ("email", "ip_address", "secret")

_EMAIL = re.compile(
    r"(?<![\w.%+-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?P<domain>(?:[A-Za-z0-9-]{1,63}\.){1,6}(?P<top>[A-Za-z]{2,18}))(?![\w@(\[-]|\.\w)"
)
# `A@B.me`, `x@self.w.in`: a product, as nobody has an address at a domain of one letter; `logo@2x.ai` is a file.
_PRODUCT_DOMAIN = re.compile(r"(?:[A-Za-z]\.[A-Za-z]+|self\..*|\dx\..*)$")
_EXAMPLE_DOMAIN = re.compile(r"(?:^|\.)(?:example|test|invalid|localhost|local)$|(?:^|\.)example\.(?:com|org|net|edu)$", re.IGNORECASE)
# Algorithms of SSH are named `name@domain` of who defined them (RFC 4251, section 6): hmac-sha2-256-etm@openssh.com
_ALGORITHM = re.compile(
    r"(?:[a-z0-9]+-)+[a-z0-9-]+@(?:openssh\.com|libssh\.org|lysator\.liu\.se|ssh\.com)|zlib@openssh\.com", re.IGNORECASE
)
_SERVICE_USERS = frozenset({"git", "hg", "svn", "noreply", "no-reply"})
_URL_USER_CHARS = 80
_URL_USER = re.compile(r"://[^\s/@\"'<>]*$")
_URL_PASSWORD = re.compile(
    r"(?P<head>\b[A-Za-z][A-Za-z0-9+.-]{1,20}://(?P<user>[^\s:/@\"'`<>]{0,64}):)(?P<password>[^\s/@\"'`<>]{3,128})(?=@(?P<host>[\w.-]+|\[))"
)
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = re.compile(rf"(?<![\w.\-]){_OCTET}(?:\.{_OCTET}){{3}}(?![\w\-]|\.\w)")
_IPV6 = re.compile(r"(?<![\w:.])[23][0-9a-fA-F]{3}(?::[0-9a-fA-F]{0,4}){2,7}(?![\w:.])")
# A text without these holds no address; a fixed first character or few of them are found far faster than the whole pattern.
_MAYBE_EMAIL = re.compile(r"@[A-Za-z0-9-]{1,63}\.")
_MAYBE_IPV4 = re.compile(r"\.\d{1,3}\.\d{1,3}\.\d")
_MAYBE_IPV6 = re.compile(r":[0-9a-fA-F]{0,4}:")
_VERSION_BEFORE = re.compile(
    r"(?:"
    # also AssemblyVersion, __version__, <version>
    r"identifier|version\w*(?:\.parse)?(?:[\s\"'(:=>/,{]+(?:is|of|was|to|from|number|string|[a-z]\w+))?"
    r"|(?<![a-z])(?:ver|release[ds]?|rev|build|firmware|driver|revision|oid\w*|section|since|requires?|upgraded? to"
    r"|new in|deprecated|tags?|v)"
    r"|[=~!^]=|[<>]=|\(=|[~^]>?|[<>][ ]|,[ ]?[<>]"  # of a requirement
    r"|(?:^|\n)[ \t]*gem [\"'][\w-]+[\"'],"
    r"|(?:^|\n)##+ ?\[?"  # a heading of a list of changes
    r")[\s\"'(:=>/{]*$"
    r"|(?-i:\b[A-Z][A-Za-z]+/$)"  # Chrome/, of a user agent
    r"|\b[a-z][\w.-]*:[a-z][\w.-]*:$|\b(?:image:|(?-i:FROM))\s+\S+:$",  # group:artifact: of Maven, a container's tag
    re.IGNORECASE,
)
_VERSION_CONTEXT_CHARS = 40
_PUBLIC_RESOLVERS = frozenset(
    {"1.1.1.1", "1.0.0.1", "8.8.8.8", "8.8.4.4", "9.9.9.9", "208.67.222.222", "208.67.220.220"}
    | {"2001:4860:4860::8888", "2001:4860:4860::8844", "2606:4700:4700::1111", "2606:4700:4700::1001", "2620:fe::fe"}
)


def mask(text: str, is_python: bool = False) -> tuple[str, Counter[str]]:
    """(text with stand-ins, replacements by kind). mask(mask(text)[0])[0] == mask(text)[0]. is_python: text in code is no email."""
    replaced: Counter[str] = Counter()
    for _ in range(MAX_PASSES):
        masked = _mask_once(text, replaced, is_python)
        if masked == text:
            break
        text = masked
    return text, replaced


def _mask_once(text: str, replaced: Counter[str], is_python: bool) -> str:
    for secret in sorted(find_secrets(text), key=lambda secret: (-len(secret), secret)):
        replaced["secret"] += text.count(secret)
        text = text.replace(secret, f"masked-secret-{_code(secret)}")
    if "://" in text:
        text = _replace("secret", _URL_PASSWORD, _url_password, text, replaced)
    if _MAYBE_EMAIL.search(text):
        matches = [match.span() for match in _EMAIL.finditer(text) if _email(match) != match.group()]
        in_code = code_ranges(text, matches) if is_python and matches else frozenset()
        text = _replace("email", _EMAIL, lambda match: match.group() if match.span() in in_code else _email(match), text, replaced)
    if _MAYBE_IPV4.search(text):
        text = _replace("ip_address", _IPV4, _ipv4, text, replaced)
    if _MAYBE_IPV6.search(text):
        text = _replace("ip_address", _IPV6, _ipv6, text, replaced)
    return text


def _replace(kind: str, pattern: re.Pattern[str], stand_in: Callable[[re.Match[str]], str], text: str, replaced: Counter[str]) -> str:
    def counted(match: re.Match[str]) -> str:
        new = stand_in(match)
        if new != match.group():
            replaced[kind] += 1
        return new

    return pattern.sub(counted, text)


def _url_password(match: re.Match[str]) -> str:
    if _EXAMPLE_DOMAIN.search(match["host"]) or is_placeholder_password(match["password"], match["user"]):
        return match.group()
    return f"{match['head']}masked-secret-{_code(match['password'])}"


def _email(match: re.Match[str]) -> str:
    user = match.group().split("@")[0].lower()
    known = match["top"].lower() in TOP_DOMAINS and not _PRODUCT_DOMAIN.match(match["domain"])
    if not known or user in _SERVICE_USERS or _ALGORITHM.fullmatch(match.group()) or _EXAMPLE_DOMAIN.search(match["domain"]):
        return match.group()
    if _URL_USER.search(match.string, max(0, match.start() - _URL_USER_CHARS), match.start()):  # scheme://user@host
        return match.group()
    return f"user-{_code(match.group().lower())}@example.com"


def _ipv4(match: re.Match[str]) -> str:
    text = match.group()
    before = match.string[max(0, match.start() - _VERSION_CONTEXT_CHARS) : match.start()]
    small = all(len(octet) == 1 for octet in text.split("."))  # 1.2.3.4, 2.5.4.3: an example, a version or an object identifier
    if small or text.endswith(".0.0") or text in _PUBLIC_RESOLVERS or _VERSION_BEFORE.search(before):
        return text
    address = ipaddress.IPv4Address(text)
    return f"203.0.113.{int(_code(text), 16) % 254 + 1}" if address.is_global and not address.is_multicast else text


def _ipv6(match: re.Match[str]) -> str:
    if len(match.group().replace("::", ":").split(":")) < 3:  # 2000::3 is a slice
        return match.group()
    try:
        address = ipaddress.IPv6Address(match.group())
    except ValueError:
        return match.group()
    if not address.is_global or address.compressed in _PUBLIC_RESOLVERS:
        return match.group()
    return f"2001:db8::{_code(address.compressed)}"


def _code(value: str) -> str:
    """Four hexadecimal digits: enough to keep values apart in a file, too few to find the value again."""
    return hashlib.sha256(value.encode()).hexdigest()[:4]
