"""Write each stage's import closure into its `deps` in dvc.yaml, because DVC does not follow imports.

Run by `make deps` after a change of imports.
"""

from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq

from snowcoder.fingerprint import REPOSITORY_ROOT, import_closure
from snowcoder.tool import run_tool

CODE_PREFIXES = ("src/", "stages/")
CODE_FOLDERS = {"src/snowcoder", "stages"}


def code_deps(stage: str) -> list[str]:
    """Repository paths of the code that a stage runs, sorted; empty packages' __init__ files are left out."""
    closure = import_closure(REPOSITORY_ROOT / "stages" / f"{stage}.py")
    return sorted(str(path.relative_to(REPOSITORY_ROOT)) for path in closure)


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
        body["deps"] = CommentedSeq([*data, *code_deps(name)])
    with path.open("w") as file:
        yaml.dump(document, file)


if __name__ == "__main__":
    run_tool(main)
