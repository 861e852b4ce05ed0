"""Grades solutions of any benchmark with its own grader, in the sandbox.

in: problems with solutions (whole programs)   out: a Judgement per solution

`program`: program_grading.py. `evalplus`, `evoeval`: differential.py. `unittest`: unittest_grading.py.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from snowcoder.benchmarks.problem import Problem
from snowcoder.errors import ShardError
from snowcoder.evaluation.grading.differential import grade_problems
from snowcoder.evaluation.grading.program_grading import grade_programs
from snowcoder.evaluation.grading.unittest_grading import grade_unittests
from snowcoder.evaluation.grading.work_queue import Verdict
from snowcoder.pipeline.console import progress, say
from snowcoder.sandbox.program import SandboxLimits
from snowcoder.storage.journal import Entry, Journal, read_journal


@dataclass(frozen=True, slots=True)
class Judgement:
    """base: the benchmark's own tests pass. plus: the further ones too, where it has them, by themselves; else as base.

    outcome: passed | failed | timeout | out_of_memory | killed. detail: what went wrong first, in words.
    """

    base: bool
    plus: bool
    outcome: str
    detail: str

    @property
    def passed(self) -> bool:
        """What the benchmark's score counts: all tests pass."""
        return self.base and self.plus


def judge(solutions: Mapping[Problem, Sequence[str]], limits: SandboxLimits) -> Iterator[tuple[Problem, list[Judgement]]]:
    """The judgements on each problem's solutions, problem by problem as they are done, in order. limits: for grader `program`."""
    by_grader: dict[str, dict[Problem, Sequence[str]]] = {}
    for problem, texts in solutions.items():
        by_grader.setdefault(problem.grader, {})[problem] = texts
    for grader, chosen in by_grader.items():
        if grader == "program":
            for problem, outcomes in grade_programs(chosen, limits):
                yield problem, [Judgement(one.passed, one.passed, one.status, one.detail) for one in outcomes]
        else:
            graded = grade_unittests(chosen) if grader == "unittest" else grade_problems(chosen)
            yield from ((problem, [_one(verdict) for verdict in verdicts]) for problem, verdicts in graded)


def judge_resumed(solutions: Mapping[Problem, Sequence[str]], limits: SandboxLimits, kept: Path) -> dict[Problem, list[Judgement]]:
    """As `judge`. The journal `kept` gets each judgement, with a key (the hash of benchmark, problem and solution): a run that was stopped
    resumes there, also with more solutions than before. Raises ShardError for a line of `kept` that is no judgement.
    """
    with Journal(kept) as journal:
        done = dict(_kept_judgement(entry, kept) for entry, _ in read_journal(kept))
        new = {problem: [text for text in dict.fromkeys(texts) if _key(problem, text) not in done] for problem, texts in solutions.items()}
        waiting = {problem: texts for problem, texts in new.items() if texts}
        if done:
            say(f"{kept}: {len(done)} solutions are already judged; {sum(map(len, waiting.values()))} are left")
        for problem, judgements in progress(judge(waiting, limits), len(waiting), "problems graded"):
            for text, judgement in zip(waiting[problem], judgements, strict=True):
                done[_key(problem, text)] = judgement
                journal.append({"key": _key(problem, text)} | asdict(judgement))
    return {problem: [done[_key(problem, text)] for text in texts] for problem, texts in solutions.items()}


def _kept_judgement(entry: Entry, kept: Path) -> tuple[str, Judgement]:
    types = {"key": str, "base": bool, "plus": bool, "outcome": str, "detail": str}
    if {name: type(value) for name, value in entry.items()} != types:
        found, allowed = ", ".join(sorted(entry)), ", ".join(sorted(types))
        raise ShardError(f"{kept}: found a line of {found}, or of other types; allowed: {allowed}; remove the file to judge anew")
    return entry.pop("key"), Judgement(**entry)


def _key(problem: Problem, solution: str) -> str:
    text = "\0".join((problem.benchmark, problem.problem_id, solution))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _one(verdict: Verdict) -> Judgement:
    base = verdict["base"][0]
    plus = verdict["plus"][0] if "plus" in verdict else base
    failed = [f"{name}: {detail}" for name, (passed, detail) in verdict.items() if not passed]
    outcome = "passed" if not failed else "timeout" if failed[0].endswith("out of time") else "failed"
    return Judgement(base, plus, outcome, failed[0] if failed else "")
