"""Chooses evaluation-only functions that nothing has trained on and no benchmark holds.

in: files of distributions pinned in data/unseen.lock; tables of SourceFile rows that are trained on; the benchmarks
out: rows of UNSEEN_SCHEMA, by repository, path and name:
  repository      string  canonical name of the distribution
  path            string  of the file
  name            string  of the function
  prompt          string  imports that it needs, signature, docstring
  body            string  the rest, as its author wrote it
  content_sha256  string  of prompt + body
ledger/: LEDGER_SCHEMA, overlaps of functions with a benchmark. Every file and function is accounted for, by reason.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from snowcoder.corpus.wheel_table import canonical_name
from snowcoder.decontamination.ledger import LEDGER_SCHEMA, count_contamination, ledger_rows
from snowcoder.decontamination.screen import BenchmarkScreen
from snowcoder.errors import EmptyResultError
from snowcoder.evaluation.unseen.training_copies import find_copies
from snowcoder.evaluation.unseen.unseen_functions import Candidates, UnseenFunction, gather_functions
from snowcoder.evaluation.unseen.unseen_params import FetchUnseenParams
from snowcoder.source_files.records import SourceFile, make_file_id, text_columns
from snowcoder.storage.metrics import row_accounts
from snowcoder.storage.shards import read_shard, write_table

UNSEEN_SCHEMA = pa.schema(text_columns("repository", "path", "name", "prompt", "body", "content_sha256"))


def build_unseen(
    files: Sequence[SourceFile],
    trained_on: Mapping[str, Sequence[Path]],
    screen: BenchmarkScreen,
    params: FetchUnseenParams,
    ngram_tokens: int,
    output: Path,
) -> dict[str, Any]:
    """Write the functions to `output`; return the metrics. trained_on: shards of SourceFile rows, by the name of their table.

    Raises EmptyResultError if no function is left.
    """
    shards = [path for paths in trained_on.values() for path in paths]
    found = gather_functions(files, _repositories(shards), params.functions)
    for name, paths in trained_on.items():
        _drop_copies(found, name, paths, params, ngram_tokens)
    taken, ledger = _choose(found, screen, params.functions.max_functions_per_repository)
    if not taken:
        reasons = {"files": dict(found.dropped_files), "functions": dict(found.dropped_functions)}
        raise EmptyResultError(f"fetch_unseen: no function is left (dropped: {reasons}); widen {params.source.lock}")
    rows = [asdict(function) for function in sorted(taken, key=lambda one: (one.repository, one.path, one.name))]
    write_table(output, [pa.Table.from_pylist(rows).select(UNSEEN_SCHEMA.names)], UNSEEN_SCHEMA)
    write_table(output / "ledger", [pa.Table.from_pylist(ledger, LEDGER_SCHEMA)], LEDGER_SCHEMA)
    return _accounts(files, found, taken) | {"contamination": count_contamination(ledger)}


def _repositories(shards: Sequence[Path]) -> frozenset[str]:
    """Canonical names of what is trained on: the last part of `owner/name`, as a distribution is mostly called."""
    names = {name for path in shards for name in read_shard(path, ["repository"])["repository"].unique().to_pylist()}
    return frozenset(canonical_name(name.rsplit("/", 1)[-1]) for name in names)


def _drop_copies(found: Candidates, name: str, shards: Sequence[Path], params: FetchUnseenParams, ngram_tokens: int) -> None:
    copied = find_copies(found.functions, shards, ngram_tokens, params.functions.max_containment, f"fetch_unseen: {name}")
    found.dropped_functions[f"in_{name}"] += len(copied)
    found.functions = [function for number, function in enumerate(found.functions) if number not in copied]


def _choose(found: Candidates, screen: BenchmarkScreen, max_per_repository: int) -> tuple[list[UnseenFunction], list[dict[str, Any]]]:
    """(functions taken, ledger). Functions come in their order; those of a full repository are not screened."""
    taken: list[UnseenFunction] = []
    ledger: list[dict[str, Any]] = []
    per_repository: Counter[str] = Counter()
    for function in found.functions:
        if per_repository[function.repository] == max_per_repository:
            found.dropped_functions["over_functions_per_repository"] += 1
            continue
        overlaps = screen.overlaps(function.prompt + function.body)
        reason = screen.drop_reason(overlaps)
        ledger += ledger_rows("unseen", _origin(function), overlaps, reason is not None)
        if reason:
            found.dropped_functions[reason] += 1
        else:
            per_repository[function.repository] += 1
            taken.append(function)
    return taken, ledger


def _origin(function: UnseenFunction) -> dict[str, str]:
    path = f"{function.path}/{function.name}"
    file_id = make_file_id("unseen", function.repository, function.content_sha256, path)
    return {"file_id": file_id, "repository": function.repository, "path": path}


def _accounts(files: Sequence[SourceFile], found: Candidates, taken: Sequence[UnseenFunction]) -> dict[str, Any]:
    by_repository = Counter(function.repository for function in taken)
    return {
        "wheels": {"read": len({file.repository for file in files}), "with_functions": len(by_repository)},
        "files": row_accounts(found.n_files, found.n_files - found.dropped_files.total(), found.dropped_files),
        "functions": row_accounts(found.n_functions, len(taken), +found.dropped_functions),
        "by_repository": dict(sorted(by_repository.items())),
    }
