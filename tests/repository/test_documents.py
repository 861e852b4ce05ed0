"""Checks what README.md, CONTRIBUTING.md, SECURITY.md and docs/ name: paths, links, commands, modules and parameters exist."""

import importlib
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from snowcoder.configuration.sections import SECTIONS
from snowcoder.pipeline.params import read_yaml

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "SECURITY.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md"))]
STAGES: dict[str, Any] = read_yaml(ROOT / "dvc.yaml")["stages"]
# Paths of other people's repositories, as examples show them
# what a user names, or what `make evaluate` writes
EXAMPLES = {"data/python", "src/a.py"}
EXAMPLES |= {"results/benchmarks.md", "results/benchmarks/<model>.json"}
BLOCK = re.compile(r"^```\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FOLDERS = "bench|data|docs|launch|metrics|models|profiles|results|src|stages|tests|tools"
NAMED_PATH = re.compile(rf"(?<![\w/.-])((?:{FOLDERS})/[\w./<>*-]*[\w>/*]|[A-Z]\w+\.md|(?:dvc|params)\.yaml|dvc\.lock|pyproject\.toml)")


def read(document: str) -> str:
    return (ROOT / document).read_text()


def code(document: str) -> list[str]:
    """What a document shows as code: lines of its blocks without their comments, and what is in backticks."""
    text = read(document)
    lines = [re.sub(r"(^|\s)#\s.*", "", line) for block in BLOCK.findall(text) for line in block.splitlines()]
    return [*lines, *re.findall(r"`([^`\n]+)`", BLOCK.sub("", text))]


@cache
def tracked() -> list[str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


def exists(name: str) -> bool:
    """Whether a path is in the repository, or below an output of a stage; `<name>` stands for any one part, `*` as in a shell."""
    parts = name.rstrip("/").split("/")
    if parts[0] in ("data", "models") and len(parts) > 1 and (parts[1] in STAGES or parts[1].startswith("<")):
        return True
    pattern = "[^/]*".join(re.escape(part) for part in re.split(r"<\w+>|\*", name.rstrip("/")))
    return any(re.fullmatch(rf"{pattern}(/.*)?", path) for path in tracked())


@pytest.mark.parametrize("document", DOCUMENTS)
def test_named_paths_exist(document: str) -> None:
    named = {name for text in code(document) for name in NAMED_PATH.findall(text)} - EXAMPLES
    assert [name for name in sorted(named) if not exists(name)] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_to_files(document: str) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", BLOCK.sub("", read(document)))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (ROOT / document).parent.joinpath(link).exists()] == []


def test_every_page_is_reached_from_the_readme() -> None:
    links = set(re.findall(r"\]\(([^)#]+)\)", read("README.md")))
    assert set(DOCUMENTS) - {"README.md"} <= links


@pytest.mark.parametrize("document", DOCUMENTS[1:])
def test_a_page_begins_with_the_question_that_it_answers(document: str) -> None:
    assert re.fullmatch(r"# .+\?", read(document).splitlines()[0])


@pytest.mark.parametrize("document", DOCUMENTS)
def test_make_targets_exist(document: str) -> None:
    named = {name for text in code(document) for name in re.findall(r"(?:^|&& )make ([a-z-]+)(?![\w=-])", text)}
    assert named <= set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))


def test_the_commands_of_the_first_minutes_are_in_the_readme() -> None:
    readme = read("README.md")
    assert all(command in readme for command in ("make repro", "make ui", "make profile PROFILE=toy", "git checkout -- dvc.lock"))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_modules_and_names_of_code_exist(document: str) -> None:
    for text in code(document):
        for module in re.findall(r"python -m ([\w.]+)", text):
            path = module.replace(".", "/")
            found = [ROOT / folder / name for folder in ("", "src") for name in (f"{path}.py", f"{path}/__main__.py")]
            assert module in ("pip", "venv") or "<" in text or any(path.is_file() for path in found), module
        for name in re.findall(r"\bsnowcoder(?:\.\w+)+", text):
            assert resolve(name), name


def resolve(name: str) -> bool:
    """Whether a dotted name is a module or a package, or something in one."""
    parts = name.split(".")
    path = ROOT / "src" / Path(*parts)
    if path.with_suffix(".py").is_file() or path.is_dir():
        return True
    n_modules = max(count for count in range(1, len(parts)) if (ROOT / "src" / Path(*parts[:count])).with_suffix(".py").is_file())
    value: Any = importlib.import_module(".".join(parts[:n_modules]))
    for part in parts[n_modules:]:
        value = getattr(value, part, None)
    return value is not None


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if name != "docs/field_cases.md"])  # which quotes faults
def test_parameters_exist(document: str) -> None:
    """A dotted name that begins with a section of params.yaml; `+` before it adds a new key."""
    sections = "|".join(SECTIONS)
    pattern = re.compile(rf"(?<![\w./+])((?:{sections})(?:\.[a-zA-Z]\w*)+)(?![\w/(])")
    named = {key for text in code(document) for key in pattern.findall(text)}
    params = read_yaml(ROOT / "params.yaml")
    assert [key for key in sorted(named) if not is_parameter(key, params)] == []


