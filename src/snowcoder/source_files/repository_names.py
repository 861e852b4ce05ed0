"""Normalises the repository names that people write.

in: `owner/name`, or an address (https, ssh, git, `git@host:owner/name.git`, `host.org/owner/name`), with or without `.git`, slashes,
`/tree/main`, `?tab=…`
out: path segments in lower case, without the host: ("owner", "name"), ("group", "subgroup", "name"), or one segment alone
"""

import re
from functools import lru_cache

# Hosts at which an address has an owner and a name, and whatever follows is a place in the repository
_TWO_SEGMENTS = ("github.com", "githubusercontent.com", "bitbucket.org", "codeberg.org", "gitee.com", "huggingface.co", "hf.co", "sr.ht")
# Where the address of a distribution has its name, by package index: pypi.org/project/name
_PACKAGE_INDEXES = {"pypi.org": ("project", "p"), "pypi.python.org": ("pypi",)}
_KNOWN_HOSTS = (*_TWO_SEGMENTS, *_PACKAGE_INDEXES, "gitlab.com")
_SHORT_HOSTS = {"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}
_ADDRESS = re.compile(
    r"(?:(?:git\+)?(?:https?|ssh|git|ftp|svn)://(?:[^/@]*@)?(?P<named>[^/:]+)(?::\d+)?(?:/|$)"
    r"|(?:ssh://)?[\w.-]+@(?P<remote>[\w.-]+)[:/]"
    r"|(?P<short>github|gitlab|bitbucket):(?!/)"  # npm's github:owner/name
    rf"|(?P<known>(?:[\w-]+\.)?(?:{'|'.join(map(re.escape, _KNOWN_HOSTS))}))(?:/|$)"
    r"|(?P<other>(?:[\w-]+\.)+[a-z]{2,})/(?=[^/]+/+(?!(?:-|tree|blob|\*)(?:/|$))[^/]))"  # two names follow: a host, or a group with a dot
)
_INSIDE = re.compile(r"/(?:-|tree|blob)(?:/.*)?$")
_END_OF_SENTENCE = re.compile(r"(?<=\w)[.,;]+$")
_OWNER_PAGES = ("orgs", "users")  # github.com/orgs/owner/repositories
_HUB_KINDS = ("datasets", "models", "spaces")  # huggingface.co/datasets/owner/name


@lru_cache(maxsize=1 << 16)
def read_repository(text: str) -> tuple[str, tuple[str, ...]]:
    """(host, segments). host: empty where none is named. segments: empty where none follow; what is no name, such as `*`, is left there."""
    name = text.strip().strip("\"'`<>").strip().lower()
    name = _END_OF_SENTENCE.sub("", name)
    address = _ADDRESS.match(name)
    host = next(filter(None, address.groups())).removeprefix("www.") if address else ""
    host = _SHORT_HOSTS.get(host, host)
    if address:
        name = re.split(r"[?#]", name[address.end() :])[0]
    parts = [part for part in name.split("/") if part]
    if len(parts) > 2:
        parts = [*parts[:1], *_INSIDE.sub("", "/".join(parts[1:])).split("/")]
    if len(parts) == 3 and parts[0] in _HUB_KINDS and (not host or host.endswith(("huggingface.co", "hf.co"))):
        parts = parts[1:]
    if host:
        parts = _of_host(host, parts)
    if parts:
        parts[0] = parts[0].lstrip("@~")
        parts[-1] = parts[-1].removesuffix(".git")
    return host, tuple(parts)


def distribution_name(name: str) -> str:
    """A name without an owner as package indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name.lower())


def is_package_index(host: str) -> bool:
    """Whether what a host names is a distribution, and no owner."""
    return host in _PACKAGE_INDEXES


def _of_host(host: str, parts: list[str]) -> list[str]:
    if is_package_index(host):
        return parts[1:2] if parts and parts[0] in _PACKAGE_INDEXES[host] else []
    if parts[:1] and parts[0] in _OWNER_PAGES:
        return parts[1:2]
    if parts[:1] == ["repos"] and host.startswith("api."):
        parts = parts[1:]
    if host.endswith(_TWO_SEGMENTS):
        return parts[:2]
    # a page such as owner.github.io/name, or a site: one segment is no owner
    return parts if len(parts) > 1 or host.endswith(_KNOWN_HOSTS) else []
