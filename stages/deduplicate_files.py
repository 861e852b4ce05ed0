"""deduplicate_files: one copy of each file; exact duplicates, then near duplicates (nominated by MinHash LSH, verified by exact Jaccard).

in: data/filter_files  out: data/deduplicate_files (kept files; dropped/ with reason, kept file, Jaccard), metrics/deduplicate_files.json
"""

from pathlib import Path

from snowcoder.deduplication.deduplicate_table import deduplicate_table
from snowcoder.deduplication.deduplication_params import DeduplicationParams
from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import StageRun, command_line, run_stage
from snowcoder.storage.metrics import write_metrics
from snowcoder.storage.shards import list_shards

SOURCE = Path("data/filter_files")
OUTPUT = Path("data/deduplicate_files")
METRICS = Path("metrics/deduplicate_files.json")


def main() -> None:
    params = load_section("deduplicate_files", DeduplicationParams)

    def build(run: StageRun) -> None:
        metrics = deduplicate_table(list_shards(SOURCE), params, run.out(OUTPUT), run.state)
        write_metrics(run.out(METRICS), metrics)

    run_stage("deduplicate_files", [params], inputs=[SOURCE], outputs=[OUTPUT, METRICS], build=build)


if __name__ == "__main__":
    command_line(main)
