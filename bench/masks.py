"""Measures precision and recall of masks and generated-file marks on tests/filtering/masks_and_marks.yaml.

`python -m bench.masks` prints a row per kind and every snippet that is judged wrong. A secret or an address counts as found only if all of
it has vanished; a snippet to be left alone is a false find whatever kind is replaced in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

from snowcoder.filtering.generated import marker_line
from snowcoder.filtering.masking import mask

SNIPPETS = Path(__file__).resolve().parents[1] / "tests" / "filtering" / "masks_and_marks.yaml"


@dataclass(frozen=True)
class Snippet:
    """kind: of a mask, or `generated`. value: what must vanish, "" where the whole text is judged. is_positive: to be found."""

    kind: str
    text: str
    value: str
    is_positive: bool
    is_python: bool


@dataclass(frozen=True)
class Figures:
    """Of one kind: snippets to be found and to be left alone, those found and falsely found, and the texts judged wrong."""

    positives: int
    negatives: int
    found: int
    falsely_found: int
    wrong: tuple[str, ...]

    @property
    def precision(self) -> float:
        return self.found / max(1, self.found + self.falsely_found)

    @property
    def recall(self) -> float:
        return self.found / max(1, self.positives)


def read_snippets() -> Iterator[Snippet]:
    """All snippets of the list, parts joined."""
    for kind, lists in YAML(typ="safe").load(SNIPPETS.read_text(encoding="utf-8")).items():
        for name, items in lists.items():
            for item in items:
                before, parts, after = (item, [], "") if isinstance(item, str) else item
                value = "".join(parts)
                yield Snippet(kind, before + value + after, value, name.startswith("found"), name.endswith("python"))


def is_found(snippet: Snippet) -> bool:
    """Whether masks or marks find something in a snippet; of a value, all of it."""
    if snippet.kind == "generated":
        return marker_line(snippet.text) > 0
    masked, replaced = mask(snippet.text, snippet.is_python)
    return snippet.value not in masked if snippet.is_positive else bool(replaced)


def measure() -> dict[str, Figures]:
    """The figures of each kind."""
    figures = {}
    snippets = list(read_snippets())
    for kind in dict.fromkeys(snippet.kind for snippet in snippets):
        of_kind = [(snippet, is_found(snippet)) for snippet in snippets if snippet.kind == kind]
        figures[kind] = Figures(
            positives=sum(snippet.is_positive for snippet, _ in of_kind),
            negatives=sum(not snippet.is_positive for snippet, _ in of_kind),
            found=sum(found for snippet, found in of_kind if snippet.is_positive),
            falsely_found=sum(found for snippet, found in of_kind if not snippet.is_positive),
            wrong=tuple(snippet.text for snippet, found in of_kind if found != snippet.is_positive),
        )
    return figures


def main() -> None:
    """Print the table, then what is judged wrong."""
    figures = measure()
    print(f"{'kind':<12}{'to find':>9}{'found':>7}{'to leave':>10}{'falsely':>9}{'precision':>11}{'recall':>8}")
    for kind, row in figures.items():
        counts = f"{row.positives:>9}{row.found:>7}{row.negatives:>10}{row.falsely_found:>9}"
        print(f"{kind:<12}{counts}{row.precision:>11.3f}{row.recall:>8.3f}")
    for kind, row in figures.items():
        for text in row.wrong:
            print(f"{kind}: judged wrong: {text!r}")


if __name__ == "__main__":
    main()
