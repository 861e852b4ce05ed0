"""Merge profiles/<name>.yaml into params.yaml as a reviewable diff: `make profile PROFILE=h100`.

An overlay may only set keys that exist in params.yaml; mappings merge, everything else replaces, and so does a mapping that names its
`kind`, for its other fields follow from that. `nano` is params.yaml as committed:
`git checkout params.yaml` restores it.
"""

import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from snowcoder.errors import ParameterError


def merge(base: Any, overlay: Any, source: str, field: str = "") -> None:
    """Set every leaf of `overlay` in `base`, in place. Raises ParameterError for a key that `base` lacks."""
    for key, value in overlay.items():
        name = f"{field}.{key}" if field else str(key)
        if key not in base:
            raise ParameterError(f"{source}: {name}: unknown parameter; params.yaml has: {', '.join(map(str, base))}")
        if isinstance(base[key], dict) and isinstance(value, dict) and "kind" not in value:
            merge(base[key], value, source, name)
        else:
            base[key] = value


def apply_profile(profile: Path, params: Path) -> None:
    """Rewrite `params` with the overlay merged, comments kept."""
    yaml = YAML()
    yaml.width = 200
    document = yaml.load(params.read_text())
    merge(document, YAML(typ="safe", pure=True).load(profile.read_text()), str(profile))
    with params.open("w") as file:
        yaml.dump(document, file)


def main() -> None:
    """Apply the profile named on the command line."""
    names = sorted(path.stem for path in Path("profiles").glob("*.yaml"))
    if len(sys.argv) != 2 or sys.argv[1] not in names:
        found = " ".join(sys.argv[1:]) or "none"
        sys.exit(
            f"error: profile: found {found}; allowed: make profile PROFILE=<name> with {', '.join(names)}. "
            "nano is params.yaml as committed: `git checkout params.yaml` restores it"
        )
    try:
        apply_profile(Path("profiles") / f"{sys.argv[1]}.yaml", Path("params.yaml"))
    except ParameterError as error:
        sys.exit(f"error: {error}")
    print(f"params.yaml: profile {sys.argv[1]} applied; see `git diff params.yaml`, go back with `git checkout params.yaml`")


if __name__ == "__main__":
    main()
