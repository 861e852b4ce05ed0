"""Screens the annotators' positives: no benchmark problem, no copy of a corpus file, no duplicates.

in: positives by kind (see kinds), the corpus (to be screened against), the benchmarks
out: POSITIVE_SCHEMA rows (SourceFile + kind), sorted by kind and file_id
dropped/: DROPPED_POSITIVE_SCHEMA, near duplicates of a corpus file or of another positive; ledger/: overlaps with a benchmark.
A pair whose file is dropped is dropped too. Every row is accounted for, by kind and reason.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from snowcoder.corpus.repository_limits import LeftOut
from snowcoder.decontamination.ledger import LEDGER_SCHEMA, count_contamination, ledger_rows
from snowcoder.decontamination.screen import BenchmarkScreen
from snowcoder.deduplication.deduplication_params import DeduplicationParams
from snowcoder.deduplication.evidence import DROPPED_SCHEMA
from snowcoder.deduplication.near_duplicate_index import NearDuplicateIndex, Sketch, sketch
from snowcoder.deduplication.shingles import jaccard
from snowcoder.errors import EmptyResultError
from snowcoder.pipeline.execution import map_items
from snowcoder.positives.kinds import DatasetsSource, FetchPositivesParams, Gathered, PositiveRows, gather_datasets
from snowcoder.positives.teaching_code import gather_teaching_code
from snowcoder.seeding import unit_hash
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA, SourceFile
from snowcoder.storage.metrics import row_accounts
from snowcoder.storage.shards import read_shard, write_table

KIND = pa.field("kind", pa.string())
POSITIVE_SCHEMA = SOURCE_FILE_SCHEMA.append(KIND)
DROPPED_POSITIVE_SCHEMA = DROPPED_SCHEMA.append(KIND)


def gather_positives(params: FetchPositivesParams, downloads: Path, skipped: LeftOut) -> Gathered:
    """What the source holds, unscreened; `skipped` counts the files and rows that it leaves out. downloads: folder kept between runs."""
    if isinstance(params.source, DatasetsSource):
        return gather_datasets(params.source, params, downloads, skipped)
    return gather_teaching_code(list(params.source.files(params, params.only_repositories, downloads, skipped)), params)


def build_positives(
    gathered: Gathered,
    corpus: Sequence[Path],
    screen: BenchmarkScreen,
    params: FetchPositivesParams,
    deduplication: DeduplicationParams,
    output: Path,
) -> dict[str, Any]:
    """Write the positives to `output`; return the metrics by kind, and the contamination. corpus: shards of SourceFile rows.

    Raises EmptyResultError if a kind has no row left.
    """
    kinds = gathered.kinds
    ledger = _drop_overlaps(kinds, screen)
    dropped = _drop_duplicates(kinds, corpus, deduplication)
    for file_id, origin in gathered.origins.items():
        if origin not in kinds["high_quality"].kept:
            kinds["instruction"].drop(file_id, "its_file_was_dropped")
    _cap_pairs(kinds["instruction"], params.max_instructions_per_repository)
    rows = [file.row() | {"kind": name} for name, kind in kinds.items() for _, file in sorted(kind.kept.items())]
    write_table(output, [pa.Table.from_pylist(rows, POSITIVE_SCHEMA)], POSITIVE_SCHEMA)
    write_table(output / "dropped", [pa.Table.from_pylist(dropped, DROPPED_POSITIVE_SCHEMA)], DROPPED_POSITIVE_SCHEMA)
    write_table(output / "ledger", [pa.Table.from_pylist(ledger, LEDGER_SCHEMA)], LEDGER_SCHEMA)
    return {name: _accounts(name, kind, params) for name, kind in kinds.items()} | {"contamination": count_contamination(ledger)}


def corpus_matches(
    path: Path, index: NearDuplicateIndex, sketches: dict[str, Sketch], languages: frozenset[str]
) -> list[tuple[str, dict[str, Any], float]]:
    """(key of the positive, corpus row without content but with content_sha256, Jaccard) of every near duplicate in one corpus shard.

    languages: of the positives; files of others are skipped.
    """
    found = []
    table = read_shard(path, ["file_id", "repository", "path", "language", "content", "content_sha256"])
    for row in table.to_pylist():
        if row["language"] not in languages:
            continue
        other = sketch(row.pop("content"), index.params)
        for key in index.candidates(other):
            shared = jaccard(sketches[key].shingles, other.shingles)
            if shared >= index.params.jaccard_threshold:
                found.append((key, row, shared))
    return found


def _drop_overlaps(kinds: dict[str, PositiveRows], screen: BenchmarkScreen) -> list[dict[str, Any]]:
    ledger = []
    for kind in kinds.values():
        for file in list(kind.kept.values()):
            overlaps = screen.overlaps(file.content)
            reason = screen.drop_reason(overlaps)
            if reason:
                kind.drop(file.file_id, reason)
            ledger += ledger_rows("positives", file.row(), overlaps, reason is not None)
    return ledger


def _drop_duplicates(kinds: dict[str, PositiveRows], corpus: Sequence[Path], params: DeduplicationParams) -> list[dict[str, Any]]:
    """Drop near duplicates within each kind (the lower file_id stays), then those of any corpus file; DROPPED_POSITIVE_SCHEMA rows."""
    sketches: dict[str, Sketch] = {}
    dropped = [row for name, kind in kinds.items() for row in _drop_within(name, kind, params, sketches)]
    index = NearDuplicateIndex(params)
    owners = {file_id: (name, kind) for name, kind in kinds.items() for file_id in kind.kept}
    sketches = {file_id: sketches[file_id] for file_id in owners}
    for file_id, file_sketch in sketches.items():
        index.insert_sketch(file_id, file_sketch)
    languages = frozenset(file.language for kind in kinds.values() for file in kind.kept.values())
    search = partial(corpus_matches, index=index, sketches=sketches, languages=languages)
    matches: dict[str, list[tuple[dict[str, Any], float]]] = {}
    for part in map_items(search, corpus, "positives: corpus"):
        for key, row, shared in part:
            matches.setdefault(key, []).append((row, shared))
    for file_id, (name, kind) in owners.items():
        found = matches.get(file_id)
        if found:
            row, shared = min(found, key=lambda pair: (-pair[1], pair[0]["file_id"]))
            dropped.append(_dropped_row(name, kind.kept[file_id], row, shared))
            kind.drop(file_id, "duplicate_of_corpus")
    return dropped


def _drop_within(name: str, kind: PositiveRows, params: DeduplicationParams, sketches: dict[str, Sketch]) -> list[dict[str, Any]]:
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


def _cap_pairs(kind: PositiveRows, max_per_repository: int) -> None:
    taken: Counter[str] = Counter()
    for file in sorted(kind.kept.values(), key=lambda file: (unit_hash(0, file.content_sha256), file.file_id)):
        taken[file.repository] += 1
        if taken[file.repository] > max_per_repository:
            kind.drop(file.file_id, "over_instructions_per_repository")


def _accounts(name: str, kind: PositiveRows, params: FetchPositivesParams) -> dict[str, Any]:
    if not kind.kept:
        reasons = dict(sorted(kind.dropped.items()))
        where = "fetch_positives.source" if isinstance(params.source, DatasetsSource) else params.source.lock
        raise EmptyResultError(f"fetch_positives: no {name} row is left of {kind.rows_in} (dropped: {reasons}); widen {where}")
    accounts = row_accounts(kind.rows_in, len(kind.kept), kind.dropped)
    return accounts | {"repositories": len({file.repository for file in kind.kept.values()})}
