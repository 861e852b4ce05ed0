"""Plans the mix of the enhanced variant and of its control: the share of each language, from synthetic documents or from selected files.

in: catalogues of documents (or none) and of files, the train split's tokens by language  out: one catalogue, and the pass of each row
In the paper (section 2.4) the synthetic phase raises Python to about half of the tokens, and the other languages keep their relative
shares. Both are held here by tokens, whatever languages a teacher wrote and however much of each was accepted: Python gets
`python_fraction`; the others share the rest as they do in `files` (one that a small selection lacks: as in the train split). A language's
tokens are its documents, or, where nothing was written in it, its files. Without documents every language is its files, in the same
shares: the control differs from the variant in its documents alone, unless a teacher wrote a language that the files lack.
Python is on one side and all others on the other: the longer side is taken once, the shorter is repeated, in whole passes and then a
prefix of its seeded order. Within the others a language is repeated, or cut to such a prefix, as its share requires. A prefix ends with the
file that reaches the goal: what is taken overshoots by less than one file per language.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snowcoder.errors import EmptyResultError
from snowcoder.tokenization.ordering import file_keys

MixtureSource = Literal["documents", "files"]
PYTHON = "python"
# of a token: what floats may be off by
SLACK = 1e-6


@dataclass(frozen=True)
class LanguagePlan:
    """What one language is of the mix. planned: of all tokens, 0 to 1. n_tokens: taken. unique_tokens: there are.

    epochs: tokens taken by tokens there are.
    """

    source: MixtureSource
    planned: float
    n_tokens: int
    unique_tokens: int

    @property
    def epochs(self) -> float:
        return self.n_tokens / self.unique_tokens


@dataclass(frozen=True)
class Mixture:
    """What to pack. files: CATALOGUE_SCHEMA, a row per file and pass; pass_numbers: int64 [rows], each row's pass, from 0.

    documents_fraction: of all tokens, those of documents, 0 to 1.
    document_epochs, file_epochs: tokens taken by tokens there are (1.0: each once; 2.5: twice, and half of them again; 0.0: none).
    plans: by language; empty where nothing is mixed.
    """

    files: pa.Table
    pass_numbers: np.ndarray
    documents_fraction: float
    document_epochs: float
    file_epochs: float
    plans: Mapping[str, LanguagePlan]


def unmixed(files: pa.Table) -> Mixture:
    """Each file once, no documents."""
    return Mixture(files, np.zeros(len(files), dtype=np.int64), documents_fraction=0.0, document_epochs=0.0, file_epochs=1.0, plans={})


def mix(documents: pa.Table | None, files: pa.Table, train_tokens: Mapping[str, int], python_fraction: float, seed: int) -> Mixture:
    """Mix so that Python is `python_fraction` (above 0, up to 1) of the tokens. documents: None for a mix of files alone.

    train_tokens: language -> tokens of the train split. Raises EmptyResultError if the documents are empty, or if a side is.
    """
    if documents is None:
        documents = files.slice(0, 0)
    elif not language_tokens(documents):
        raise EmptyResultError("pack_tokens: the documents have no tokens; fix synthesize_documents, or set python_fraction to null")
    written = language_tokens(documents)
    others = files.filter(pc.invert(pc.is_in(files["language"], documents["language"].unique())))
    available = written | language_tokens(others)
    _check_sides(len(files), available, python_fraction)
    planned = plan_shares(available, language_tokens(files), train_tokens, python_fraction)
    total = _mix_tokens(available, python_fraction)
    parts, numbers, plans = [], [], {}
    for language in sorted(available):
        pool = documents if language in written else others
        own = pool.filter(pc.equal(pool["language"], language))
        rows, pass_numbers = repeat_rows(own, total * planned[language] / available[language], seed)
        parts.append(own.take(rows))
        numbers.append(pass_numbers)
        source: MixtureSource = "documents" if language in written else "files"
        plans[language] = LanguagePlan(source, planned[language], _n_tokens(parts[-1]), available[language])
    of_documents = sum(plan.n_tokens for plan in plans.values() if plan.source == "documents")
    of_files = sum(plan.n_tokens for plan in plans.values() if plan.source == "files")
    return Mixture(
        files=pa.concat_tables(parts),
        pass_numbers=np.concatenate(numbers),
        documents_fraction=of_documents / (of_documents + of_files),
        document_epochs=of_documents / max(1, sum(written.values())),
        file_epochs=of_files / max(1, _n_tokens(others)),
        plans=plans,
    )


def plan_shares(
    available: Mapping[str, int], file_tokens: Mapping[str, int], train_tokens: Mapping[str, int], python_fraction: float
) -> dict[str, float]:
    """Language -> its share of the mix, for every language of `available`; 1.0 in all.

    file_tokens, train_tokens: language -> tokens; a language that `file_tokens` lacks weighs what its quota of them would be.
    """
    per_train_token = sum(file_tokens.values()) / max(1, sum(train_tokens.values()))
    weights = {
        language: file_tokens.get(language) or train_tokens.get(language, 0) * per_train_token
        for language in available
        if language != PYTHON
    }
    total = sum(weights.values()) or 1.0
    return {PYTHON: python_fraction} | {language: (1 - python_fraction) * weight / total for language, weight in weights.items()}


def repeat_rows(files: pa.Table, epochs: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(rows, pass_numbers), int64 each: every row in every whole pass, then a prefix of the seeded order, up to the file at the goal."""
    whole = int(epochs + 1e-9)
    rows = np.tile(np.arange(len(files), dtype=np.int64), whole)
    pass_numbers = np.repeat(np.arange(whole, dtype=np.int64), len(files))
    prefix = _prefix(files, epochs - whole, whole, seed)
    return np.concatenate([rows, prefix]), np.concatenate([pass_numbers, np.full(len(prefix), whole, dtype=np.int64)])


