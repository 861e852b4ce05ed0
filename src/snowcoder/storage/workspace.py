"""Resolves relative paths, also in a copy of the repository.

DVC runs experiments of `--temp` and `--queue` in a copy of what Git tracks, in `.dvc/tmp/exps` of the repository, whose path is in
DVC_ROOT. A relative path of params.yaml or of the environment means the same there as in the repository; one that leads to files that Git
does not track is found in the repository itself.
"""

import os
import re
import sys
from functools import cache
from pathlib import Path


def original_root() -> Path:
    """The repository that a person works in; the current folder without DVC."""
    return Path(os.environ.get("DVC_ROOT") or Path.cwd())


def is_copy() -> bool:
    """Whether this process runs in DVC's copy of the repository."""
    return original_root().resolve() != Path.cwd().resolve()


def find_path(text: str) -> Path:
    """The path that `text`, of params.yaml or of the environment, names: absolute, or relative to the repository."""
    normal = os.path.normpath(text)
    if os.path.isabs(text) or not is_copy():
        return Path(text)
    original = Path(os.path.normpath(original_root() / normal))
    if normal.split(os.sep)[0] == os.pardir:
        return original
    if Path(text).exists() or not original.exists():
        return Path(text)
    _say_once(f"{text}: Git does not track it, so that the copy of this experiment lacks it; it is read from {original}")
    return original


def untracked_hint(message: str) -> str:
    """What to do about paths in `message` that the repository has and its copy lacks, or ''."""
    if not is_copy():
        return ""
    words = dict.fromkeys(word.rstrip(".") for word in re.findall(r"[\w./+-]+", message) if not os.path.isabs(word))
    lacking = [word for word in words if word and not Path(word).exists() and (original_root() / word).is_file()]
    if not lacking:
        return ""
    names = " ".join(lacking)
    return (
        f"\nnote: {original_root()} has {names}, but this experiment runs in a copy of what Git tracks: `git add {names}`, "
        f"or `dvc exp run --copy-paths {lacking[0]} …`"
    )


@cache
def _say_once(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
