"""Finds the tokens at both ends of a text, as a model's own folder names them.

in: a model folder, its tokenizer   out: ids before a text, ids that end a completion
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from snowcoder.errors import CheckpointError, ParameterError
from snowcoder.inference.local.chat_template import ChatTemplate

PROBE = "a"  # any text that is not empty: what is put around it can then be distinguished from it


def open_tokenizer(folder: Path) -> Any:
    """The tokenizer as transformers opens it: tokenizer.json, changed by what tokenizer_config.json says. Raises CheckpointError unless
    the tokenizers library runs it.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        _ = tokenizer.backend_tokenizer
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{folder}: its tokenizer is not supported by the tokenizers library ({error})") from error
    return tokenizer


def text_start_ids(tokenizer: Any, document_start: bool, folder: Path) -> list[int]:
    """What a tokenizer puts before a text; its bos where that is nothing and `document_start` is asked for. What it puts behind a text is
    left out. Raises ParameterError if there is no bos to put.
    """
    whole, plain = tokenizer(PROBE).input_ids, tokenizer(PROBE, add_special_tokens=False).input_ids
    place = next((first for first in range(len(whole)) if whole[first : first + len(plain)] == plain), 0)
    if place or not document_start:
        return list(whole[:place])
    if tokenizer.bos_token_id is None:
        raise ParameterError(f"document_start: found true, but the tokenizer in {folder} has no bos token; allowed: false")
    return [int(tokenizer.bos_token_id)]


def completion_end_ids(tokenizer: Any, folder: Path, template: ChatTemplate | None) -> list[int]:
    """Every token that ends a completion: eos of the tokenizer, of generation_config.json and of config.json (one id or several), and
    the special token with which the chat template ends an answer. Raises CheckpointError if there is none.
    """
    named = [tokenizer.eos_token_id, *(_eos_of(folder / name) for name in ("generation_config.json", "config.json"))]
    ends = {token for one in named for token in (one if isinstance(one, list) else [one]) if token is not None}
    if template is not None:
        ends |= _first_special(tokenizer, template.after_answer())
    if not ends:
        raise CheckpointError(f"{folder}: no token ends a completion; set eos_token_id in its generation_config.json")
    return sorted(int(token) for token in ends)


def start_once(start_ids: Sequence[int], ids: Sequence[int]) -> list[int]:
    """`ids` after `start_ids`, which are not put before a text that begins with them already, as that of a chat template may."""
    start = list(start_ids)
    return list(ids) if list(ids[: len(start)]) == start else [*start, *ids]


def _eos_of(path: Path) -> Any:
    if not path.is_file():
        return None
    try:
        return json.loads(path.read_text()).get("eos_token_id")
    except (ValueError, AttributeError) as error:
        raise CheckpointError(f"{path}: not a JSON object ({error}); fetch the model again") from error


def _first_special(tokenizer: Any, text: str) -> set[int]:
    special = {index for index, token in tokenizer.added_tokens_decoder.items() if token.special} - {tokenizer.bos_token_id}
    ids = tokenizer(text, add_special_tokens=False).input_ids
    return set([token for token in ids if token in special][:1])
