"""Cuts a file into its top, middle and bottom section, in the encoder's tokens.

in: contents of files  out: FileSection(index 0 top | 1 middle | 2 bottom, token ids with the encoder's [CLS] and [SEP])

A section has at most `section_tokens` tokens, both special ones counted. With s = section_tokens - 2 and a file of n tokens:
  n <= s       one section: top
  n <= 2 s     two sections: top (first s) and bottom (last s); they overlap, so that the second is never a scrap of a few tokens
  n >  2 s     three: top, middle (the s tokens around the middle) and bottom
so that a short file is not counted three times. A file is tokenised once. Of a file longer than three windows of CHARACTERS_PER_TOKEN x
section_tokens characters only three windows are tokenised (its beginning, the surroundings of its middle character, its end), and each
gives one section: the cost of a file is bounded, whatever its size. Code has 2 to 4 characters per WordPiece token, blank lines and
indentation included; a window of 16 characters per token that holds fewer than s tokens (a run of blanks, or of base64, which WordPiece
reads as one unknown word) gives a shorter section.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from snowcoder.errors import SourceError

TOP, MIDDLE, BOTTOM = 0, 1, 2
CHARACTERS_PER_TOKEN = 16
FILES_PER_CALL = 256


@dataclass(frozen=True, slots=True)
class FileSection:
    """One section of a file: its place, and its token ids with the special tokens."""

    index: int
    token_ids: list[int]


class SectionCutter:
    """Cuts files into sections with one encoder's tokenizer.

    tokenizer_path: the encoder's `tokenizer.json` (BERT family: [CLS] and [SEP]). Raises SourceError if it is not that.
    """

    def __init__(self, tokenizer_path: Path, section_tokens: int) -> None:
        self._tokenizer = Tokenizer.from_file(str(tokenizer_path))
        # the file's own settings truncate to the model's length; sections are cut here
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._cls = self._special("[CLS]", tokenizer_path)
        self._sep = self._special("[SEP]", tokenizer_path)
        self._n_content = section_tokens - 2
        self._window = section_tokens * CHARACTERS_PER_TOKEN

    def cut(self, contents: Sequence[str]) -> list[list[FileSection]]:
        """The sections of each content, in the order of `contents`."""
        sections: list[list[FileSection]] = []
        for start in range(0, len(contents), FILES_PER_CALL):
            sections += self._cut_some(contents[start : start + FILES_PER_CALL])
        return sections

    def _cut_some(self, contents: Sequence[str]) -> list[list[FileSection]]:
        windows = [cut_windows(content, self._window) for content in contents]
        encoded = iter(self._tokenizer.encode_batch_fast([text for group in windows for text in group], add_special_tokens=False))
        return [self._sections([next(encoded).ids for _ in group]) for group in windows]

    def _sections(self, windows: list[list[int]]) -> list[FileSection]:
        cut = cut_tokens(windows[0], self._n_content) if len(windows) == 1 else cut_long(windows, self._n_content)
        return [FileSection(index, [self._cls, *ids, self._sep]) for index, ids in cut]

    def _special(self, token: str, path: Path) -> int:
        token_id = self._tokenizer.token_to_id(token)
        if token_id is None:
            raise SourceError(f"{path}: has no token {token}; allowed: a tokenizer of the BERT family; choose another embed_files.encoder")
        return token_id


def cut_windows(content: str, window_characters: int) -> list[str]:
    """The whole text if it is at most three windows long, else its first, middle and last window."""
    if len(content) <= 3 * window_characters:
        return [content]
    middle = (len(content) - window_characters) // 2
    return [content[:window_characters], content[middle : middle + window_characters], content[-window_characters:]]


def cut_tokens(ids: list[int], size: int) -> list[tuple[int, list[int]]]:
    """(place, ids) of the one, two or three sections of a whole file."""
    if len(ids) <= size:
        return [(TOP, ids)]
    if len(ids) <= 2 * size:
        return [(TOP, ids[:size]), (BOTTOM, ids[-size:])]
    return cut_long([ids, ids, ids], size)


def cut_long(windows: list[list[int]], size: int) -> list[tuple[int, list[int]]]:
    """First ids of the first window, central ids of the second, last ids of the third."""
    top, middle, bottom = windows
    start = max(0, (len(middle) - size) // 2)
    return [(TOP, top[:size]), (MIDDLE, middle[start : start + size]), (BOTTOM, bottom[-size:])]
