"""Grades a file of samples into a file of verdicts.

in: samples as samples.py reads them
out: JSON lines, one per sample in the order of the file, of task_id, index (of the sample among those of its problem), base, plus (true or
     false: each set of tests by itself, as EvalPlus reports them; a problem counts as solved by both), detail, sanitised (whether the text
     was changed); `<out>.summary.json` (`summarise_verdicts`, and `unparsed`, `sanitised`, `repeated`)

While it runs, `<out>.partial` is the journal of the judgements so far.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from snowcoder.benchmarks.problem import Problem
from snowcoder.errors import ParameterError
from snowcoder.evaluation.grading.graders import Judgement, judge_resumed
from snowcoder.evaluation.grading.pass_at_k import check_k, summarise_passes
from snowcoder.evaluation.grading.remarks import remarks
from snowcoder.evaluation.grading.repairing import count_unparsed, repair
from snowcoder.evaluation.grading.samples import Sample, problems_without_sample, read_samples
from snowcoder.pipeline.console import say
from snowcoder.sandbox.program import SandboxLimits
from snowcoder.storage.files import fault_of_output, written_whole
from snowcoder.storage.metrics import write_metrics
from snowcoder.tracking.record import track

PROGRAM_LIMITS = SandboxLimits(timeout_s=120.0, cpu_s=3, memory_bytes=4 * 2**30)


def grade_samples(
    benchmark: str,
    problems: Sequence[Problem],
    samples_path: Path,
    out: Path,
    sanitise: bool = False,
    ks: Sequence[int] | None = None,
) -> dict[str, Any]:
    """Write the verdicts and their summary; returns the summary.

    sanitise: repair the samples that do not parse (repairing.py). ks: of pass@k; None for 1, 10 and 100, as far as there are samples.
    Raises SourceError for a row that is no sample, ParameterError if no k of `ks` can be estimated or `out` cannot be written: all before
    anything is run.
    """
    _check_out(out, samples_path)
    written = read_samples(samples_path, problems)
    counts = Counter(sample.problem.problem_id for sample in written)
    if ks is not None:
        check_k(ks, counts)
    missing = problems_without_sample(written, problems)
    if missing:
        say(f"{samples_path}: {len(missing)} of {len(problems)} problems have no sample; they count as failed")
    samples = [repaired(sample) for sample in written] if sanitise else written
    solutions: dict[Problem, list[str]] = {}
    for sample in samples:
        solutions.setdefault(sample.problem, []).append(sample.solution)
    kept = _journal_path(out)
    with track("grade_samples", benchmark, _identity(samples)) as record:
        judged = {problem: iter(judgements) for problem, judgements in judge_resumed(solutions, PROGRAM_LIMITS, kept).items()}
        rows = [_verdict(sample, sample != before, next(judged[sample.problem])) for before, sample in zip(written, samples, strict=True)]
        write_lines(out, rows)
        summary = summarise_verdicts(benchmark, rows, missing, ks) | account_texts(
            [(sample.problem.problem_id, sample.start, sample.text) for sample in written]
        )
        changed = sum(before is not after for before, after in zip(written, samples, strict=True))
        left = summary["unparsed"]["samples"] - changed
        summary["sanitised"] = {"changed": changed, "unparsed_after": left} if sanitise else None
        write_metrics(_summary_path(out), summary)
        record.log({f"eval/{benchmark}/{name}_pass_at_1": summary[name]["pass@1"] for name in ("base", "plus")})
    kept.unlink(missing_ok=True)
    advice = f"--sanitise repaired {changed}, and {left} still do not parse" if sanitise else "run again with --sanitise"
    for line in remarks(benchmark, summary, advice):
        say(line)
    return summary


def _identity(samples: Sequence[Sample]) -> str:
    digest = hashlib.sha256()
    for sample in samples:
        digest.update("\0".join((sample.problem.problem_id, sample.solution, "")).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:16]


def _check_out(out: Path, samples_path: Path) -> None:
    for path in (out, _summary_path(out), _journal_path(out)):
        reason = fault_of_output(path)
        if not reason and path.exists() and samples_path.exists() and path.samefile(samples_path):
            reason = "the file of samples itself"
        if reason:
            raise ParameterError(f"--out: found {path} ({reason}); allowed: a file in a folder that can be written, other than the samples")


def _summary_path(out: Path) -> Path:
    return Path(f"{out}.summary.json")


def _journal_path(out: Path) -> Path:
    return Path(f"{out}.partial")


def repaired(sample: Sample) -> Sample:
    """The same object if it parses, or cannot be repaired."""
    program = repair(sample.text, sample.problem.entry_point, sample.start)
    return sample if program == sample.solution else Sample(sample.problem, sample.index, program)


def summarise_verdicts(
    benchmark: str, rows: Sequence[dict[str, Any]], missing: Sequence[str], ks: Sequence[int] | None = None
) -> dict[str, Any]:
    """{benchmark, samples, problems_without_sample: [ids], base, plus: summarise_passes}; plus: base and further tests, as the score
    counts.
    """
    return {
        "benchmark": benchmark,
        "samples": len(rows),
        "problems_without_sample": list(missing),
        "base": summarise_passes([(row["task_id"], row["base"]) for row in rows], ks, missing),
        "plus": summarise_passes([(row["task_id"], row["base"] and row["plus"]) for row in rows], ks, missing),
    }


def account_texts(written: Sequence[tuple[str, str, str]]) -> dict[str, Any]:
    """(problem, start, text) of each sample as written -> {unparsed: count_unparsed; repeated: {samples, problems_with_one_text}}."""
    distinct = Counter(problem for problem, _ in {(problem, start + text) for problem, start, text in written})
    counts = Counter(problem for problem, _, _ in written)
    return {
        "unparsed": count_unparsed([(start, text) for _, start, text in written]),
        "repeated": {
            "samples": len(written) - sum(distinct.values()),
            "problems_with_one_text": sum(counts[problem] > 1 and distinct[problem] == 1 for problem in counts),
        },
    }


def _verdict(sample: Sample, sanitised: bool, judgement: Judgement) -> dict[str, Any]:
    return {
        "task_id": sample.problem.problem_id,
        "index": sample.index,
        "base": judgement.base,
        "plus": judgement.plus,
        "detail": judgement.detail,
        "sanitised": sanitised,
    }


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write JSON lines atomically."""
    with written_whole(path) as partial:
        partial.write_text("".join(json.dumps(row) + "\n" for row in rows))
