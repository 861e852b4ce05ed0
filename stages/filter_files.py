"""filter_files: per-language rules over raw files; what is kept has emails, public IP addresses and secrets masked.

in: data/fetch_corpus  out: data/filter_files (kept files; rejected/ with reason, value, threshold), metrics/filter_files.json
"""

from functools import partial
from pathlib import Path

from snowcoder.errors import EmptyResultError
from snowcoder.execution import map_shards
from snowcoder.filtering.files import REJECTED_SCHEMA, filter_shard, merge_summaries
from snowcoder.filtering.thresholds import FilterParams
from snowcoder.metrics import write_metrics
from snowcoder.params import load_section
from snowcoder.records import SOURCE_FILE_SCHEMA
from snowcoder.shards import list_shards
from snowcoder.stage import StageRun, command_line, run_stage

SOURCE = Path("data/fetch_corpus")
OUTPUT = Path("data/filter_files")
METRICS = Path("metrics/filter_files.json")


def build(run: StageRun, params: FilterParams) -> None:
    """Every row is kept or rejected with its reason."""
    folder = run.out(OUTPUT)
    outputs = {"kept": (folder, SOURCE_FILE_SCHEMA), "rejected": (folder / "rejected", REJECTED_SCHEMA)}
    summaries = map_shards(partial(filter_shard, params=params), list_shards(SOURCE), outputs, run.state, run.label)
    metrics = merge_summaries(summaries)
    if metrics["rows_out"] == 0:
        found = f"all {metrics['rows_in']} files are rejected ({metrics['dropped']})"
        raise EmptyResultError(f"filter_files: {found}; loosen the section filter_files of params.yaml")
    write_metrics(run.out(METRICS), metrics)


def main() -> None:
    params = load_section("filter_files", FilterParams)
    run_stage("filter_files", [params], inputs=[SOURCE], outputs=[OUTPUT, METRICS], build=partial(build, params=params))


if __name__ == "__main__":
    command_line(main)
