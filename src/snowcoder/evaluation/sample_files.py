"""Grades a file of samples into a file of verdicts (grading.py tells their formats).

While it runs, `<out>.partial` holds a line {key, base, plus, outcome, detail} for each distinct solution judged so far, the key being the
hash of benchmark, problem and solution: a run that was stopped goes on there, also with more samples than before.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from snowcoder.benchmarks.problem import Problem
from snowcoder.console import progress, say
from snowcoder.evaluation.judging import Judgement, judge
from snowcoder.evaluation.pass_at_k import summarise_passes
from snowcoder.evaluation.samples import Sample, problems_without_sample, read_samples
from snowcoder.metrics import write_metrics
from snowcoder.sandbox.program import SandboxLimits
from snowcoder.tracking import track

PROGRAM_LIMITS = SandboxLimits(timeout_s=120.0, cpu_s=10, memory_bytes=4 * 2**30)


def grade_file(benchmark: str, problems: Sequence[Problem], samples_path: Path, out: Path) -> dict[str, Any]:
    """Write the verdicts and their summary; returns the summary."""
    samples = read_samples(samples_path, problems)
    missing = problems_without_sample(samples, problems)
    if missing:
        say(f"{samples_path}: {len(missing)} of {len(problems)} problems have no sample, such as {missing[0]}; they count as failed")
    identity = hashlib.sha256("\n".join(_key(sample) for sample in samples).encode()).hexdigest()
    with track("grade_samples", benchmark, identity[:16]) as record:
        judgements = _judge_all(samples, Path(f"{out}.partial"))
        rows = [_verdict(sample, judgements[_key(sample)]) for sample in samples]
        _write_lines(out, rows)
        summary = summarise(benchmark, rows, missing)
        write_metrics(Path(f"{out}.summary.json"), summary)
        record.log({f"eval/{benchmark}/{name}_pass_at_1": summary[name]["pass@1"] for name in ("base", "plus")})
    Path(f"{out}.partial").unlink(missing_ok=True)
    say(_sentence(benchmark, summary))
    return summary


def summarise(benchmark: str, rows: Sequence[dict[str, Any]], missing: Sequence[str]) -> dict[str, Any]:
    """{benchmark, samples, problems_without_sample: [ids], base, plus: summarise_passes}; plus: base and further tests, as the score
    counts.
    """
    absent = [(problem_id, False) for problem_id in missing]
    return {
        "benchmark": benchmark,
        "samples": len(rows),
        "problems_without_sample": list(missing),
        "base": summarise_passes([(row["task_id"], row["base"]) for row in rows] + absent),
        "plus": summarise_passes([(row["task_id"], row["base"] and row["plus"]) for row in rows] + absent),
    }


def _judge_all(samples: Sequence[Sample], partial: Path) -> dict[str, Judgement]:
    done = _read_partial(partial)
    waiting: dict[Problem, list[str]] = {}
    for sample in samples:
        if _key(sample) not in done and sample.solution not in waiting.setdefault(sample.problem, []):
            waiting[sample.problem].append(sample.solution)
    waiting = {problem: solutions for problem, solutions in waiting.items() if solutions}
    if done:
        say(f"{partial}: {len(done)} solutions are judged already; going on with {sum(map(len, waiting.values()))}")
    partial.parent.mkdir(parents=True, exist_ok=True)
    with partial.open("a") as file:
        file.write("\n")  # a run that was killed may have left a line without its end
        for problem, judgements in progress(judge(waiting, PROGRAM_LIMITS), len(waiting), "problems graded"):
            for solution, judgement in zip(waiting[problem], judgements, strict=True):
                key = _key(Sample(problem, 0, solution))
                done[key] = judgement
                fields = {"base": judgement.base, "plus": judgement.plus, "outcome": judgement.outcome, "detail": judgement.detail}
                file.write(json.dumps({"key": key} | fields) + "\n")
            file.flush()
    return done


def _read_partial(path: Path) -> dict[str, Judgement]:
    done = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            row = json.loads(line)
            key = row.pop("key")
            done[key] = Judgement(**row)
        except (ValueError, KeyError, TypeError):
            continue  # the last line of a run that was killed; its solution is judged again
    return done


def _key(sample: Sample) -> str:
    text = "\0".join((sample.problem.benchmark, sample.problem.problem_id, sample.solution))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _verdict(sample: Sample, judgement: Judgement) -> dict[str, Any]:
    return {
        "task_id": sample.problem.problem_id,
        "index": sample.index,
        "base": judgement.base,
        "plus": judgement.plus,
        "detail": judgement.detail,
    }


def _write_lines(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_text("".join(json.dumps(row) + "\n" for row in rows))
    partial.replace(path)


def _sentence(benchmark: str, summary: dict[str, Any]) -> str:
    parts = []
    for name in ("base", "plus"):
        low, high = summary[name]["ci95"]
        parts.append(f"{name} pass@1 {100 * summary[name]['pass@1']:.1f}% ({100 * low:.1f} to {100 * high:.1f})")
    return f"{benchmark}: {', '.join(parts)}; {summary['samples']} samples of {summary['base']['problems']} problems"
