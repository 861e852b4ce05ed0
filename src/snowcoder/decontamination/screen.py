"""BenchmarkScreen: finds the benchmark problems that a file contains.

A file overlaps a problem if
  solution            it contains the canonical solution whole, in words (see normalise), with the function's head where it is short,
  docstring           it contains the docstring's description whole, in words (StarCoder2, arXiv 2402.19173, section 4),
  syntax_tree         a run of its statements is the body of the solution, up to renaming (see python_tree),
  renamed             no Python: its tokens contain those of the solution, up to renaming (see lexing),
  named_function      a function of the solution's name has the body of one that is too short to be known under any name,
  ngram, test         it contains at least `min_ngram_overlap` of the n-grams of words of the prompt or solution, or of the tests,
  test_call           it contains one of the calls that the tests make, whole, in words,
  syntax_tree_ngram,  the same share of the n-grams of the solution's tokens, up to renaming: edited copies.
  renamed_ngram
What is too short to differ from ordinary code is no evidence: `min_match_tokens` words, `min_renamed_tokens` tokens where names are open.
An n-gram that several problems of one benchmark have in common is boilerplate and counts for no share. Strings that hold code are read
as files are (see embedded_code). Not found: translations into another language, and paraphrases.

Generic matches: what is matched by code alone, of fewer than `min_specific_tokens` tokens of the syntax tree, many people write without
having seen the benchmark (`is_prime`, `fib`, `flatten`). Its evidence has a separate reason, and `generic_matches` decides about the file.
Length decides, and not the number of repositories that hold the same: that grows with the corpus, and a leaked solution is in many, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from snowcoder.benchmarks.problem import Problem
from snowcoder.decontamination.decontamination_params import DecontaminationParams
from snowcoder.decontamination.lexing import LexedText, lex
from snowcoder.decontamination.matching import Hit, Passage, PassageIndex
from snowcoder.decontamination.normalise import word_forms
from snowcoder.decontamination.passages import lexed_passages, named_passages, tree_passages, word_passages
from snowcoder.decontamination.python_tree import PythonTree, read_python
from snowcoder.deduplication.shingles import ngram_hashes

# Strongest first
METHODS = (
    *("solution", "docstring", "syntax_tree", "renamed", "named_function", "ngram", "test", "test_call"),
    *("syntax_tree_ngram", "renamed_ngram"),
)
BENCHMARK_OVERLAP, GENERIC_MATCH = REASONS = ("benchmark_overlap", "generic_match")
MAX_EXCERPT_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Overlap:
    """Evidence. reason: of REASONS. overlap: 1.0 for a whole passage, else the share of its n-grams found.

    start_char, end_char: the matched span of the file's content; matched_text: its first characters, <= 200.
    """

    benchmark: str
    problem_id: str
    reason: str
    method: str
    overlap: float
    start_char: int
    end_char: int
    matched_text: str


class BenchmarkScreen:
    """All passages of some problems, indexed by their n-grams. Picklable."""

    def __init__(self, problems: Sequence[Problem], params: DecontaminationParams) -> None:
        self.problems = list(problems)
        self.params = params
        numbered = list(enumerate(problems))
        of_words = [passage for number, problem in numbered for passage in word_passages(number, problem, params)]
        of_trees = [passage for number, problem in numbered for passage in tree_passages(number, problem, params)]
        of_texts = [passage for number, problem in numbered for passage in lexed_passages(number, problem, params)]
        of_names = [passage for number, problem in numbered for passage in named_passages(number, problem, params)]
        self._words = self._index(of_words, params.ngram_tokens)
        self._trees = self._index(of_trees, params.renamed_ngram_tokens)
        self._texts = self._index(of_texts, params.renamed_ngram_tokens)
        self._functions = _by_name_and_body(self.problems, of_names)
        seen = {passage.problem for passage in [*of_words, *of_trees, *of_texts, *of_names]}
        renamed = {passage.problem for passage in of_trees}
        # too short for any passage, so that they are never found; and too short to recognise a renamed solution
        self.blind = [problem for number, problem in numbered if number not in seen]
        self.blind_to_renaming = [problem for number, problem in numbered if number not in renamed]

    def overlaps(self, content: str) -> list[Overlap]:
        """The strongest overlap with each problem that a file holds, by strength, then in the order of the problems; generic ones last."""
        best: dict[int, tuple[tuple[int, int, float], Overlap]] = {}
        for hit, span in [*self._word_hits(content), *self._renamed_hits(content)]:
            reason = self._reason(hit)
            rank = (REASONS.index(reason), METHODS.index(hit.method), -hit.overlap)
            if hit.problem not in best or rank < best[hit.problem][0]:
                problem, excerpt = self.problems[hit.problem], content[span[0] : span[1]][:MAX_EXCERPT_CHARACTERS]
                overlap = Overlap(problem.benchmark, problem.problem_id, reason, hit.method, hit.overlap, *span, excerpt)
                best[hit.problem] = (rank, overlap)
        return [overlap for _, (_, overlap) in sorted(best.items(), key=lambda item: (item[1][0], item[0]))]

    def drop_reason(self, overlaps: Sequence[Overlap]) -> str | None:
        """Why a file with these overlaps, as `overlaps` returns them, is dropped: of REASONS; None where it is kept."""
        if not overlaps:
            return None
        strongest = overlaps[0].reason
        return None if strongest == GENERIC_MATCH and self.params.generic_matches == "keep" else strongest

    def _reason(self, hit: Hit) -> str:
        is_short = hit.code_tokens is not None and hit.code_tokens < self.params.min_specific_tokens
        return GENERIC_MATCH if is_short else BENCHMARK_OVERLAP

    def _index(self, passages: Sequence[Passage], ngram_tokens: int) -> PassageIndex:
        benchmarks = [problem.benchmark for problem in self.problems]
        return PassageIndex(passages, benchmarks, ngram_tokens, self.params.min_ngram_overlap, self.params.max_ngram_sharing)

    def _word_hits(self, content: str) -> list[tuple[Hit, tuple[int, int]]]:
        return [
            (hit, words.span(hit.start, hit.count))
            for words in word_forms(content)
            for hit in self._words.find(ngram_hashes(words.hashes, self.params.ngram_tokens), words.window)
        ]

    def _renamed_hits(self, content: str) -> list[tuple[Hit, tuple[int, int]]]:
        code = read_python(content) or lex(content)
        found = [(hit, code.span(hit.start, hit.count)) for hit in self._code_hits(code)]
        for number, text in enumerate(code.embedded()):
            found += [(hit, code.embedded_span(number)) for hit in self._code_hits(read_python(text) or lex(text))]
        return found

    def _code_hits(self, code: PythonTree | LexedText) -> list[Hit]:
        grams = code.stream.ngrams(self.params.renamed_ngram_tokens)
        if isinstance(code, LexedText):
            return self._texts.find(grams, code.stream.window)
        return [*self._trees.find(grams, code.stream.window), *self._named_hits(code)]

    def _named_hits(self, tree: PythonTree) -> list[Hit]:
        return [
            Hit(passage.problem, passage.method, 1.0, start, count, count)
            for name, start, count in tree.bodies
            if name in self._functions
            for passage in self._functions[name].get(tree.stream.window(start, count).tobytes(), ())
        ]


def _by_name_and_body(problems: Sequence[Problem], passages: Sequence[Passage]) -> dict[str, dict[bytes, list[Passage]]]:
    """Name of the entry point -> tokens of its body -> passages."""
    functions: dict[str, dict[bytes, list[Passage]]] = {}
    for passage in passages:
        assert passage.tokens is not None
        bodies = functions.setdefault(problems[passage.problem].entry_point, {})
        bodies.setdefault(passage.tokens.tobytes(), []).append(passage)
    return functions
