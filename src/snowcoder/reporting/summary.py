"""The summary run of an experiment: the headline metrics of all models as one row of MLflow's table.

The report stage writes it. Where DVC had the report already (a clone with the committed results, a result from its cache) no stage runs;
`ensure_summary` then writes it afterwards.
"""

from snowcoder.reporting.results import Results, headline_metrics, input_paths
from snowcoder.stage import stage_fingerprint
from snowcoder.tracking import summary_path, track

STAGE = "report"


def write_summary(results: Results, fingerprint: str) -> None:
    """One run per experiment and fingerprint: a second one updates the first."""
    with track(STAGE, None, fingerprint, summary=True) as record:
        record.log(headline_metrics(results))


def ensure_summary(results: Results) -> None:
    """Write the summary run of the results at hand, unless there is one."""
    fingerprint = stage_fingerprint(STAGE, [results.params], input_paths(results.params))
    if not summary_path(fingerprint).exists():
        write_summary(results, fingerprint)
