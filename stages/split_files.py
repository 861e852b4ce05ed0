"""split_files: column `split` (train, held_out) by a hash of the repository.

in: data/decontaminate_files  out: data/split_files (SourceFile + split), metrics/split_files.json
"""

from functools import partial
from pathlib import Path

from snowcoder.corpus.held_out_split import SPLIT_SCHEMA, SplitParams, merge_splits, split_shard
from snowcoder.pipeline.execution import map_shards
from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import StageRun, command_line, run_stage
from snowcoder.storage.metrics import write_metrics
from snowcoder.storage.shards import list_shards

SOURCE = Path("data/decontaminate_files")
OUTPUT = Path("data/split_files")
METRICS = Path("metrics/split_files.json")


def build(run: StageRun, params: SplitParams) -> None:
    """Rows keep their shard and order."""
    outputs = {"files": (run.out(OUTPUT), SPLIT_SCHEMA)}
    summaries = map_shards(partial(split_shard, params=params), list_shards(SOURCE), outputs, run.state, run.label)
    write_metrics(run.out(METRICS), merge_splits(summaries, params))


def main() -> None:
    params = load_section("split_files", SplitParams)
    run_stage("split_files", [params], inputs=[SOURCE], outputs=[OUTPUT, METRICS], build=partial(build, params=params))


if __name__ == "__main__":
    command_line(main)
