"""Decides which documents are fit to train on: finished, one self-contained program that parses, no benchmark, no copy, its own tests
passed in the sandbox, no near duplicate of another document, and not too many from one repository.

in: DOCUMENT_SCHEMA rows, data/split_files, the benchmarks, the tokenizer
out: ACCEPTED_SCHEMA rows (as in tokenize_files, split 'train', path synthetic/<document_id>.<extension>, with provenance and content),
sorted by document_id; rejected/: REJECTED_DOCUMENT_SCHEMA, one row per rejected document, with the content of the first of each reason;
ledger/: evidence of benchmark overlaps, source 'synthetic'.
Reasons, in the order of the checks: those of static_checks.py; copy_of_seed, near_duplicate_of_corpus; without_tests, sandbox_<status>
(Python alone is run); exact_duplicate, near_duplicate; over_repository_fraction.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from snowcoder.decontamination.ledger import LEDGER_SCHEMA, count_contamination, ledger_rows
from snowcoder.decontamination.screen import BenchmarkScreen
from snowcoder.deduplication.deduplication_params import DeduplicationParams
from snowcoder.deduplication.near_duplicate_index import NearDuplicateIndex
from snowcoder.errors import EmptyResultError
from snowcoder.sandbox.program import SandboxLimits, check_sandbox, run_programs
from snowcoder.source_files.languages import EXTENSIONS
from snowcoder.source_files.records import text_columns
from snowcoder.storage.metrics import row_accounts
from snowcoder.storage.shards import read_shard, write_table
from snowcoder.synthesis.acceptance_params import AcceptParams
from snowcoder.synthesis.corpus_overlap import measure_overlaps
from snowcoder.synthesis.static_checks import Rejection, find_copies, screen_documents
from snowcoder.synthesis.syntax import is_parsed
from snowcoder.tokenization.token_shards import TOKEN_DTYPE
from snowcoder.tokenization.tokenized_files import TOKENIZED_FILE_SCHEMA, tokenize_contents
from snowcoder.tokenization.tokenizer import load_tokenizer

PROVENANCE = pa.schema(
    [
        *text_columns("seed_file_id", "name", "teacher", "prompt_version", "tests_from"),
        *(("n_tests", pa.int32()), ("seed_score", pa.float64()), ("seed_containment", pa.float64()), ("content", pa.string())),
    ]
)
ACCEPTED_SCHEMA = pa.schema([*TOKENIZED_FILE_SCHEMA, *PROVENANCE])
REJECTED_DOCUMENT_SCHEMA = pa.schema(text_columns("document_id", "seed_file_id", "repository", "name", "reason", "detail", "content"))
VERDICT_SCHEMA = pa.schema(text_columns("document_id", "status", "detail"))
# documents run between two marks of progress: what a kill costs
BATCH_DOCUMENTS = 64
# rejected documents of each reason whose content is kept
EXAMPLES_PER_REASON = 10
QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, eq=False)
class KnownTexts:
    """What a document must not repeat.

    benchmarks: their screen. held_out: shapes of the functions of held-out files (function_shapes), which no document may solve with.
    corpus: shards of data/split_files; deduplication: what counts as a near duplicate.
    """

    benchmarks: BenchmarkScreen
    held_out: frozenset[str]
    corpus: Sequence[Path]
    deduplication: DeduplicationParams


@dataclass(frozen=True, eq=False)
class Decision:
    """Of all documents: the accepted ones, sorted by document_id; why each other was rejected; ledger rows; containment in the seed."""

    documents: list[dict[str, Any]]
    accepted: list[dict[str, Any]]
    rejections: dict[str, Rejection]
    ledger: list[dict[str, Any]]
    containment: dict[str, float]


def accept_documents(
    shards: Sequence[Path], known: KnownTexts, tokenizer: Path, params: AcceptParams, output: Path, state: Path
) -> dict[str, Any]:
    """Write accepted, rejected and ledger rows; return the metrics. Raises EmptyResultError if no document is accepted, SandboxError."""
    check_sandbox()
    rows = (row for path in shards for row in read_shard(path).to_pylist())
    documents = sorted(rows, key=lambda row: (-row["seed_score"], row["document_id"]))
    decision = decide(documents, known, params, state)
    reasons = Counter(rejection.reason for rejection in decision.rejections.values())
    if not decision.accepted:
        raise EmptyResultError(
            f"accept_documents: none of {len(documents)} documents is accepted ({dict(sorted(reasons.items()))}); "
            "rejected/ of a run that accepts some says more; raise synthesize_documents.seed_top_fraction"
        )
    tokens = _write(decision, tokenizer, output)
    accounts = row_accounts(len(documents), len(decision.accepted), reasons) | {
        "tokens": tokens.total(),
        "tokens_by_language": dict(sorted(tokens.items())),
    }
    return accounts | describe_accepted(decision) | {"contamination": count_contamination(decision.ledger)}


def decide(documents: list[dict[str, Any]], known: KnownTexts, params: AcceptParams, state: Path) -> Decision:
    """Accept or reject each document, the best first. The first fault found is the one that counts."""
    rejections, ledger = screen_all(documents, known.benchmarks, known.held_out)
    overlaps = measure_overlaps(documents, known.corpus, known.deduplication)
    rejections = find_copies(documents, overlaps, params.max_seed_containment) | rejections
    if params.require_tests:
        rejections = {row["document_id"]: Rejection("without_tests", "") for row in documents if not row["n_tests"]} | rejections
    # one without tests is run too: what it does at its top level must work, its imports before all
    runnable = [row for row in _left(documents, rejections) if row["language"] == "python"]
    rejections |= run_documents(runnable, params.sandbox, state)
    rejections |= find_repetitions(_left(documents, rejections), known.deduplication)
    rejections |= cap_repositories(_left(documents, rejections), params.max_repository_fraction)
    accepted = sorted(_left(documents, rejections), key=lambda row: row["document_id"])
    containment = {row["document_id"]: overlap.seed_containment for row, overlap in zip(documents, overlaps, strict=True)}
    return Decision(documents, accepted, rejections, ledger, containment)


def describe_accepted(decision: Decision) -> dict[str, Any]:
    """Metrics of what was accepted: repositories' shares, where tests come from, yield by language, prompt version and seed score.

    not_parsed: accepted documents of languages that nothing here can parse.
    """
    accepted = decision.accepted
    repositories = Counter(row["repository"] for row in accepted)
    shares = np.quantile([decision.containment[row["document_id"]] for row in accepted], QUANTILES).round(4)

    def yields(column: str) -> dict[str, dict[str, int]]:
        made, kept = (Counter(str(row[column]) for row in rows) for rows in (decision.documents, accepted))
        return {value: {"documents": made[value], "accepted": kept[value]} for value in sorted(made)}

    return {
        "repositories": len(repositories),
        "largest_repository_fraction": max(repositories.values()) / len(accepted),
        "by_repository": dict(repositories),
        "by_language": yields("language"),
        "not_parsed": dict(Counter(row["language"] for row in accepted if not is_parsed(row["language"]))),
        "by_tests_from": yields("tests_from"),
        "by_prompt_version": yields("prompt_version"),
        "by_seed_quarter": yields("seed_quarter"),
        "seed_containment": {f"quantile_{quantile:g}": float(share) for quantile, share in zip(QUANTILES, shares, strict=True)},
    }


def screen_all(
    documents: Sequence[dict[str, Any]], screen: BenchmarkScreen, held_out: frozenset[str]
) -> tuple[dict[str, Rejection], list[dict[str, Any]]]:
    """(rejections by document_id, ledger rows) of what static_checks.py finds."""
    rejections: dict[str, Rejection] = {}
    ledger: list[dict[str, Any]] = []
    for row, (rejection, overlaps) in zip(documents, screen_documents(documents, screen, held_out), strict=True):
        if rejection:
            rejections[row["document_id"]] = rejection
        file = {"file_id": row["document_id"], "repository": row["repository"], "path": synthetic_path(row)}
        ledger += ledger_rows("synthetic", file, overlaps, rejection is not None)
    return rejections, sorted(ledger, key=lambda row: row["file_id"])


def run_documents(documents: Sequence[dict[str, Any]], limits: SandboxLimits, state: Path) -> dict[str, Rejection]:
    """Rejections of what does not run to its end, its own tests included.

    Verdicts of finished batches are kept in `state`, and not run again after a kill.
    """
    rejections = {}
    ordered = sorted(documents, key=lambda row: row["document_id"])
    for number, start in enumerate(range(0, len(ordered), BATCH_DOCUMENTS)):
        folder = state / "verdicts" / f"{number:06d}"
        if not (folder / "manifest.json").exists():
            _run_batch(ordered[start : start + BATCH_DOCUMENTS], limits, folder)
        for row in read_shard(folder / "part-00000.parquet").to_pylist():
            if row["status"] != "passed":
                rejections[row["document_id"]] = Rejection(f"sandbox_{row['status']}", row["detail"])
    return rejections


def find_repetitions(documents: Sequence[dict[str, Any]], params: DeduplicationParams) -> dict[str, Rejection]:
    """Rejections of what repeats an earlier document of the list; detail: its document_id."""
    rejections: dict[str, Rejection] = {}
    exact: dict[str, str] = {}
    index = NearDuplicateIndex(params)
    for row in documents:
        name, content = row["document_id"], row["content"]
        if content in exact:
            rejections[name] = Rejection("exact_duplicate", exact[content])
        elif match := index.match(content):
            rejections[name] = Rejection("near_duplicate", match[0])
        else:
            exact[content] = name
            index.insert(name, content)
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


def synthetic_path(row: dict[str, Any]) -> str:
    """The path of a document among real files."""
    return f"synthetic/{row['document_id']}{EXTENSIONS.get(row['language'], ('.txt',))[0]}"


def _left(documents: Sequence[dict[str, Any]], rejections: dict[str, Rejection]) -> list[dict[str, Any]]:
    return [row for row in documents if row["document_id"] not in rejections]


def _run_batch(documents: Sequence[dict[str, Any]], limits: SandboxLimits, folder: Path) -> None:
    outcomes = run_programs([row["content"] for row in documents], limits, "accept_documents: sandbox")
    rows = [
        {"document_id": row["document_id"], "status": outcome.status, "detail": outcome.detail}
        for row, outcome in zip(documents, outcomes, strict=True)
    ]
    write_table(folder, [pa.Table.from_pylist(rows, VERDICT_SCHEMA)], VERDICT_SCHEMA)


def _write(decision: Decision, tokenizer: Path, output: Path) -> Counter[str]:
    """Returns accepted tokens by language."""
    tokens = tokenize_contents(load_tokenizer(tokenizer), [row["content"] for row in decision.accepted])
    rows = [_accepted_row(row, encoded, decision.containment) for row, encoded in zip(decision.accepted, tokens, strict=True)]
    write_table(output, [pa.Table.from_pylist(rows, ACCEPTED_SCHEMA)], ACCEPTED_SCHEMA)
    rejected = pa.Table.from_pylist(_rejected_rows(decision.documents, decision.rejections), REJECTED_DOCUMENT_SCHEMA)
    write_table(output / "rejected", [rejected], REJECTED_DOCUMENT_SCHEMA)
    write_table(output / "ledger", [pa.Table.from_pylist(decision.ledger, LEDGER_SCHEMA)], LEDGER_SCHEMA)
    return sum((Counter({row["language"]: row["n_tokens"]}) for row in rows), Counter())


def _rejected_rows(documents: list[dict[str, Any]], rejections: dict[str, Rejection]) -> list[dict[str, Any]]:
    shown: Counter[str] = Counter()
    rows = []
    for row in sorted((row for row in documents if row["document_id"] in rejections), key=lambda row: row["document_id"]):
        found = rejections[row["document_id"]]
        shown[found.reason] += 1
        content = row["content"] if shown[found.reason] <= EXAMPLES_PER_REASON else None
        origin = {name: row[name] for name in REJECTED_DOCUMENT_SCHEMA.names[:4]}
        rows.append(origin | {"reason": found.reason, "detail": found.detail, "content": content})
    return rows


def _accepted_row(row: dict[str, Any], tokens: bytes, containment: dict[str, float]) -> dict[str, Any]:
    return {name: row[name] for name in PROVENANCE.names if name in row} | {
        "file_id": row["document_id"],
        "repository": row["repository"],
        "path": synthetic_path(row),
        "language": row["language"],
        "split": "train",
        "n_bytes": len(row["content"].encode()),
        "n_tokens": len(tokens) // TOKEN_DTYPE.itemsize,
        "tokens": tokens,
        "seed_containment": containment[row["document_id"]],
    }
