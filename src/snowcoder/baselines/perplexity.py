"""Bits per byte of files' beginnings under a small model of the pool, and the bands of files that they give.

in: texts, a model folder   out: float64 bits per byte; ranks

Which band is best depends on the corpus (Ankner et al. 2024, arXiv 2405.20541: low, middle or high), so that there are three.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from scipy.stats import rankdata
from tokenizers import Tokenizer

from snowcoder.baselines.baseline_params import PerplexityParams
from snowcoder.inference.local.model_folder import LoadedModel, load_weights
from snowcoder.tokenization.tokenizer import encode_batch, load_tokenizer, token_byte_lengths
from snowcoder.words import EOS_ID


def beginnings(tokenizer: Tokenizer, texts: Sequence[str], beginning_tokens: int) -> list[str]:
    """The first `beginning_tokens` tokens of each text, less the bytes of a character that does not end within them."""
    lengths = token_byte_lengths(tokenizer)
    n_bytes = [int(lengths[ids[:beginning_tokens]].sum()) for ids in encode_batch(tokenizer, texts)]
    return [text.encode()[:n].decode(errors="ignore") for text, n in zip(texts, n_bytes, strict=True)]


def beginning_bits_per_byte(texts: Sequence[str], model: Path, params: PerplexityParams) -> np.ndarray:
    """float64 [texts]: of the beginning of each; 0 for a text without bytes."""
    from snowcoder.likelihood.bits_per_byte import score_texts  # torch

    loaded = _load(model, params)
    pairs = [("", text) for text in beginnings(loaded.tokenizer, texts, params.beginning_tokens)]
    window = loaded.window(params.beginning_tokens + 1, "score_baselines.perplexity.beginning_tokens")
    scores = score_texts(loaded.model, loaded.tokenizer, pairs, params.batch_tokens, window, start_id=EOS_ID)
    return scores.bits / np.maximum(1, scores.n_bytes)


def perplexity_bands(bits_per_byte: np.ndarray, languages: Sequence[str]) -> Mapping[str, np.ndarray]:
    """{band: float64 [files]}: low, the lowest bits per byte first; high, the highest; middle, those next to their language's median rank,
    0 at the median and -0.5 at either end.
    """
    middle = np.empty(len(bits_per_byte))
    names = np.array(languages)
    for language in set(languages):
        chosen = names == language
        middle[chosen] = -np.abs((rankdata(bits_per_byte[chosen]) - 0.5) / chosen.sum() - 0.5)
    return {"perplexity_low": -bits_per_byte, "perplexity_middle": middle, "perplexity_high": bits_per_byte}


@cache
def _load(folder: Path, params: PerplexityParams) -> LoadedModel:
    """Once for each process."""
    return LoadedModel(folder, load_tokenizer(folder), [EOS_ID], [EOS_ID], None, load_weights(folder, params.precision, params.cpu_threads))
