"""Says where a server is and how it is asked, and keeps its secrets out of every message.

in: an address and a key, as the environment has them   out: the address and headers to ask with; texts without the secrets

A server may echo a key in an error, a proxy may put it into a page, and a library prints addresses with their passwords: all text about a
server goes through `Endpoint.redacted` before it is cut, shown or raised.
"""

import base64
import html
import json
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from snowcoder.errors import EngineError, ParameterError

URL, KEY = "SNOWCODER_ENDPOINT_URL", "SNOWCODER_ENDPOINT_KEY"
ALLOWED_URL = "http(s)://host:port/v1, without a query; a key belongs into " + KEY
# shorter ones stand where a key is not needed (`x`, `-`), and are parts of any words
MIN_SECRET_CHARACTERS = 4
REDACTED = "***"


@dataclass(frozen=True)
class Endpoint:
    """Where and how to ask; no part of a result's identity.

    base_url: up to and with /v1; a name and password before the host are sent as Basic authentication. timeout_s: of one request, from
    start to its last byte. attempts: for one request, at most. Raises ParameterError for an address or key that is none, without showing
    it.
    """

    base_url: str = field(repr=False)
    api_key: str = field(default="", repr=False)
    concurrency: int = 64
    timeout_s: float = 600.0
    attempts: int = 8

    def __post_init__(self) -> None:
        parts = _split(self.base_url)
        if not all("!" <= character <= "~" for character in self.api_key):
            found = f"{len(self.api_key)} characters, not shown"
            raise ParameterError(f"environment: {KEY}: found {found}; allowed: visible ASCII characters, without blanks and line ends")
        if self.api_key and "@" in parts.netloc:
            found = f"a key, and a name or password in {URL}"
            raise ParameterError(f"environment: {KEY}: found {found}; allowed: one of the two; remove the other")

    @cached_property
    def address(self) -> str:
        """base_url without name and password: what is asked, and what may be shown."""
        parts = _split(self.base_url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))

    @cached_property
    def headers(self) -> dict[str, str]:
        """Of every request."""
        if self.api_key:
            return {"Authorization": f"Bearer {self.api_key}"}
        return {"Authorization": f"Basic {_base64(':'.join(self._credentials))}"} if any(self._credentials) else {}

    def redacted(self, text: str) -> str:
        """The text without key, password, or a name that stands alone, however they are written in it."""
        for form in self._secret_forms:
            text = text.replace(form, REDACTED)
        return text

    def error(self, message: str) -> EngineError:
        """What is wrong with this server, without its secrets."""
        return EngineError(self.redacted(f"{self.address}: {message}"))

    @cached_property
    def _credentials(self) -> tuple[str, str]:
        """Name and password in the address; empty without."""
        parts = _split(self.base_url)
        return unquote(parts.username or ""), unquote(parts.password or "")

    @cached_property
    def _secret_forms(self) -> list[str]:
        """The longest first, as one may be a part of another."""
        name, password = self._credentials
        written = _split(self.base_url).netloc.rpartition("@")[0]
        # a name alone is a key; next to a password it is a word as any other
        secrets = [self.api_key, password or name, written, written.partition(":")[2]]
        both = f"{name}:{password}"
        secrets += [both, _base64(both)] if any(self._credentials) else []
        forms = {form for secret in secrets if len(secret) >= MIN_SECRET_CHARACTERS for form in _forms(secret)}
        return sorted(forms, key=len, reverse=True)


def _forms(secret: str) -> set[str]:
    """A secret as JSON, addresses, pages and Basic authentication write it."""
    in_json = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    in_json |= {form.replace("/", "\\/") for form in in_json}
    in_json.add(json.dumps(secret)[1:-1].translate({ord(one): f"\\u{ord(one):04x}" for one in "<>&"}))  # as Go writes it
    return {secret, *in_json, quote(secret), quote(secret, safe=""), html.escape(secret), html.escape(secret, quote=False), _base64(secret)}


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _split(url: str) -> SplitResult:
    """The parts of an address. Raises ParameterError if it is none: what it is instead may be a key, and is not shown."""
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0  # reading the port checks it
    except ValueError:
        is_address = False
    # urlsplit passes over tabs and line ends
    if not is_address or parts.query or parts.fragment or not url.isprintable() or " " in url:
        found = f"{len(url)} characters that are no such address (not shown: they may hold a key)"
        raise ParameterError(f"environment: {URL}: found {found}; allowed: {ALLOWED_URL}")
    return parts
