"""Makes samples of every kind that a grader meets from the benchmarks' own solutions, to compare verdicts and speed with EvalPlus.

in: problems, how many samples of each, a seed   out: rows {task_id, kind, solution}; the same for the same seed
"""

import random
import re
from collections.abc import Callable, Sequence

from snowcoder.benchmarks.problem import Problem
from snowcoder.evaluation.benchmark_prompts import reference_of
from snowcoder.evaluation.measuring.mutation import mutate

# What a wrapper around the reference does with `args` (the arguments) and `inner` (the reference)
WRAPPERS = {
    "wrong_type": [
        "return str(inner(*args))",
        "return [inner(*args)]",
        "out = inner(*args)\n    return tuple(out) if isinstance(out, list) else list(out) if isinstance(out, tuple) else float(out)",
        "out = inner(*args)\n    return int(out) if isinstance(out, (bool, float)) else None",
    ],
    "infinite_loop": ["while True:\n        pass", "n = 0\n    while n >= 0:\n        n += 1\n    return inner(*args)"],
    "exception": ["raise ValueError('no')", "return inner(*args) + undefined", "import sys\n    sys.exit(0)", "return input()"],
    "mutates_inputs": [
        "out = inner(*args)\n    for value in args:\n        getattr(value, 'clear', str)()\n    return out",
        "for value in args:\n        getattr(value, 'sort', str)()\n    return inner(*args)",
        "for value in args:\n        if isinstance(value, list) and value:\n            value.pop()\n    return inner(*args)",
    ],
    "prints": [
        "print('calling with', args)\n    return inner(*args)",
        "import sys\n    sys.stderr.write('x' * 1000)\n    return inner(*args)",
    ],
    "float_drift": [
        f"out = inner(*args)\n    return out * (1 + {drift}) if isinstance(out, float) else "
        f"[x + {drift} if isinstance(x, float) else x for x in out] if isinstance(out, list) else out"
        for drift in ("1e-9", "1e-7", "3e-6", "1e-3")
    ],
    "stateful": ["calls.append(1)\n    return inner(*args) if len(calls) < 5 else None", "calls.append(1)\n    return inner(*args)"],
    "slow": ["for _ in range(30000):\n        pass\n    return inner(*args)"],
}


def make_samples(problems: Sequence[Problem], per_problem: int, seed: int, kinds: Sequence[str]) -> list[dict[str, str]]:
    """`per_problem` distinct solutions of each problem; the kinds go round, so that over the problems each kind meets each problem's
    place.
    """
    rows = []
    for number, problem in enumerate(problems):
        draws = random.Random(f"{seed} {problem.problem_id}")
        seen: set[str] = set()
        for index in range(per_problem):
            kind = kinds[(number * per_problem + index) % len(kinds)]
            text = MAKERS[kind](problem, draws)
            while text in seen:
                text += f"\n# {index}"
            seen.add(text)
            rows.append({"task_id": problem.problem_id, "kind": kind, "solution": text})
    return rows


def _canonical(problem: Problem, draws: random.Random) -> str:
    return reference_of(problem)


def _mutated(problem: Problem, draws: random.Random) -> str:
    changed = mutate(problem.prompt, problem.canonical_solution, draws.randrange(10**6), max_mutants=1)
    return problem.prompt + (changed[0] if changed else problem.canonical_solution)


def _truncated(problem: Problem, draws: random.Random) -> str:
    body = problem.canonical_solution
    return problem.prompt + body[: draws.randrange(1, max(2, len(body)))]


def _renamed(problem: Problem, draws: random.Random) -> str:
    return re.sub(rf"\b{re.escape(problem.entry_point)}\b", f"{problem.entry_point}_{draws.randrange(9)}", reference_of(problem))


def _script(problem: Problem, draws: random.Random) -> str:
    """What runs where it is the main program fails."""
    body = draws.choice(("x = input()", "main()", "sys.exit(1)", f"assert {problem.entry_point}()"))
    return f"{reference_of(problem)}\nif __name__ == '__main__':\n    {body}\n"


def _wrapped(kind: str) -> Callable[[Problem, random.Random], str]:
    def make(problem: Problem, draws: random.Random) -> str:
        name, body = problem.entry_point, draws.choice(WRAPPERS[kind])
        return f"{reference_of(problem)}\ncalls = []\ninner = {name}\ndef {name}(*args):\n    {body}\n"

    return make


MAKERS: dict[str, Callable[[Problem, random.Random], str]] = {
    "canonical": _canonical,
    "mutated": _mutated,
    "truncated": _truncated,
    "renamed": _renamed,
    "script": _script,
    **{kind: _wrapped(kind) for kind in WRAPPERS},
}
