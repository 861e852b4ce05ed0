"""The mix of the enhanced variant: synthetic documents beside selected files of the other languages.

in: catalogues of documents and of files  out: one catalogue, and the pass of each row
In the paper (section 2.4) documents raise Python to about half of the tokens, and the other languages keep their relative shares. So
files of the documents' own languages are left out here, and the others keep their shares. The shorter half is repeated, in whole passes
and then a prefix of its seeded order, until documents make up the wanted fraction of tokens; the longer half is taken once.
The prefix of files is taken language by language, so that the shares hold in it too. It ends with the file that reaches the goal: what is
taken overshoots by less than one file per language.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from snowcoder.errors import EmptyResultError
from snowcoder.tokenization.ordering import file_keys, language_ranks


@dataclass(frozen=True)
class Mixture:
    """What to pack. files: CATALOGUE_SCHEMA, a row per file and pass; passes: int64 [rows], the pass of each row, from 0.

    documents_fraction: of all tokens, those of documents, 0 to 1.
    document_passes, file_passes: tokens taken by tokens there are (1.0: each once; 2.5: twice, and half of them again; 0.0: none).
    """

    files: pa.Table
    passes: np.ndarray
    documents_fraction: float
    document_passes: float
    file_passes: float


def unmixed(files: pa.Table) -> Mixture:
    """Each file once, no documents."""
    return Mixture(files, np.zeros(len(files), dtype=np.int64), documents_fraction=0.0, document_passes=0.0, file_passes=1.0)


def mix(documents: pa.Table, files: pa.Table, documents_fraction: float, seed: int) -> Mixture:
    """Mix so that documents are `documents_fraction` (0 to 1, above 0) of the tokens. Raises EmptyResultError if a half is empty."""
    others = files.filter(pc.invert(pc.is_in(files["language"], documents["language"].unique())))
    n_documents, n_others = _n_tokens(documents), _n_tokens(others)
    _check_halves(n_documents, n_others, len(files), documents_fraction)
    # tokens that each half needs where the other is taken once
    wanted_documents = n_others * documents_fraction / (1 - documents_fraction) if documents_fraction < 1 else 0.0
    wanted_others = n_documents * (1 - documents_fraction) / documents_fraction
    document_passes = max(1.0, wanted_documents / n_documents)
    other_passes = max(1.0, wanted_others / n_others) if documents_fraction < 1 else 0.0
    document_rows, passes_of_documents = repeat_rows(documents, document_passes, seed)
    other_rows, passes_of_others = repeat_rows(others, other_passes, seed)
    halves = [documents.take(document_rows), others.take(other_rows)]
    taken_documents, taken_others = (_n_tokens(half) for half in halves)
    return Mixture(
        files=pa.concat_tables(halves),
        passes=np.concatenate([passes_of_documents, passes_of_others]),
        documents_fraction=taken_documents / (taken_documents + taken_others),
        document_passes=taken_documents / n_documents,
        file_passes=taken_others / n_others if n_others else 0.0,
    )


def repeat_rows(files: pa.Table, n_passes: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(rows, passes), int64 each: every row in every whole pass; then, for the rest, in each language a prefix of the seeded order."""
    whole = int(n_passes + 1e-9)
    rows = np.tile(np.arange(len(files), dtype=np.int64), whole)
    passes = np.repeat(np.arange(whole, dtype=np.int64), len(files))
    prefix = _prefix(files, n_passes - whole, whole, seed)
    return np.concatenate([rows, prefix]), np.concatenate([passes, np.full(len(prefix), whole, dtype=np.int64)])


def _prefix(files: pa.Table, share: float, number: int, seed: int) -> np.ndarray:
    """Rows whose tokens are `share` of each language's, up to the file that reaches it."""
    if share <= 1e-9 or len(files) == 0:
        return np.empty(0, dtype=np.int64)
    ranks = language_ranks(files)
    order = np.lexsort([file_keys(files, np.full(len(files), number), seed), ranks])
    n_tokens = np.asarray(files["n_tokens"])
    taken = []
    for rank in range(int(ranks.max()) + 1):
        rows = order[ranks[order] == rank]
        before = np.cumsum(n_tokens[rows]) - n_tokens[rows]
        taken.append(rows[before < share * n_tokens[rows].sum()])
    return np.concatenate(taken)


def _check_halves(n_documents: int, n_others: int, n_files: int, documents_fraction: float) -> None:
    if n_documents == 0:
        raise EmptyResultError("pack_tokens: the documents hold no tokens; mend synthesize_documents, or set documents_fraction to 0")
    if n_others == 0 and documents_fraction < 1:
        raise EmptyResultError(
            f"pack_tokens: none of the {n_files} files is of another language than the documents, so that these cannot be "
            f"{documents_fraction} of the mix; allowed then: documents_fraction 1.0"
        )


def _n_tokens(files: pa.Table) -> int:
    return pc.sum(files["n_tokens"]).as_py() or 0