def is_parameter(key: str, params: dict[str, Any]) -> bool:
    """Whether a key has a value in params.yaml, or is a field that its section may leave out."""
    section, *fields = key.split(".")
    value: Any = params.get(section)
    for field in fields:
        value = value.get(field, KeyError) if isinstance(value, dict) else KeyError
    return value is not KeyError or (len(fields) == 1 and fields[0] in SECTIONS[section].model_fields)


def test_the_readme_has_every_stage_and_every_folder() -> None:
    readme = read("README.md")
    rows = {name for row in re.findall(r"^\| ([a-z_, ]+) \|", readme, re.MULTILINE) for name in row.split(", ")}
    assert {path.stem for path in (ROOT / "stages").glob("[a-z]*.py")} <= rows
    (tree,) = [block for block in BLOCK.findall(readme) if "src/snowcoder/" in block]
    listed = set(re.findall(r"(?<![\w/])([a-z_]+)/(?![\w/])", tree)) | {"src"}
    folders = {path.split("/")[0] for path in tracked() if "/" in path and path[0] != "."}
    packages = {path.parent.name for path in (ROOT / "src/snowcoder").glob("*/__init__.py")}
    assert sorted((folders | packages) - listed) == []


SETS = ("documented functions (validation)", "held-out code", "functions of evaluation-only packages", "HumanEval solutions")


def differences() -> dict[tuple[str, str], tuple[str, str, str]]:
    """(variant, set of texts) -> difference to the control and its interval, as the committed report has them, to three decimals."""
    number = r"([+-]\d+\.\d+)"
    row = re.compile(rf"^\| (\w+) \| \w+ \| ([^|]+?) \| [\d.]+ \| [\d.]+ \| {number} \| [^|]+ \| {number} to {number} \|", re.MULTILINE)
    found = row.findall(read("results/report.md"))
    return {(variant, texts): tuple(f"{float(value):+.3f}" for value in values) for variant, texts, *values in found}  # type: ignore[misc]


def arm_differences(document: str) -> dict[str, tuple[str, str, str]]:
    """{arm: (difference to random files, low, high)} of a page's table of arms, to three digits."""
    signed = r"([+-]\d\.\d+)"
    rows = re.findall(rf"^\| (\w+) \|[^|]+\| random \| \d+ \| [\d.]+ \| {signed} \| {signed} to {signed} \|", read(document), re.MULTILINE)
    return {arm: (f"{float(value):+.3f}", f"{float(low):+.3f}", f"{float(high):+.3f}") for arm, value, low, high in rows}


def test_the_arms_of_the_results_page_are_those_of_the_report() -> None:
    found, page = arm_differences("results/report.md"), read("docs/results.md")
    assert set(found) == {"HQINS", "loops", "repository_matched"}
    assert all(f"| {difference} | {low} to {high} |" in page for difference, low, high in found.values())
    assert "Pipeline demonstration, no claim about data" in read("results/report.md")  # as README says


def test_the_figures_of_the_experiment_are_those_of_its_page() -> None:
    arms, page = arm_differences("results/experiment.md"), read("docs/results.md")
    assert len(arms) == 13
    assert all(f"| {difference} | {low} to {high} |" in page for difference, low, high in arms.values())
    signed = r"([+-]\d\.\d+)"
    claims = re.findall(
        rf"^\| HQINS better than \w+ \| [^|]+ \| {signed} \| {signed} to {signed} \| {signed} to {signed} \|",
        read("results/experiment.md"),
        re.MULTILINE,
    )
    assert len(claims) == 3
    for difference, *pooled, low, high in (tuple(f"{float(value):+.3f}" for value in claim) for claim in claims):
        assert f"| {difference} | {' to '.join(pooled)} | {low} to {high} |" in page
        assert re.search(rf"{re.escape(difference)} \((95%: )?{re.escape(f'{low} to {high}')}\)", read("README.md"))


def test_the_tables_of_the_results_page_are_those_of_the_report() -> None:
    page, report = read("docs/results.md"), read("results/report.md")
    for variant in ("continued", "enhanced"):
        values = [differences()[variant, texts] for texts in SETS]
        assert f"| {variant} | {' | '.join(value[0] for value in values)} |" in page
        assert f"| {' | '.join(f'{low} to {high}' for _, low, high in values)} |" in page
    cells = r"(?: \([^)]*\))? \| (\d\.\d{3})"
    models = re.findall(rf"^\| (\w+){cells}{cells}{cells}{cells}", report, re.MULTILINE)
    assert models[0][0] == "initial"
    for name, *bits in models:
        assert re.search(rf"^\| {name}\b.* [|] {' [|] '.join(bits)} [|]$", page, re.MULTILINE), name
