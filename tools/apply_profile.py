"""Merges profiles/<name>.yaml into params.yaml as a reviewable diff: `make profile PROFILE=h100`; `make profile` lists the profiles.

An overlay may only set keys that exist in params.yaml (but it may add arms to train_branches.arms); mappings merge, everything else
replaces, and so does a mapping that names its `kind`, for its other fields follow from that. Nothing is written unless the result passes
the checks that every run makes.
`nano` is params.yaml as committed: `make profile PROFILE=nano` restores it, and keeps what it replaces in the work folder.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from dvc.utils.serialize import dumps_yaml, parse_yaml_for_update
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from snowcoder.configuration.checking import find_faults, overwrite_notice
from snowcoder.errors import ParameterError, SnowcoderError
from snowcoder.pipeline.param_faults import did_you_mean, shown
from snowcoder.pipeline.params import PARAMS_PATH, read_yaml
from snowcoder.pipeline.stage import run_tool, work_dir

PROFILES = Path("profiles")
COMMITTED = "nano"
# mappings whose keys are names that the user chooses: an overlay may add to them, and says what it names in full
NAMED = ("train_branches.arms",)


def merge(base: Any, overlay: Any, source: str, field: str = "") -> None:
    """Set every leaf of `overlay` in `base`, in place. Raises ParameterError for a key that `base` lacks."""
    for key, value in overlay.items():
        name = f"{field}.{key}" if field else str(key)
        if field in NAMED:
            base[key] = value
            continue
        if key not in base:
            allowed = ", ".join(map(str, base))
            raise ParameterError(f"{source}: {name}: unknown parameter; {did_you_mean(key, base)}params.yaml has: {allowed}")
        if not (isinstance(base[key], dict) and isinstance(value, dict)) or _is_in_brackets(base[key]):
            base[key] = value
        elif "kind" in value:
            for stale in [other for other in base[key] if other not in value]:
                del base[key][stale]
            base[key].update(value)
        else:
            merge(base[key], value, source, name)


def merged(profile: Path, params: Path) -> str:
    """The text of `params` with the overlay merged, as DVC itself would write it: comments and order of params."""
    overlay, expected = (_without_sharing(read_yaml(path)) for path in (profile, params))
    merge(expected, overlay, str(profile))
    document = parse_yaml_for_update(params.read_text(), str(params))
    merge(document, overlay, str(profile))
    text = dumps_yaml(document)
    _refuse_side_effects(YAML(typ="safe", pure=True).load(text), expected, f"{profile}: {params}")
    return text


def apply_profile(profile: Path, params: Path) -> None:
    """Rewrite `params` with the overlay merged, whatever its values."""
    params.write_text(merged(profile, params))


def list_profiles() -> str:
    """One line for each: the first comment of its file."""
    described = {COMMITTED: "the committed params.yaml (restores it)"}
    for path in sorted(PROFILES.glob("*.yaml")):
        described[path.stem] = path.read_text().split("\n")[0].removeprefix("# ")
    width = max(map(len, described))
    return "\n".join(f"{name:<{width}}  {text}" for name, text in described.items())


def restore() -> str:
    """Write the committed params.yaml; returns a message."""
    committed = _git("show", f"HEAD:./{PARAMS_PATH}")
    found = PARAMS_PATH.read_text() if PARAMS_PATH.exists() else ""
    if found == committed:
        return f"{PARAMS_PATH}: already as committed"
    kept = work_dir() / "params.yaml.replaced"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(found)
    _replace(committed)
    return f"{PARAMS_PATH}: restored as committed; its former content is in {kept}"


def apply(name: str) -> str:
    """Merge a profile and check the result; returns a message. Raises ParameterError for a refused value, without writing anything."""
    profile = PROFILES / f"{name}.yaml"
    text = merged(profile, PARAMS_PATH)
    is_changed = PARAMS_PATH.read_text() != _git("show", f"HEAD:./{PARAMS_PATH}")
    partial = PARAMS_PATH.with_name(f".{PARAMS_PATH}.partial")
    partial.write_text(text)
    try:
        faults = find_faults(partial)
    finally:
        partial.unlink()
    if faults:
        raise ParameterError("\n".join([f"{profile}: {PARAMS_PATH} would be refused with it, and is left unchanged:", *faults]))
    _replace(text)
    before = f"It already had changes, and keeps those that {profile} does not set. " if is_changed else ""
    applied = f"{PARAMS_PATH}: profile {name} applied. {before}See `git diff {PARAMS_PATH}`; `make profile PROFILE={COMMITTED}` restores it"
    return f"{applied}\n{overwrite_notice()}".rstrip()


def main() -> None:
    """Apply the profile named on the command line; without one, list them."""
    names = [COMMITTED, *sorted(path.stem for path in PROFILES.glob("*.yaml"))]
    if len(sys.argv) < 2:
        print(f"{list_profiles()}\nmake profile PROFILE=name")
    elif len(sys.argv) > 2 or sys.argv[1] not in names:
        found = " ".join(sys.argv[1:])
        sys.exit(f"error: profile: found {found!r}; {did_you_mean(found, names)}allowed: {', '.join(names)}")
    else:
        try:
            print(restore() if sys.argv[1] == COMMITTED else apply(sys.argv[1]))
        except SnowcoderError as error:
            sys.exit(f"error: {error}")


def _without_sharing(value: Any) -> Any:
    """A copy in which values that an anchor (`&`) ties together are separate."""
    if isinstance(value, dict):
        return {key: _without_sharing(inner) for key, inner in value.items()}
    return [_without_sharing(inner) for inner in value] if isinstance(value, list) else value


def _refuse_side_effects(found: Any, expected: Any, source: str, field: str = "") -> None:
    """Raises ParameterError if the merge changes anything that the overlay does not set: an anchor ties one value to another."""
    if isinstance(found, dict) and isinstance(expected, dict) and found.keys() == expected.keys():
        for key, value in found.items():
            _refuse_side_effects(value, expected[key], source, f"{field}.{key}" if field else str(key))
    elif found != expected:
        shared = "it shares its value with another key by `&` and `*`, and the profile sets that one; write the value out"
        raise ParameterError(f"{source}: {field} would become {shown(found)} instead of {shown(expected)}: {shared}")


def _is_in_brackets(mapping: dict[str, Any]) -> bool:
    return isinstance(mapping, CommentedMap) and bool(mapping.fa.flow_style())


def _replace(text: str) -> None:
    partial = PARAMS_PATH.with_name(f".{PARAMS_PATH}.partial")
    partial.write_text(text)
    os.replace(partial, PARAMS_PATH)


def _git(*arguments: str) -> str:
    result = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    if result.returncode:
        raise SnowcoderError(f"git {' '.join(arguments)}: {result.stderr.strip()}; profiles are diffs against the committed {PARAMS_PATH}")
    return result.stdout


if __name__ == "__main__":
    run_tool(main)
