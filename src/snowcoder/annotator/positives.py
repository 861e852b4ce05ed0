"""Positives of the annotators: teaching-quality files, and problem/solution pairs made from their doctested functions.

in: wheels pinned in data/positives.lock, the corpus (to be screened against), the benchmarks
out: POSITIVE_SCHEMA rows (SourceFile + kind), sorted by kind and file_id:
  high_quality  documented Python files of those distributions
  instruction   a problem statement and its solution as one Python text; its path is `<module>/<function>.py`
dropped/: DROPPED_POSITIVE_SCHEMA, near duplicates of a corpus file or of another positive; ledger/: overlaps with a benchmark.
A pair whose file is dropped is dropped too. Every row is accounted for, by kind and reason.
"""

import ast
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
from pydantic import Field

from snowcoder.corpus.selection import FileLimits
from snowcoder.corpus.sources import WheelSource
from snowcoder.decontamination.ledger import LEDGER_SCHEMA, count_contamination, ledger_rows
from snowcoder.decontamination.screen import BenchmarkScreen
from snowcoder.deduplication.evidence import DROPPED_SCHEMA
from snowcoder.deduplication.index import NearDuplicateIndex, Sketch, sketch
from snowcoder.deduplication.settings import DeduplicationParams
from snowcoder.deduplication.shingles import jaccard
from snowcoder.errors import EmptyResultError
from snowcoder.execution import map_items
from snowcoder.exercises.cutout import Refusal
from snowcoder.exercises.exercise import Exercise, ExerciseRules, make_exercises
from snowcoder.exercises.names import parse
from snowcoder.exercises.render import render_instruction
from snowcoder.exercises.verify import verify_exercises
from snowcoder.metrics import row_accounts
from snowcoder.records import SOURCE_FILE_SCHEMA, SourceFile, make_source_file
from snowcoder.sandbox.program import SandboxLimits, check_sandbox
from snowcoder.seeding import unit_hash
from snowcoder.shards import read_shard, write_table

KIND = pa.field("kind", pa.string())
POSITIVE_SCHEMA = SOURCE_FILE_SCHEMA.append(KIND)
DROPPED_POSITIVE_SCHEMA = DROPPED_SCHEMA.append(KIND)
KINDS = ("high_quality", "instruction")
TEST_FOLDERS = frozenset({"test", "tests", "testing", "_tests", "benchmarks", "docs", "examples"})
SETUP_FILES = frozenset({"setup.py", "conftest.py", "versioneer.py", "_version.py", "version.py", "__main__.py"})


class FetchPositivesParams(FileLimits):
    """What the positives are made of; the limits of FileLimits hold per distribution (languages: python alone)."""

    source: WheelSource
    only_repositories: list[str] | None = Field(default=None, min_length=1, description="names to take instead of all, for small runs")
    min_file_bytes: int = Field(ge=0, description="smaller files teach nothing: re-exports, constants")
    min_documented_fraction: float = Field(ge=0, le=1, description="share of public functions and classes of a file with a docstring")
    max_instructions_per_repository: int = Field(gt=0, description="a hash of the text decides which pairs of a larger repository stay")
    exercises: ExerciseRules
    sandbox: SandboxLimits


@dataclass
class Kind:
    """Rows of one kind on their way: kept ones by file_id, and why the others went."""

    rows_in: int = 0
    kept: dict[str, SourceFile] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)

    def drop(self, file_id: str, reason: str) -> None:
        """Take a row out and count it."""
        if self.kept.pop(file_id, None) is not None:
            self.dropped[reason] += 1


