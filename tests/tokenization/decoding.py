"""Decodes token ids to bytes, independently of the tokenizer's own decoder, which replaces parts of characters."""

from collections.abc import Sequence
from functools import lru_cache

from tokenizers import Tokenizer

from snowcoder.tokenization.tokenizer import N_BYTE_VALUES


def decode_bytes(tokenizer: Tokenizer, ids: Sequence[int]) -> bytes:
    """The exact bytes of `ids`, special tokens left out; a part of a character stays what it is (`decode` would replace it)."""
    values = _byte_values()
    special = set(tokenizer.get_added_tokens_decoder())
    pieces = (tokenizer.id_to_token(int(token)) or "" for token in ids if int(token) not in special)
    return bytes(values[character] for piece in pieces for character in piece)


@lru_cache(maxsize=1)
def _byte_values() -> dict[str, int]:
    # GPT-2's bytes_to_unicode: printable Latin-1 bytes stand for themselves, the others for U+0100 onwards, in order.
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAC + 1), *range(0xAE, 0xFF + 1)]
    others = [value for value in range(N_BYTE_VALUES) if value not in set(printable)]
    return {chr(value): value for value in printable} | {chr(N_BYTE_VALUES + index): value for index, value in enumerate(others)}
