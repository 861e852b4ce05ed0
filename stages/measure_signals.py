"""measure_signals: every signal that a filter may ask of a file, and its content with personal data and secrets masked. No threshold.

in: data/fetch_corpus  out: data/measure_signals (the same files with their signals), metrics/measure_signals.json
"""

from pathlib import Path

from snowcoder.filtering.measuring import MEASURED_SCHEMA, measure_shard, summarise_signals
from snowcoder.pipeline.execution import map_shards
from snowcoder.pipeline.stage import StageRun, command_line, run_stage
from snowcoder.storage.metrics import write_metrics
from snowcoder.storage.shards import list_shards

SOURCE = Path("data/fetch_corpus")
OUTPUT = Path("data/measure_signals")
METRICS = Path("metrics/measure_signals.json")


def build(run: StageRun) -> None:
    """Measured apart from filter_files, so that another threshold measures nothing anew."""
    folder = run.out(OUTPUT)
    summaries = map_shards(measure_shard, list_shards(SOURCE), {"files": (folder, MEASURED_SCHEMA)}, run.state, run.label)
    write_metrics(run.out(METRICS), summarise_signals(folder, summaries))


def main() -> None:
    run_stage("measure_signals", [], inputs=[SOURCE], outputs=[OUTPUT, METRICS], build=build)


if __name__ == "__main__":
    command_line(main)
