"""What a code file must not hold: traces of the conversation that a language model was in when it wrote it, and unfinished work.

Only text is looked at. Extractive documents pass by nature; the checks are here for teachers that answer in prose, and for every document.
"""

import re

# markers of chat templates, which belong into no file (special tokens of Llama, Qwen, Mistral, Gemma, GPT models)
TEMPLATE_MARKER = re.compile(
    r"<\|(?:im_start|im_end|eot_id|endoftext|start_header_id|end_header_id|begin_of_text|end_of_text|assistant|user|system)\|>"
    r"|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>"
)
# a line that fences code; inside a docstring it may be Markdown, at the left margin of a file it wraps the answer
FENCE = re.compile(r"^(?:```|~~~)", re.MULTILINE)
REFUSAL = re.compile(
    r"\bas an? (?:ai|artificial intelligence|(?:large )?language model)\b|\bI(?:'m| am) (?:sorry|unable|not able)\b|\bI apologi[sz]e\b"
    r"|\bI (?:cannot|can't|can not) (?:help|assist|provide|fulfil|comply|generate|create|write)",
    re.IGNORECASE,
)
CHAT = re.compile(
    r"^[\s#\"'*>/]*(?:sure(?:[,!]| thing)|certainly[,!]|of course[,!]|absolutely[,!]|great question|### (?:human|user|assistant|system)\s*:"
    r"|here(?:'s| is| are) (?:the|a|an|my|your|some)\b.*:\s*$|I hope this helps|hope that helps|let me know if|feel free to"
    r"|(?:this|the above) (?:code|solution|file|script) (?:above |below )?(?:should|will|demonstrates|provides))",
    re.IGNORECASE | re.MULTILINE,
)
UNFINISHED = re.compile(
    r"#\s*(?:\.\.\.|…|rest of (?:the )?(?:code|implementation)|(?:your|more|remaining) (?:code|implementation|tests?)\b)"
    r"|#\s*(?:implementation (?:goes )?here|add (?:your|more)\b)|\braise NotImplemented[E]rror\s*#|\bT[O]DO:? implement",
    re.IGNORECASE,
)
# characters at either end of a document where an answer speaks to its reader
MARGIN = 400


def residue(content: str) -> tuple[str, str] | None:
    """(reason, the text that shows it), or None: template_marker, code_fence, refusal, chat, unfinished."""
    margins = content if len(content) <= 2 * MARGIN else f"{content[:MARGIN]}\n{content[-MARGIN:]}"
    searches = (
        ("template_marker", TEMPLATE_MARKER, content),
        ("code_fence", FENCE, margins),
        ("refusal", REFUSAL, margins),
        ("chat", CHAT, margins),
        ("unfinished", UNFINISHED, content),
    )
    for reason, pattern, text in searches:
        if match := pattern.search(text):
            return reason, match[0].strip()[:80]
    return None
