"""split_files: assigns each repository to train or held_out by its hash, in the column `split`.

in: data/decontaminate_files  out: data/split_files (SourceFile + split), metrics/split_files.json
"""

from functools import partial
from pathlib import Path

from snowcoder.corpus.held_out_split import SPLIT_SCHEMA, SplitParams, merge_splits, split_shard
from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import Metrics, StageRun, command_line, run_stage
from snowcoder.storage.shards import list_shards

FILES = Path("data/decontaminate_files")


def main() -> None:
    params = load_section("split_files", SplitParams)

    def build(run: StageRun) -> Metrics:
        outputs = {"files": (run.output, SPLIT_SCHEMA)}
        summaries = run.map_shards(partial(split_shard, params=params), list_shards(FILES), outputs)
        return merge_splits(summaries, params)

    run_stage("split_files", [params], [FILES], build)


if __name__ == "__main__":
    command_line(main)
