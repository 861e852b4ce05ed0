"""filter_files: thresholds over measured signals, licences and opt-outs; what is kept has emails, public IP addresses and secrets masked.

in: data/measure_signals, the tables that params name (data/filter_exceptions.csv, data/opt_out.csv)
out: data/filter_files (kept files; rejected/ with rule, value, threshold), metrics/filter_files.json
"""

from functools import partial
from pathlib import Path

from snowcoder.errors import EmptyResultError
from snowcoder.filtering.emptiness import explain_rejections
from snowcoder.filtering.filter_shard import REJECTED_SCHEMA, filter_shard, load_filter, merge_summaries
from snowcoder.filtering.rights_accounts import describe_opt_out
from snowcoder.filtering.rules import FilterParams
from snowcoder.pipeline.console import say
from snowcoder.pipeline.execution import map_shards
from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import StageRun, command_line, run_stage
from snowcoder.records import SOURCE_FILE_SCHEMA
from snowcoder.storage.metrics import write_metrics
from snowcoder.storage.shards import list_shards, read_table

SOURCE = Path("data/measure_signals")
OUTPUT = Path("data/filter_files")
METRICS = Path("metrics/filter_files.json")


def build(run: StageRun, params: FilterParams) -> None:
    """Every row is kept or rejected with its rule."""
    folder = run.out(OUTPUT)
    outputs = {"kept": (folder, SOURCE_FILE_SCHEMA), "rejected": (folder / "rejected", REJECTED_SCHEMA)}
    # Comparing numbers costs less than starting a process
    chosen = load_filter(params)
    function = partial(filter_shard, chosen=chosen)
    summaries = map_shards(function, list_shards(SOURCE), outputs, run.state, run.label, backend="serial")
    metrics = merge_summaries(summaries, chosen.opt_out)
    if metrics["rows_out"] == 0:
        reasons = explain_rejections(read_table(folder / "rejected", ["rule", "value", "threshold", "licence", "repository"]), params)
        found = f"all {metrics['rows_in']} files are rejected, by {reasons}"
        raise EmptyResultError(f"params.yaml: {found}; loosen these parameters, or check that the corpus is the one that you mean")
    write_metrics(run.out(METRICS), metrics)
    if metrics["opt_out"]["entries"]:
        say(describe_opt_out(metrics["opt_out"], str(params.opt_out)))


def main() -> None:
    params = load_section("filter_files", FilterParams)
    inputs = [SOURCE, *(Path(path) for path in (params.exceptions, params.opt_out) if path)]
    run_stage("filter_files", [params], inputs=inputs, outputs=[OUTPUT, METRICS], build=partial(build, params=params))


if __name__ == "__main__":
    command_line(main)