def build_positives(
    files: Sequence[SourceFile],
    corpus: Sequence[Path],
    screen: BenchmarkScreen,
    params: FetchPositivesParams,
    deduplication: DeduplicationParams,
    output: Path,
) -> dict[str, Any]:
    """Write the positives to `output`; return the metrics by kind, and the contamination. corpus: shards of SourceFile rows.

    Raises EmptyResultError if a kind has no row left, SandboxError if the pairs cannot be verified here.
    """
    check_sandbox()
    kinds = {"high_quality": teaching_files(files, params)}
    kinds["instruction"], origins = instruction_pairs(list(kinds["high_quality"].kept.values()), params)
    ledger = _drop_overlaps(kinds, screen)
    dropped = _drop_duplicates(kinds, corpus, deduplication)
    for file_id, origin in origins.items():
        if origin not in kinds["high_quality"].kept:
            kinds["instruction"].drop(file_id, "its_file_was_dropped")
    _cap_pairs(kinds["instruction"], params.max_instructions_per_repository)
    rows = [file.row() | {"kind": name} for name in KINDS for _, file in sorted(kinds[name].kept.items())]
    write_table(output, [pa.Table.from_pylist(rows, POSITIVE_SCHEMA)], POSITIVE_SCHEMA)
    write_table(output / "dropped", [pa.Table.from_pylist(dropped, DROPPED_POSITIVE_SCHEMA)], DROPPED_POSITIVE_SCHEMA)
    write_table(output / "ledger", [pa.Table.from_pylist(ledger, LEDGER_SCHEMA)], LEDGER_SCHEMA)
    return {name: _accounts(name, kind, params) for name, kind in kinds.items()} | {"contamination": count_contamination(ledger)}


def teaching_files(files: Sequence[SourceFile], params: FetchPositivesParams) -> Kind:
    """The files that pass for teaching-quality code."""
    kind = Kind(rows_in=len(files))
    for file in sorted(files, key=lambda file: file.file_id):
        reason = refuse_file(file, params)
        if reason:
            kind.dropped[reason] += 1
        else:
            kind.kept[file.file_id] = file
    return kind


def refuse_file(file: SourceFile, params: FetchPositivesParams) -> str:
    """Why a file is no positive: not_python, is_a_test, setup_file, too_small, does_not_parse, few_docstrings; '' if it is one."""
    path = PurePosixPath(file.path)
    if file.language != "python":
        return "not_python"
    if not TEST_FOLDERS.isdisjoint(path.parts[:-1]) or path.name.startswith("test_") or path.stem.endswith("_test"):
        return "is_a_test"
    if path.name in SETUP_FILES:
        return "setup_file"
    if file.n_bytes < params.min_file_bytes:
        return "too_small"
    tree = parse(file.content)
    if tree is None:
        return "does_not_parse"
    return "" if documented_fraction(tree) >= params.min_documented_fraction else "few_docstrings"


