"""Writes the code that each stage imports into its `deps` in dvc.yaml, because DVC does not follow imports: `make deps`.

A dependency is the folder of a component; of an expensive stage, the file. Run it after a change of imports.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq

from snowcoder.pipeline.fingerprint import REPOSITORY_ROOT, import_closure
from snowcoder.pipeline.stage import run_tool

CODE_PREFIXES = ("src/", "stages/")
CODE_FOLDERS = {"src/snowcoder", "stages"}
# Their reruns cost most: each depends on the files that it imports, not on its components' whole folders.
EXPENSIVE_STAGES = {"embed_files", "pretrain", "generate_completions", "measure_bits_per_byte", "train_branches"}


def script(body: Mapping[str, Any]) -> str:
    """The script that a stage of dvc.yaml runs: `pretrain`."""
    return str(body["cmd"].split()[2])


def code_deps(stage: str, script_name: str) -> list[str]:
    """Repository paths of the code that decides what a stage computes, sorted: folders of components, or files of an expensive stage.

    A module of snowcoder itself, or of a component that has further folders, is named by its file.
    """
    closure = import_closure(REPOSITORY_ROOT / "stages" / f"{script_name}.py")
    return sorted({str(_dependency(path, stage).relative_to(REPOSITORY_ROOT)) for path in closure})


def _dependency(path: Path, stage: str) -> Path:
    folder = path.parent
    has_folders = any(child.is_dir() and child.name != "__pycache__" for child in folder.iterdir())
    by_file = stage in EXPENSIVE_STAGES or folder.name == "stages" or has_folders
    return path if by_file else folder


def main() -> None:
    """Rewrite dvc.yaml in place, keeping comments and data dependencies."""
    yaml = YAML()
    yaml.width = 400
    yaml.indent(mapping=2, sequence=4, offset=2)
    path = Path("dvc.yaml")
    document = yaml.load(path.read_text())
    for name, stage in document["stages"].items():
        body = stage.get("do", stage)
        if set(body["deps"]) >= CODE_FOLDERS:
            continue  # check_params reads every model
        data = [dep for dep in body["deps"] if not dep.startswith(CODE_PREFIXES)]
        body["deps"] = CommentedSeq([*data, *code_deps(name, script(body))])
    with path.open("w") as file:
        yaml.dump(document, file)


if __name__ == "__main__":
    run_tool(main)
