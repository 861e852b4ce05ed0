"""Names the family of a repository: those of one owner or one namespace share authors and code, and must not stand on two sides of a split.

in: a repository's name  out: its family
The name alone decides, so that another repository moves none. `owner/name` belongs to its owner. A distribution belongs to the first part
of its name: jaraco-text and jaraco.collections to jaraco, google-cloud-storage to google, django-debug-toolbar to django.
Now and then that joins what has nothing in common (python-utils and python-dateutil): a split then has one unit less, and no leak.
"""

from snowcoder.source_files.repository_names import distribution_name, read_repository

# The owner of rows that name no repository: each is one by itself (corpus/rows.py)
NO_OWNER = "unknown"


def repository_family(repository: str) -> str:
    """The owner of `owner/name` (or of an address), the first part of a distribution's name, in lower case; else the name itself."""
    _, segments = read_repository(repository)
    if not segments or segments[0] == NO_OWNER:
        return repository
    if len(segments) > 1:
        return segments[0]
    return distribution_name(segments[0]).split("-")[0] or repository
