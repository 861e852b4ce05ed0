import hashlib
import json
from pathlib import Path

import pytest

from snowcoder.errors import CheckpointError
from snowcoder.inference.engine import Chat
from snowcoder.inference.local.border_tokens import open_tokenizer
from snowcoder.inference.local.chat_template import ChatTemplate, read_chat_template
from tests.inference.chat_folder import CHATML, save_chat_folder

CHAT = Chat("", "Add.")


def template_of(folder: Path, text: str) -> ChatTemplate:
    save_chat_folder(folder, text)
    template = read_chat_template(open_tokenizer(folder), folder)
    assert template is not None
    return template


def test_a_question_ends_where_the_answer_begins(tmp_path: Path) -> None:
    template = template_of(tmp_path, CHATML)
    assert template.render(CHAT) == "<|im_start|>user\nAdd.<|im_end|>\n<|im_start|>assistant\n"
    assert template.sha256 == hashlib.sha256(CHATML.encode()).hexdigest()
    assert template.after_answer() == "<|im_end|>\n"


@pytest.mark.parametrize(
    "written",
    ["message['content']", "message['content'] | trim", "message.content.strip()"],
)
def test_a_begun_answer_keeps_its_last_newline_whatever_the_template_trims(tmp_path: Path, written: str) -> None:
    template = template_of(tmp_path, CHATML.replace("message['content']", written))
    begun = template.render(CHAT, "Below:\n```python\n")
    assert begun == "<|im_start|>user\nAdd.<|im_end|>\n<|im_start|>assistant\nBelow:\n```python\n"


def test_a_system_message_and_what_the_template_puts_there_by_itself(tmp_path: Path) -> None:
    own = "{% if messages[0]['role'] != 'system' %}<|im_start|>system\nBe kind.<|im_end|>\n{% endif %}"
    template = template_of(tmp_path, own + CHATML)
    assert template.render(CHAT, "A").startswith("<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\n")
    assert template.render(Chat("Be short.", "Add."), "A").startswith("<|im_start|>system\nBe short.<|im_end|>\n<|im_start|>user\n")


def test_a_template_that_writes_the_date_gives_the_same_prompt_every_day(tmp_path: Path) -> None:
    dates = "{{ date_string }} {{ strftime_now('%Y-%m-%d') }} "
    assert template_of(tmp_path, dates + CHATML).render(CHAT, "A").startswith("26 Jul 2024 2024-07-26 <|im_start|>")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{{ raise_exception('roles must alternate') }}", "cannot be applied to the roles .*roles must alternate"),
        ("{% for message in messages %}", "cannot be applied"),  # does not parse
        ("{{ messages[0]['parts'] + 1 }}", "cannot be applied"),
        ("{{ messages[0]['content'] }}", "does not write the content of an assistant's message"),
        (
            CHATML.replace("message['content']", "message['content'] | replace('A', 'B')"),
            "changes an assistant's message: found 'B' for 'A'",
        ),
    ],
)
def test_a_template_that_fails_is_named(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(CheckpointError, match=told):
        template_of(tmp_path, text).render(CHAT, "A")


def test_a_template_in_tokenizer_config_counts_too(tmp_path: Path) -> None:
    save_chat_folder(tmp_path, None, tokenizer_config={"chat_template": CHATML})
    template = read_chat_template(open_tokenizer(tmp_path), tmp_path)
    assert template is not None
    assert template.text == CHATML


def test_the_default_of_several_templates_is_taken_and_none_is_guessed(tmp_path: Path) -> None:
    several = [{"name": "tool_use", "template": "tools"}, {"name": "default", "template": CHATML}]
    save_chat_folder(tmp_path, None, tokenizer_config={"chat_template": several})
    template = read_chat_template(open_tokenizer(tmp_path), tmp_path)
    assert template is not None
    assert template.text == CHATML
    path = tmp_path / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"chat_template": several[:1]}))
    with pytest.raises(CheckpointError, match="multiple chat templates with no default"):
        read_chat_template(open_tokenizer(tmp_path), tmp_path)


def test_a_model_without_a_template_has_none(tmp_path: Path) -> None:
    save_chat_folder(tmp_path, None)
    assert read_chat_template(open_tokenizer(tmp_path), tmp_path) is None
