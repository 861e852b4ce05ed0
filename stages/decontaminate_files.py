"""decontaminate_files: drops the files that overlap a problem of a benchmark, with a ledger row of evidence for each.

in: data/deduplicate_files, data/fetch_benchmarks  out: data/decontaminate_files (kept files; ledger/), metrics/decontaminate_files.json
"""

from pathlib import Path

from snowcoder.benchmarks.problem import read_problems
from snowcoder.decontamination.decontaminate_table import decontaminate_table
from snowcoder.decontamination.decontamination_params import DecontaminationParams
from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import StageRun, command_line, run_stage
from snowcoder.storage.metrics import write_metrics
from snowcoder.storage.shards import list_shards

SOURCE = Path("data/deduplicate_files")
BENCHMARKS = Path("data/fetch_benchmarks")
OUTPUT = Path("data/decontaminate_files")
METRICS = Path("metrics/decontaminate_files.json")


def main() -> None:
    params = load_section("decontaminate_files", DecontaminationParams)

    def build(run: StageRun) -> None:
        metrics = decontaminate_table(list_shards(SOURCE), read_problems(BENCHMARKS), params, run.out(OUTPUT), run.state)
        write_metrics(run.out(METRICS), metrics)

    run_stage("decontaminate_files", [params], inputs=[SOURCE, BENCHMARKS], outputs=[OUTPUT, METRICS], build=build)


if __name__ == "__main__":
    command_line(main)
