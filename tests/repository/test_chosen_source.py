"""A corpus chosen on DVC's command line, in the workspace and in the copies that `--temp` and `--queue` run in."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.repository.test_pipeline import ROOT, Clone, working_tree_files

COLUMNS = "columns: {content: text, path: path, repository: repo}"


def write_rows(folder: Path, repository: str) -> None:
    folder.mkdir()
    (folder / "rows.jsonl").write_text(json.dumps({"text": "x = 1\n", "path": "/a.py", "repo": repository}) + "\n")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    root = tmp_path_factory.mktemp("chosen") / "repository"
    for name in working_tree_files():
        if name != "dvc.lock" and not name.startswith(("metrics/", "results/", "tests/")):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
    for name in ("in_git", "in_dvc", "unknown"):
        write_rows(root / name, name)
    write_rows(root.parent / "outside", "outside")
    graph = root / "dvc.yaml"
    graph.write_text(graph.read_text().replace("- data/corpus.lock\n", "- data/corpus.lock\n      - in_dvc\n", 1))
    made = Clone(root)
    made.run("git", "init", "--quiet")
    made.run("git", "config", "user.email", "test@example.org")
    made.run("git", "config", "user.name", "test")
    made.run("dvc", "add", "--quiet", "in_dvc")
    made.run("git", "add", "--all", "--", ":!unknown")
    made.run("git", "commit", "--quiet", "-m", "corpora")
    return made


def fetched(clone: Clone, *arguments: str) -> tuple[int, object]:
    """(files, source in params.yaml) of an experiment that runs fetch_corpus; the workspace is as before."""
    clone.run("dvc", "exp", "run", "--name", "chosen", "--force", *arguments, "fetch_corpus")
    references = clone.run("git", "for-each-ref", "--format=%(refname)", "refs/exps").split()
    (reference,) = [name for name in references if name.endswith("/chosen")]
    metrics = json.loads(clone.run("git", "show", f"{reference}:metrics/fetch_corpus.json"))
    params = YAML(typ="safe", pure=True).load(clone.run("git", "show", f"{reference}:params.yaml"))
    clone.run("dvc", "exp", "remove", "--quiet", "chosen")
    clone.run("git", "checkout", "--quiet", "params.yaml")
    return metrics["rows_out"], params["fetch_corpus"]["source"]


def failed(clone: Clone, *arguments: str) -> str:
    command = ["dvc", "exp", "run", *arguments, "fetch_corpus"]
    result = subprocess.run(command, cwd=clone.root, env=clone.environment, capture_output=True, text=True)
    clone.run("git", "checkout", "--quiet", "params.yaml")
    assert result.returncode != 0
    return result.stdout + result.stderr


@pytest.mark.slow
def test_a_source_can_be_given_whole_or_by_its_name(clone: Clone) -> None:
    source = {"kind": "jsonl", "path": "in_git", "columns": {"content": "text", "path": "path", "repository": "repo"}}
    assert fetched(clone, "-S", f"fetch_corpus.source={{kind: jsonl, path: in_git, {COLUMNS}}}") == (1, source)
    # a mapping in params.yaml would be merged with another; a name in between replaces it
    params = clone.root / "params.yaml"
    params.write_text(params.read_text().replace("  source: wheels\n", "  source: {kind: directory, path: in_git, depth: 0}\n", 1))
    whole = f"fetch_corpus.source={{kind: jsonl, path: in_git, {COLUMNS}}}"
    assert fetched(clone, "-S", "fetch_corpus.source=wheels", "-S", whole) == (1, source)
    named = f"+fetch_corpus.sources.mine={{kind: jsonl, path: in_dvc, {COLUMNS}}}"
    assert fetched(clone, "-S", named, "-S", "fetch_corpus.source=mine") == (1, "mine")
    said = failed(clone, "-S", "fetch_corpus.source=myne")
    assert "found 'myne'; allowed: a name of sources (wheels, small), or a mapping with its kind" in said


@pytest.mark.slow
@pytest.mark.parametrize("path", ["in_git", "in_dvc", "unknown", "../outside"])
def test_a_copy_of_the_last_commit_finds_the_corpus_wherever_it_lies(clone: Clone, path: str) -> None:
    assert fetched(clone, "--temp", "-S", f"fetch_corpus.source={{kind: jsonl, path: {path}, {COLUMNS}}}")[0] == 1


@pytest.mark.slow
def test_a_copy_of_the_last_commit_refuses_a_corpus_that_it_has_in_part(clone: Clone) -> None:
    (clone.root / "in_git/new.jsonl").write_text("{}\n")
    # another limit, for DVC would take the result of the same stage from its run cache
    source = f"fetch_corpus.source={{kind: jsonl, path: in_git, {COLUMNS}}}"
    said = failed(clone, "--temp", "-S", source, "-S", "fetch_corpus.max_file_bytes=63999")
    (clone.root / "in_git/new.jsonl").unlink()
    assert "in_git/new.jsonl: not in the copy of the last commit in which this experiment runs" in said
    assert "or `dvc add in_git` and name in_git among the stage's deps in dvc.yaml, or give an absolute path" in said
