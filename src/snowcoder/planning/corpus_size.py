"""Predicts the size of the filtered corpus: as the last run measured it, or as a profile implies.

in:  metrics/tokenize_files.json, metrics/embed_files.json   out: CorpusSize

The number of files is no parameter: the source decides. For a profile that was not run here, its corpus is as many tokens as are asked for,
in files like those of the last run.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from snowcoder.storage.metrics import read_metrics


@dataclass(frozen=True)
class CorpusSize:
    """Of what filtering and deduplication left. python_files: of the train split. sections: None where they were not counted."""

    files: float
    train_files: float
    python_files: float
    n_bytes: float
    tokens: float
    sections: float | None
    origin: str

    @property
    def bytes_per_token(self) -> float:
        """Of the trained tokenizer."""
        return self.n_bytes / self.tokens

    def full_sections(self, pool_fraction: float) -> float:
        """Sections to embed: as counted, else three, which is the most there are, for each file of the pool."""
        return self.sections if self.sections is not None else 3 * (self.files - (1 - pool_fraction) * self.train_files)


def measured_corpus(metrics: Path) -> CorpusSize:
    """The corpus of the last run. Raises SnowcoderError where its metrics are missing."""
    splits = read_metrics(metrics / "tokenize_files.json")["tokens"]
    embedded = read_metrics(metrics / "embed_files.json")["by_source"]
    together = {name: sum(split["all"][name] for split in splits.values()) for name in ("files", "bytes", "tokens")}
    train: dict[str, Any] = splits["train"]
    return CorpusSize(
        files=together["files"],
        train_files=train["all"]["files"],
        python_files=train.get("python", {"files": 0})["files"],
        n_bytes=together["bytes"],
        tokens=together["tokens"],
        sections=sum(source["sections"] for source in embedded.values()),
        origin="as the last run here found it",
    )


def corpus_of(tokens: float, like: CorpusSize, origin: str) -> CorpusSize:
    """A corpus of `tokens` tokens in files like those of another."""
    scale = tokens / like.tokens
    sizes = {name: getattr(like, name) * scale for name in ("files", "train_files", "python_files", "n_bytes")}
    return replace(like, tokens=tokens, sections=None, origin=origin, **sizes)