def language_tokens(files: pa.Table) -> dict[str, int]:
    """Language -> tokens, of the languages that have any."""
    counted = files.group_by("language").aggregate([("n_tokens", "sum")]).to_pylist()
    return {row["language"]: row["n_tokens_sum"] for row in counted if row["n_tokens_sum"]}


def _prefix(files: pa.Table, share: float, number: int, seed: int) -> np.ndarray:
    """Rows whose tokens are `share` of all, up to the file that reaches it."""
    if share <= 1e-9 or len(files) == 0:
        return np.empty(0, dtype=np.int64)
    rows = np.argsort(file_keys(files, np.full(len(files), number), seed), kind="stable")
    n_tokens = np.asarray(files["n_tokens"])[rows]
    before = np.cumsum(n_tokens) - n_tokens
    return rows[before < share * n_tokens.sum() - SLACK]


def _mix_tokens(available: Mapping[str, int], python_fraction: float) -> float:
    """Tokens of the whole mix: the longer side is taken once."""
    n_python = available[PYTHON]
    n_others = sum(available.values()) - n_python
    return max(n_python / python_fraction, n_others / (1 - python_fraction) if python_fraction < 1 else 0.0)


def _check_sides(n_files: int, available: Mapping[str, int], python_fraction: float) -> None:
    if PYTHON not in available:
        raise EmptyResultError(
            f"pack_tokens: neither the documents nor the {n_files} files contain Python, so it cannot be {python_fraction} of the mix; "
            "fix synthesize_documents, or set python_fraction to null"
        )
    if set(available) == {PYTHON} and python_fraction < 1:
        raise EmptyResultError(
            f"pack_tokens: neither the documents nor the {n_files} files contain a language other than Python, so it cannot be "
            f"{python_fraction} of the mix; allowed then: python_fraction 1.0"
        )


def _n_tokens(files: pa.Table) -> int:
    return pc.sum(files["n_tokens"]).as_py() or 0