def documented_fraction(tree: ast.Module) -> float:
    """Share of public functions, methods and classes with a docstring; 0.0 for a file without any."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
    public = [node for node in nodes if not node.name.startswith("_")]
    return sum(1 for node in public if ast.get_docstring(node)) / len(public) if public else 0.0


def instruction_pairs(files: Sequence[SourceFile], params: FetchPositivesParams) -> tuple[Kind, dict[str, str]]:
    """(verified pairs, their file_id -> the file_id of their file)."""
    kind, origins = Kind(), {}
    exercises: list[tuple[SourceFile, Exercise]] = []
    made = map_items(partial(_exercises_of, rules=params.exercises), [(file.content, file.path) for file in files], "positives: exercises")
    for file, results in zip(files, made, strict=True):
        kind.rows_in += len(results)
        kind.dropped.update(result.reason for result in results if isinstance(result, Refusal))
        exercises += [(file, result) for result in results if isinstance(result, Exercise)]
    outcomes = verify_exercises([exercise for _, exercise in exercises], params.sandbox, "positives: sandbox")
    for (file, exercise), outcome in zip(exercises, outcomes, strict=True):
        pair = _pair(file, exercise)
        if not outcome.passed:
            kind.dropped[f"sandbox_{outcome.status}"] += 1
        elif pair.file_id in kind.kept:
            kind.dropped["defined_twice"] += 1
        else:
            kind.kept[pair.file_id], origins[pair.file_id] = pair, file.file_id
    return kind, origins


def corpus_matches(path: Path, index: NearDuplicateIndex, sketches: dict[str, Sketch]) -> list[tuple[str, dict[str, Any], float]]:
    """(key of the positive, corpus row without content but with content_sha256, Jaccard) of every near duplicate in one corpus shard."""
    found = []
    table = read_shard(path, ["file_id", "repository", "path", "language", "content", "content_sha256"])
    for row in table.to_pylist():
        if row["language"] != "python":
            continue
        other = sketch(row.pop("content"), index.params)
        for key in index.candidates(other):
            shared = jaccard(sketches[key].shingles, other.shingles)
            if shared >= index.params.jaccard_threshold:
                found.append((key, row, shared))
    return found


def _exercises_of(file: tuple[str, str], rules: ExerciseRules) -> list[Exercise | Refusal]:
    return list(make_exercises(*file, rules))


def _pair(file: SourceFile, exercise: Exercise) -> SourceFile:
    return make_source_file(
        source="instruction",
        repository=file.repository,
        path=f"{file.path.removesuffix('.py')}/{exercise.name}.py",
        language="python",
        content=render_instruction(exercise.problem, exercise.solution),
        licence=file.licence,
        download_rank=file.download_rank,
        revision=file.revision,
    )


def _drop_overlaps(kinds: dict[str, Kind], screen: BenchmarkScreen) -> list[dict[str, Any]]:
    ledger = []
    for kind in kinds.values():
        for file in list(kind.kept.values()):
            overlaps = screen.overlaps(file.content)
            if overlaps:
                kind.drop(file.file_id, "benchmark_overlap")
                ledger += ledger_rows("positives", file.row(), overlaps)
    return ledger


def _drop_duplicates(kinds: dict[str, Kind], corpus: Sequence[Path], params: DeduplicationParams) -> list[dict[str, Any]]:
    """Drop near duplicates within each kind (the lower file_id stays), then those of any corpus file; DROPPED_POSITIVE_SCHEMA rows."""
    sketches: dict[str, Sketch] = {}
    dropped = [row for name, kind in kinds.items() for row in _drop_within(name, kind, params, sketches)]
    index = NearDuplicateIndex(params)
    owners = {file_id: (name, kind) for name, kind in kinds.items() for file_id in kind.kept}
    sketches = {file_id: sketches[file_id] for file_id in owners}
    for file_id, file_sketch in sketches.items():
        index.insert_sketch(file_id, file_sketch)
    matches = map_items(partial(corpus_matches, index=index, sketches=sketches), corpus, "positives: corpus")
    for file_id, (name, kind) in owners.items():
        found = [(row, shared) for part in matches for key, row, shared in part if key == file_id]
        if found:
            row, shared = min(found, key=lambda pair: (-pair[1], pair[0]["file_id"]))
            dropped.append(_dropped_row(name, kind.kept[file_id], row, shared))
            kind.drop(file_id, "duplicate_of_corpus")
    return dropped


def _drop_within(name: str, kind: Kind, params: DeduplicationParams, sketches: dict[str, Sketch]) -> list[dict[str, Any]]:
    index, dropped = NearDuplicateIndex(params), []
    for file_id, file in sorted(kind.kept.items()):
        sketches[file_id] = sketch(file.content, params)
        match = index.match_sketch(sketches[file_id])
        if match:
            dropped.append(_dropped_row(name, file, kind.kept[match[0]].row(), match[1]))
            kind.drop(file_id, "duplicate_of_positive")
        else:
            index.insert_sketch(file_id, sketches[file_id])
    return dropped


def _dropped_row(name: str, file: SourceFile, kept: dict[str, Any], shared: float) -> dict[str, Any]:
    row = asdict(file)
    row |= {"kept_file_id": kept["file_id"], "kept_repository": kept["repository"], "kept_path": kept["path"], "jaccard": shared}
    row |= {"reason": "exact" if kept["content_sha256"] == file.content_sha256 else "near", "kind": name}
    return {column: row[column] for column in DROPPED_POSITIVE_SCHEMA.names}


def _cap_pairs(kind: Kind, max_per_repository: int) -> None:
    taken: Counter[str] = Counter()
    for file in sorted(kind.kept.values(), key=lambda file: (unit_hash(0, file.content_sha256), file.file_id)):
        taken[file.repository] += 1
        if taken[file.repository] > max_per_repository:
            kind.drop(file.file_id, "over_instructions_per_repository")


def _accounts(name: str, kind: Kind, params: FetchPositivesParams) -> dict[str, Any]:
    if not kind.kept:
        reasons = dict(sorted(kind.dropped.items()))
        raise EmptyResultError(f"fetch_positives: no {name} row is left of {kind.rows_in} (dropped: {reasons}); widen {params.source.lock}")
    accounts = row_accounts(kind.rows_in, len(kind.kept), kind.dropped)
    return accounts | {"repositories": len({file.repository for file in kind.kept.values()})}
