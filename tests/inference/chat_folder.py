"""Model folders with other models' start, end and padding tokens: the tiny Llama with their tokenizer settings."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, processors

from tests.inference.tiny_llama import WINDOW, make_model, make_tokenizer, save_folder

SPECIAL = ("<s>", "<|im_start|>", "<|im_end|>")
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def make_chat_tokenizer(bos_before: bool = True, eos_after: bool = False) -> Tokenizer:
    """tiny_llama's tokenizer with SPECIAL. bos_before, eos_after: its post-processor puts `<s>` before and `<|im_end|>` behind a text."""
    tokenizer = make_tokenizer()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    single = ("<s> " if bos_before else "") + "$A" + (" <|im_end|>" if eos_after else "")
    pairs = [(token, tokenizer.token_to_id(token)) for token in ("<s>", "<|im_end|>")]
    tokenizer.post_processor = processors.TemplateProcessing(single=single, special_tokens=pairs)
    return tokenizer


def save_chat_folder(
    folder: Path,
    template: str | None = CHATML,
    tokenizer: Tokenizer | None = None,
    window: int = WINDOW,
    tokenizer_config: dict[str, Any] | None = None,
    ends: Sequence[str] = ("<|im_end|>",),
    hidden_size: int = 32,
) -> Path:
    """template: None for a model without one. tokenizer_config: changes to that file. ends: eos of generation_config.json."""
    tokenizer = tokenizer or make_chat_tokenizer()
    model = make_model(tokenizer.get_vocab_size(), hidden_size=hidden_size)
    model.config.max_position_embeddings = window
    model.generation_config.eos_token_id = [tokenizer.token_to_id(token) for token in ends]
    save_folder(model, tokenizer, folder)
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text()) | {"bos_token": "<s>", "eos_token": "<|im_end|>", **(tokenizer_config or {})}
    path.write_text(json.dumps(config))
    (folder / "special_tokens_map.json").unlink()
    if template is not None:
        (folder / "chat_template.jinja").write_text(template)
    return folder
