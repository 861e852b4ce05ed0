"""filter_files: applies thresholds, licences and opt-outs; masks emails, public IP addresses and secrets in the kept files.

in: data/measure_signals, the tables that params name (data/filter_exceptions.csv, data/opt_out.csv)
out: data/filter_files (kept files; rejected/ with rule, value, threshold), metrics/filter_files.json
"""

from functools import partial
from pathlib import Path

from snowcoder.filtering.emptiness import refuse_empty
from snowcoder.filtering.filter_shard import REJECTED_SCHEMA, filter_shard, load_filter, merge_summaries
from snowcoder.filtering.rights_accounts import describe_opt_out
from snowcoder.filtering.rules import FilterParams
from snowcoder.pipeline.console import say
from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import Metrics, StageRun, command_line, run_stage
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA
from snowcoder.storage.shards import list_shards, read_table

FILES = Path("data/measure_signals")


def main() -> None:
    params = load_section("filter_files", FilterParams)
    tables = [Path(path) for path in (params.exceptions, params.opt_out) if path]

    def build(run: StageRun) -> Metrics:
        chosen, rejected = load_filter(params), run.output / "rejected"
        outputs = {"kept": (run.output, SOURCE_FILE_SCHEMA), "rejected": (rejected, REJECTED_SCHEMA)}
        # serial: comparing numbers costs less than starting a process
        summaries = run.map_shards(partial(filter_shard, chosen=chosen), list_shards(FILES), outputs, backend="serial")
        metrics = merge_summaries(summaries, chosen.opt_out)
        if metrics["rows_out"] == 0:
            refuse_empty(metrics["rows_in"], read_table(rejected), params)
        if metrics["opt_out"]["entries"]:
            say(describe_opt_out(metrics["opt_out"], str(params.opt_out)))
        return metrics

    run_stage("filter_files", [params], [FILES, *tables], build)


if __name__ == "__main__":
    command_line(main)
