"""The summary run of an experiment: the headline metrics of all models as one row of MLflow's table.

The report stage writes it. Where DVC had the report already no stage runs that could: `ensure_summary` then writes it for the workspace (a
clone with the committed results, a pulled result), `write_missing_summaries` for experiments whose report came from DVC's run cache.
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
from snowcoder.reporting.report_params import load_report_params
from snowcoder.reporting.results import Results, Scores, headline_metrics, input_paths, read_scores
from snowcoder.tracking.record import summary_path, track
from snowcoder.tracking.records import find_summaries

STAGE = "report"


class Experiment(NamedTuple):
    """A DVC experiment, which Git keeps as refs/exps/<baseline, split>/<name>."""

    name: str
    baseline_rev: str
    commit: str


def write_summary(results: Scores, fingerprint: str) -> None:
    """One run per experiment and fingerprint: a second one updates the first."""
    with track(STAGE, None, fingerprint, summary=True) as record:
        record.log(headline_metrics(results))


def ensure_summary(results: Results) -> None:
    """Write the summary run of the results at hand, unless there is one."""
    fingerprint = stage_fingerprint(STAGE, [results.params], input_paths(results.params))
    if not summary_path(fingerprint).exists():
        write_summary(results, fingerprint)


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
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(files)) as archive:
            archive.extractall(folder, filter="data")
        with contextlib.chdir(folder), _as_if_run_in(experiment, work):
            try:
                write_summary(read_scores(load_report_params()), experiment.commit[:16])
            except SnowcoderError:
                return False
    return True


@contextlib.contextmanager
def _as_if_run_in(experiment: Experiment, work: Path) -> Iterator[None]:
    """The environment that DVC gives the stages of an experiment; without a mirror, as the callers copy to MLflow themselves."""
    names = {
        "DVC_EXP_NAME": experiment.name,
        "DVC_EXP_BASELINE_REV": experiment.baseline_rev,
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
