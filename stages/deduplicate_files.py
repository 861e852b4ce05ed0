"""deduplicate_files: keeps one copy of each file: exact duplicates, then near ones (found by MinHash LSH, verified by exact Jaccard).

in: data/filter_files  out: data/deduplicate_files (kept files; dropped/ with reason, kept file, Jaccard), metrics/deduplicate_files.json
"""

from pathlib import Path

from snowcoder.deduplication.deduplicate_table import deduplicate_table
from snowcoder.deduplication.deduplication_params import DeduplicationParams
from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import Metrics, StageRun, command_line, run_stage
from snowcoder.storage.shards import list_shards

FILES = Path("data/filter_files")


def main() -> None:
    params = load_section("deduplicate_files", DeduplicationParams)

    def build(run: StageRun) -> Metrics:
        return deduplicate_table(list_shards(FILES), params, run.output, run.state)

    run_stage("deduplicate_files", [params], [FILES], build)


if __name__ == "__main__":
    command_line(main)
