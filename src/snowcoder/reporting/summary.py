"""Summarises an experiment: its headline numbers for DVC (results/summary.json), and its summary run in MLflow.

The report stage writes both. Where DVC had the report already, no stage runs that could write to MLflow: `ensure_summary` then writes the
summary run of the workspace (a clone with the committed results, a pulled result), `write_missing_summaries` those of experiments whose
report came from DVC's run cache.
"""

import contextlib
import io
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from snowcoder.errors import SnowcoderError
from snowcoder.pipeline.stage import stage_fingerprint, work_dir
from snowcoder.reporting.comparisons import compare, trigram_comparisons
from snowcoder.reporting.data_tables import train_tokens
from snowcoder.reporting.report_params import ladder, load_report_params
from snowcoder.reporting.results import Results, Scores, benchmark_names, headline_metrics, input_paths, read_scores, set_names
from snowcoder.storage.workspace import original_root
from snowcoder.tracking.record import track
from snowcoder.tracking.records import find_summaries, has_summary

STAGE = "report"
PAGE = Path("results/report.html")
DATA_SETS = (Path("data/fetch_corpus"), Path("data/fetch_benchmarks"))


class Experiment(NamedTuple):
    """A DVC experiment, which Git keeps as refs/exps/<baseline, split>/<name>."""

    name: str
    baseline_rev: str
    commit: str


def headline_numbers(results: Results) -> dict[str, dict[str, float]]:
    """A dozen numbers that the report shows too, rounded as there: what `dvc exp show` and `dvc metrics diff` compare."""
    params, judged_on = results.params, set_names(results)[0]
    compared = [compare(results, *pair, judged_on) for pair in params.controls]
    percents = {f"{item.variant}_against_{item.control}": round(100 * item.relative, 2) for item in compared}
    bits = {variant: round(results.bits[variant](judged_on, "bits_per_byte"), 3) for variant in ladder(params)}
    final = results.scores[list(bits)[-1]]
    farthest = max(one.difference for one in trigram_comparisons(results, bits))
    return {
        f"bits_per_byte_on_{judged_on}": bits,
        f"bits_percent_on_{judged_on}": percents,
        "bits_per_byte_above_trigram": {"farthest_of_ladder": round(farthest, 3)},
        f"percent_solved_by_{list(bits)[-1]}": {name: round(100 * final(name, "pass@1"), 1) for name in benchmark_names(results)},
        "roc_auc_of_annotator": {recipe: round(annotator("roc_auc"), 3) for recipe, annotator in results.annotators.items()},
        "tokens": {
            "train_split": sum(train_tokens(results).values()),
            "selected": results.selections[params.rules[0]]("tokens"),
            "synthetic": results.stages["accept_documents"]("tokens"),
        },
    }


def write_summary(results: Scores, fingerprint: str, report: Path | None = None) -> None:
    """One run per experiment, with its data sets, models, scores and report; a second one updates the first."""
    inputs = [*DATA_SETS, *(Path("models/pretrain") / variant for variant in results.params.variants)]
    with track(STAGE, None, fingerprint, inputs, summary=True) as record:
        record.log(headline_metrics(results))
        if report is not None:
            record.log_artifact(report)


def ensure_summary(results: Results) -> None:
    """Write the summary run of the results in this folder, unless there is one."""
    fingerprint = stage_fingerprint(STAGE, [results.params], input_paths(results.params))
    if not has_summary(work_dir(), fingerprint):
        write_summary(results, fingerprint, PAGE if PAGE.exists() else None)


def write_missing_summaries() -> list[str]:
    """Write the summary run of every DVC experiment that has none, from the metrics in its commit; the names of those written.

    An experiment whose commit cannot be read as results of this code (older metrics, say) is left out. Not a Git repository: nothing.
    """
    known = find_summaries(work_dir())
    missing = [experiment for experiment in list_experiments() if (experiment.name, experiment.baseline_rev) not in known]
    return [experiment.name for experiment in missing if _write_from_commit(experiment)]


def list_experiments() -> list[Experiment]:
    """The experiments of this repository, by name."""
    found = []
    for line in _git("for-each-ref", "refs/exps", "--format=%(refname) %(objectname)").decode().splitlines():
        ref, commit = line.split()
        parts = ref.split("/")  # refs exps ab cdef... name; others (exec, stash, apply) are DVC's own
        if len(parts) == 5 and len(parts[2]) == 2 and len(parts[3]) == 38:
            found.append(Experiment(parts[4], parts[2] + parts[3], commit))
    return sorted(found)


def _write_from_commit(experiment: Experiment) -> bool:
    work, files = work_dir(), _git("archive", experiment.commit, "params.yaml", "metrics")
    if not files:
        return False
    others = {path: _git("show", f"{experiment.commit}:{path}") for path in ("dvc.lock", str(PAGE))}
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(files)) as archive:
            archive.extractall(folder, filter="data")
        for path, content in others.items():
            Path(folder, path).parent.mkdir(exist_ok=True)
            Path(folder, path).write_bytes(content)
        with _as_if_run_in(experiment, work), contextlib.chdir(folder):
            try:
                write_summary(read_scores(load_report_params()), experiment.commit[:16], PAGE if others[str(PAGE)] else None)
            except SnowcoderError:
                return False
    return True


@contextlib.contextmanager
def _as_if_run_in(experiment: Experiment, work: Path) -> Iterator[None]:
    """The environment that DVC gives the stages of an experiment; without a mirror, as the callers copy to MLflow themselves."""
    names = {
        "DVC_EXP_NAME": experiment.name,
        "DVC_EXP_BASELINE_REV": experiment.baseline_rev,
        "DVC_ROOT": str(original_root()),
        "SNOWCODER_WORK_DIR": str(work),
        "SNOWCODER_TRACKING": "local",
    }
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(names)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _git(*arguments: str) -> bytes:
    result = subprocess.run(["git", *arguments], capture_output=True, check=False)
    return result.stdout if result.returncode == 0 else b""
