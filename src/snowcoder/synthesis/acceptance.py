"""Which documents are fit to train on: they parse, hold no benchmark, pass their own tests in the sandbox, repeat no other, and no
repository has too many.

in: DOCUMENT_SCHEMA rows, the benchmarks, the tokenizer
out: ACCEPTED_SCHEMA rows (as in tokenize_files, split 'train', path synthetic/<document_id>.py, with seed_file_id and content), sorted
by document_id; rejected/: REJECTED_SCHEMA, one row per rejected document; ledger/: evidence of benchmark overlaps, source 'synthetic'.
Reasons: does_not_parse, benchmark_overlap, sandbox_<status>, exact_duplicate, near_duplicate, over_repository_fraction.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import Field

from snowcoder.decontamination.ledger import LEDGER_SCHEMA, count_contamination, ledger_rows
from snowcoder.decontamination.screen import BenchmarkScreen
from snowcoder.deduplication.exact import content_key
from snowcoder.deduplication.index import NearDuplicateIndex
from snowcoder.deduplication.settings import DeduplicationParams
from snowcoder.errors import EmptyResultError
from snowcoder.exercises.names import parse
from snowcoder.metrics import row_accounts
from snowcoder.params import ParamsModel
from snowcoder.sandbox.program import SandboxLimits, check_sandbox, run_programs
from snowcoder.shards import read_shard, write_table
from snowcoder.synthesis.held_out import function_shapes
from snowcoder.tokenization.tokenized_files import TOKENIZED_FILE_SCHEMA, tokenize_contents
from snowcoder.tokenization.tokenizer import load_tokenizer

ACCEPTED_SCHEMA = TOKENIZED_FILE_SCHEMA.append(pa.field("seed_file_id", pa.string())).append(pa.field("content", pa.string()))
REJECTED_SCHEMA = pa.schema([(name, pa.string()) for name in ("document_id", "seed_file_id", "reason", "detail")])
VERDICT_SCHEMA = pa.schema([(name, pa.string()) for name in ("document_id", "status", "detail")])
TOKEN_BYTES = 2


class AcceptParams(ParamsModel):
    """What a document must fulfil."""

    max_repository_fraction: float = Field(
        gt=0, le=1, description="largest share of the documents that may come of one repository; 1 / repositories where there are fewer"
    )
    sandbox: SandboxLimits


@dataclass(frozen=True)
class Rejection:
    """Why a document is not fit. detail: the exception, or the document_id or problem that it repeats."""

    reason: str
    detail: str


def accept_documents(
    shards: Sequence[Path],
    screen: BenchmarkScreen,
    held_out: frozenset[str],
    tokenizer: Path,
    params: AcceptParams,
    deduplication: DeduplicationParams,
    output: Path,
    state: Path,
) -> dict[str, Any]:
    """Write accepted, rejected and ledger rows; return the metrics. Raises EmptyResultError if no document is accepted, SandboxError.

    held_out: shapes of the functions of held-out files (snowcoder.synthesis.held_out), which no document may solve with.
    """
    check_sandbox()
    documents = sorted((row for path in shards for row in read_shard(path).to_pylist()), key=_best_first)
    rejections, ledger = screen_documents(documents, screen)
    rejections |= find_held_out([row for row in documents if row["document_id"] not in rejections], held_out)
    runnable = [row for row in documents if row["document_id"] not in rejections]
    rejections |= run_documents(runnable, params.sandbox, state)
    rejections |= find_repetitions([row for row in documents if row["document_id"] not in rejections], deduplication)
    rejections |= cap_repositories([row for row in documents if row["document_id"] not in rejections], params.max_repository_fraction)
    accepted = sorted((row for row in documents if row["document_id"] not in rejections), key=lambda row: row["document_id"])
    reasons = Counter(rejection.reason for rejection in rejections.values())
    if not accepted:
        raise EmptyResultError(
            f"accept_documents: none of {len(documents)} documents is accepted ({dict(sorted(reasons.items()))}); "
            "rejected/ of a run that accepts some tells more; raise synthesize_documents.seed_top_fraction"
        )
    tokens = _write(accepted, documents, rejections, ledger, tokenizer, output)
    counts = Counter(row["repository"] for row in accepted)
    largest = max(counts.values()) / len(accepted)
    accounts = row_accounts(len(documents), len(accepted), reasons)
    found = {"tokens": tokens, "repositories": len(counts), "largest_repository_fraction": largest}
    return accounts | found | {"contamination": count_contamination(ledger)}


def screen_documents(documents: Sequence[dict[str, Any]], screen: BenchmarkScreen) -> tuple[dict[str, Rejection], list[dict[str, Any]]]:
    """(rejections by document_id of what does not parse or overlaps a benchmark, ledger rows)."""
    rejections: dict[str, Rejection] = {}
    ledger = []
    for row in documents:
        if parse(row["content"]) is None:
            rejections[row["document_id"]] = Rejection("does_not_parse", "")
        elif overlaps := screen.overlaps(row["content"]):
            rejections[row["document_id"]] = Rejection("benchmark_overlap", f"{overlaps[0].benchmark} {overlaps[0].problem_id}")
            file = {"file_id": row["document_id"], "repository": row["repository"], "path": synthetic_path(row["document_id"])}
            ledger += ledger_rows("synthetic", file, overlaps)
    return rejections, sorted(ledger, key=lambda row: row["file_id"])


def find_held_out(documents: Sequence[dict[str, Any]], held_out: frozenset[str]) -> dict[str, Rejection]:
    """Rejections of what solves its problem with a function of a held-out file."""
    names = [row["document_id"] for row in documents if not held_out.isdisjoint(function_shapes(row["solution"], row["name"]))]
    return {name: Rejection("held_out_overlap", "") for name in names}


def run_documents(documents: Sequence[dict[str, Any]], limits: SandboxLimits, state: Path, batch: int = 512) -> dict[str, Rejection]:
    """Rejections of what does not pass its own tests. Verdicts of finished batches are kept in `state`, and not run again after a kill."""
    rejections = {}
    ordered = sorted(documents, key=lambda row: row["document_id"])
    for number, start in enumerate(range(0, len(ordered), batch)):
        folder = state / "verdicts" / f"{number:06d}"
        if not (folder / "manifest.json").exists():
            _run_batch(ordered[start : start + batch], limits, folder)
        for row in read_shard(folder / "part-00000.parquet").to_pylist():
            if row["status"] != "passed":
                rejections[row["document_id"]] = Rejection(f"sandbox_{row['status']}", row["detail"])
    return rejections


def find_repetitions(documents: Sequence[dict[str, Any]], params: DeduplicationParams) -> dict[str, Rejection]:
    """Rejections of what repeats an earlier document of the list; detail: its document_id."""
    rejections: dict[str, Rejection] = {}
    exact: dict[bytes, str] = {}
    index = NearDuplicateIndex(params)
    for row in documents:
        name, key = row["document_id"], content_key(row["content"])
        if key in exact:
            rejections[name] = Rejection("exact_duplicate", exact[key])
        elif match := index.match(row["content"]):
            rejections[name] = Rejection("near_duplicate", match[0])
        else:
            exact[key] = name
            index.insert(name, row["content"])
    return rejections


def cap_repositories(documents: Sequence[dict[str, Any]], max_fraction: float) -> dict[str, Rejection]:
    """Rejections of what a repository has beyond its share, the last of the list first."""
    by_repository: dict[str, list[str]] = defaultdict(list)
    for row in documents:
        by_repository[row["repository"]].append(row["document_id"])
    cap = repository_cap([len(names) for names in by_repository.values()], max_fraction)
    over = [(name, repository) for repository, names in by_repository.items() for name in names[cap:]]
    return {name: Rejection("over_repository_fraction", f"{repository} has {cap}") for name, repository in over}


def repository_cap(counts: Sequence[int], max_fraction: float) -> int:
    """The largest number c such that, with every repository cut to c, none has more than `max_fraction` of what is left.

    Fewer than 1 / max_fraction repositories cannot fulfil that: the fraction is then 1 / their number.
    """
    if not counts:
        return 0
    fraction = max(max_fraction, 1 / len(counts))
    caps = range(max(counts), 0, -1)
    # the slack is for 1/3 * 3 and the like, which floats do not bring to 1
    return next((cap for cap in caps if cap <= fraction * sum(min(count, cap) for count in counts) + 1e-9), 1)


def synthetic_path(document_id: str) -> str:
    """The path under which a document stands beside real files."""
    return f"synthetic/{document_id}.py"


def _best_first(row: dict[str, Any]) -> tuple[float, str]:
    return -row["seed_score"], row["document_id"]


def _run_batch(documents: Sequence[dict[str, Any]], limits: SandboxLimits, folder: Path) -> None:
    outcomes = run_programs([row["content"] for row in documents], limits, "accept_documents: sandbox")
    rows = [
        {"document_id": row["document_id"], "status": outcome.status, "detail": outcome.detail}
        for row, outcome in zip(documents, outcomes, strict=True)
    ]
    write_table(folder, [pa.Table.from_pylist(rows, VERDICT_SCHEMA)], VERDICT_SCHEMA)


def _write(
    accepted: list[dict[str, Any]],
    documents: list[dict[str, Any]],
    rejections: dict[str, Rejection],
    ledger: list[dict[str, Any]],
    tokenizer: Path,
    output: Path,
) -> int:
    tokens = tokenize_contents(load_tokenizer(tokenizer), [row["content"] for row in accepted])
    rows = [_accepted_row(row, encoded) for row, encoded in zip(accepted, tokens, strict=True)]
    rejected = [
        {"document_id": row["document_id"], "seed_file_id": row["seed_file_id"], "reason": found.reason, "detail": found.detail}
        for row in sorted(documents, key=lambda row: row["document_id"])
        if (found := rejections.get(row["document_id"]))
    ]
    write_table(output, [pa.Table.from_pylist(rows, ACCEPTED_SCHEMA)], ACCEPTED_SCHEMA)
    write_table(output / "rejected", [pa.Table.from_pylist(rejected, REJECTED_SCHEMA)], REJECTED_SCHEMA)
    write_table(output / "ledger", [pa.Table.from_pylist(ledger, LEDGER_SCHEMA)], LEDGER_SCHEMA)
    return sum(row["n_tokens"] for row in rows)


def _accepted_row(row: dict[str, Any], tokens: bytes) -> dict[str, Any]:
    return {
        "file_id": row["document_id"],
        "repository": row["repository"],
        "path": synthetic_path(row["document_id"]),
        "language": row["language"],
        "split": "train",
        "n_bytes": len(row["content"].encode()),
        "n_tokens": len(tokens) // TOKEN_BYTES,
        "tokens": tokens,
        "seed_file_id": row["seed_file_id"],
        "content": row["content"],
    }
