"""Decides which tokens of a text are scored, and in which windows the model sees them.

in: pairs (prompt, text)   out: EncodedText, Window

Prompt and text are tokenised together, as the model met such text in training, after the document start token. Charged is every token
behind the longest common beginning of encode(prompt) and encode(prompt + text): the text's own tokens, and with them a token that straddles
the border, whole. Tokenised apart, the border would be a sequence that no training text contains (a line's end, then the indentation that
belongs to the same token), and its price would be an artefact. Taking what follows len(encode(prompt)) joint tokens, as evaluation
harnesses do, would give a straddling token away for nothing; they move the prompt's trailing blanks to the text for that reason. The
divisor is the UTF-8 bytes of the text alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import Tokenizer

DOCUMENT_START_ID = 0  # what packed training data has before every document


@dataclass(frozen=True, slots=True)
class EncodedText:
    """ids: document start, prompt and text. first: index of the first charged id, at least 1. n_bytes: of the text."""

    ids: list[int]
    first: int
    n_bytes: int

    @property
    def charged(self) -> list[int]:
        """The ids that are paid for."""
        return self.ids[self.first :]


@dataclass(frozen=True, slots=True)
class Window:
    """What the model sees at once. ids[first:] are charged, each given all ids before it; first is at least 1."""

    ids: list[int]
    first: int


def encode_pairs(tokenizer: Tokenizer, pairs: Sequence[tuple[str, str]], start_id: int = DOCUMENT_START_ID) -> list[EncodedText]:
    """One EncodedText per pair (prompt, text); a prompt may be empty."""
    prompts = tokenizer.encode_batch_fast([prompt for prompt, _ in pairs], add_special_tokens=False)
    joint = tokenizer.encode_batch_fast([prompt + text for prompt, text in pairs], add_special_tokens=False)
    return [
        EncodedText([start_id, *whole.ids], 1 + _common_beginning(prompt.ids, whole.ids), len(text.encode()))
        for prompt, whole, (_, text) in zip(prompts, joint, pairs, strict=True)
    ]


def split_windows(text: EncodedText, window_tokens: int) -> list[Window]:
    """Windows of at most `window_tokens` ids in which every charged id is charged once.

    The first keeps as much of the prompt's end as fits, half a window of it at least if there is so much. The others do not overlap, but
    for one id: the last of a window is the context of the next. Their first ids are predicted from little context, which makes a long text
    somewhat higher than overlapping windows would, for every model alike, at a fraction of the arithmetic.
    """
    if window_tokens < 2:
        raise ValueError(f"split_windows: window_tokens = {window_tokens}; a charged id needs one before it")
    n_ids = len(text.ids)
    start = max(0, min(text.first - window_tokens // 2, n_ids - window_tokens))
    windows = [Window(text.ids[start : start + window_tokens], text.first - start)]
    for position in range(start + window_tokens, n_ids, window_tokens - 1):
        windows.append(Window(text.ids[position - 1 : position - 1 + window_tokens], 1))
    return windows


def _common_beginning(left: Sequence[int], right: Sequence[int]) -> int:
    for index, (a, b) in enumerate(zip(left, right, strict=False)):
        if a != b:
            return index
    return min(len(left), len(right))
