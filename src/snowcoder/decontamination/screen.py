"""BenchmarkScreen: which problems of benchmarks does a file hold?

A file overlaps a problem if
  solution            it contains the canonical solution whole, in words (see normalise), with the function's head where it is short,
  docstring           it contains the docstring's description whole, in words (StarCoder2, arXiv 2402.19173, section 4),
  syntax_tree         a run of its statements is the body of the solution, up to renaming (see python_tree),
  renamed             no Python: its tokens contain those of the solution, up to renaming (see lexing),
  ngram, test         it contains at least `min_ngram_overlap` of the n-grams of words of the prompt or solution, or of the tests,
  syntax_tree_ngram,  the same share of the n-grams of the solution's tokens, up to renaming: edited copies.
  renamed_ngram
What is too short to be told from ordinary code is no evidence: `min_match_tokens` words, `min_renamed_tokens` tokens where names are open.
An n-gram that several problems of one benchmark have in common is boilerplate and counts for no share.
Not found: translations into another language, paraphrases, and a renamed solution inside a string literal.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from snowcoder.benchmarks.problem import Problem
from snowcoder.decontamination.lexing import lex
from snowcoder.decontamination.matching import Hit, Passage, PassageIndex
from snowcoder.decontamination.normalise import word_forms
from snowcoder.decontamination.passages import lexed_passages, tree_passages, word_passages
from snowcoder.decontamination.python_tree import read_python
from snowcoder.decontamination.settings import DecontaminationParams
from snowcoder.deduplication.shingles import ngram_hashes

# Strongest first
METHODS = ("solution", "docstring", "syntax_tree", "renamed", "ngram", "test", "syntax_tree_ngram", "renamed_ngram")
MAX_EXCERPT_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Overlap:
    """Evidence. overlap: 1.0 for a whole passage, else the share of its n-grams found.

    start_char, end_char: the matched span of the file's content; matched_text: its first characters, <= 200.
    """

    benchmark: str
    problem_id: str
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
        self._words = self._index(of_words, params.ngram_tokens)
        self._trees = self._index(of_trees, params.renamed_ngram_tokens)
        self._texts = self._index(of_texts, params.renamed_ngram_tokens)
        seen = {passage.problem for passage in [*of_words, *of_trees, *of_texts]}
        renamed = {passage.problem for passage in of_trees}
        # too short for any passage: no file is ever found to hold them; and too short to be known by a renamed solution
        self.blind = [problem for number, problem in numbered if number not in seen]
        self.blind_to_renaming = [problem for number, problem in numbered if number not in renamed]

    def overlaps(self, content: str) -> list[Overlap]:
        """The strongest overlap with each problem that a file holds, by strength, then in the order of the problems."""
        best: dict[int, tuple[tuple[int, float], Overlap]] = {}
        for hit, span in [*self._word_hits(content), *self._renamed_hits(content)]:
            rank = (METHODS.index(hit.method), -hit.overlap)
            if hit.problem not in best or rank < best[hit.problem][0]:
                problem, excerpt = self.problems[hit.problem], content[span[0] : span[1]][:MAX_EXCERPT_CHARACTERS]
                overlap = Overlap(problem.benchmark, problem.problem_id, hit.method, hit.overlap, *span, excerpt)
                best[hit.problem] = (rank, overlap)
        return [overlap for _, (_, overlap) in sorted(best.items(), key=lambda item: (item[1][0], item[0]))]

    def _index(self, passages: Sequence[Passage], ngram_tokens: int) -> PassageIndex:
        benchmarks = [problem.benchmark for problem in self.problems]
        return PassageIndex(passages, benchmarks, ngram_tokens, self.params.min_ngram_overlap, self.params.max_ngram_sharing)

    def _word_hits(self, content: str) -> list[tuple[Hit, tuple[int, int]]]:
        for words in word_forms(content):
            hits = self._words.find(ngram_hashes(words.hashes, self.params.ngram_tokens), words.window)
            if hits:
                return [(hit, words.span(hit.start, hit.count)) for hit in hits]
        return []

    def _renamed_hits(self, content: str) -> list[tuple[Hit, tuple[int, int]]]:
        tree = read_python(content)
        if tree is not None:
            hits = self._trees.find(tree.stream.ngrams(self.params.renamed_ngram_tokens), tree.stream.window)
            return [(hit, tree.span(content, hit.start, hit.count)) for hit in hits]
        lexed = lex(content)
        hits = self._texts.find(lexed.stream.ngrams(self.params.renamed_ngram_tokens), lexed.stream.window)
        return [(hit, lexed.span(hit.start, hit.count)) for hit in hits]
