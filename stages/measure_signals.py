"""measure_signals: every signal that a filter rule can use, and the content with personal data and secrets masked; no thresholds.

in: data/fetch_corpus  out: data/measure_signals (the same files with their signals), metrics/measure_signals.json
"""

from pathlib import Path

from snowcoder.filtering.measuring import MEASURED_SCHEMA, measure_shard, summarise_signals
from snowcoder.pipeline.stage import Metrics, StageRun, command_line, run_stage
from snowcoder.storage.shards import list_shards

FILES = Path("data/fetch_corpus")


def main() -> None:
    def build(run: StageRun) -> Metrics:
        summaries = run.map_shards(measure_shard, list_shards(FILES), {"files": (run.output, MEASURED_SCHEMA)})
        return summarise_signals(run.output, summaries)

    run_stage("measure_signals", [], [FILES], build)


if __name__ == "__main__":
    command_line(main)
