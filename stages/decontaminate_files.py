"""decontaminate_files: drops the files that overlap a problem of a benchmark, with a ledger row of evidence for each.

in: data/deduplicate_files, data/fetch_benchmarks  out: data/decontaminate_files (kept files; ledger/), metrics/decontaminate_files.json
"""

from pathlib import Path

from snowcoder.benchmarks.problem import read_problems
from snowcoder.decontamination.decontaminate_table import decontaminate_table
from snowcoder.decontamination.decontamination_params import DecontaminationParams
from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import Metrics, StageRun, command_line, run_stage
from snowcoder.storage.shards import list_shards

FILES = Path("data/deduplicate_files")
PROBLEMS = Path("data/fetch_benchmarks")


def main() -> None:
    params = load_section("decontaminate_files", DecontaminationParams)

    def build(run: StageRun) -> Metrics:
        return decontaminate_table(list_shards(FILES), read_problems(PROBLEMS), params, run.output, run)

    run_stage("decontaminate_files", [params], [FILES, PROBLEMS], build)


if __name__ == "__main__":
    command_line(main)
