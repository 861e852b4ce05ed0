"""fetch_positives: high-quality files and instruction pairs for the annotators, screened against the corpus and the benchmarks.

in: data/positives.lock, data/positives.csv (or the data sets that fetch_positives.source names), data/decontaminate_files,
    data/fetch_benchmarks
out: data/fetch_positives (SourceFile + kind; dropped/, ledger/), metrics/fetch_positives.json
"""

from pathlib import Path

from snowcoder.benchmarks.problem import read_problems
from snowcoder.corpus.left_out_report import left_out_lines
from snowcoder.corpus.repository_limits import LeftOut
from snowcoder.decontamination.decontamination_params import DecontaminationParams
from snowcoder.decontamination.screen import BenchmarkScreen
from snowcoder.deduplication.deduplication_params import DeduplicationParams
from snowcoder.pipeline.console import say
from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import Metrics, StageRun, command_line, run_stage, work_dir
from snowcoder.positives.kinds import FetchPositivesParams
from snowcoder.positives.screen_positives import build_positives, gather_positives
from snowcoder.storage.shards import list_shards

FILES = Path("data/decontaminate_files")
PROBLEMS = Path("data/fetch_benchmarks")


def main() -> None:
    params = load_section("fetch_positives", FetchPositivesParams)
    deduplication = load_section("deduplicate_files", DeduplicationParams)
    decontamination = load_section("decontaminate_files", DecontaminationParams)

    def build(run: StageRun) -> Metrics:
        skipped = LeftOut()
        gathered = gather_positives(params, work_dir() / "downloads", skipped)
        for line in left_out_lines(skipped, "fetch_positives", "files and rows"):
            say(line)
        screen = BenchmarkScreen(read_problems(PROBLEMS), decontamination)
        metrics = build_positives(gathered, list_shards(FILES), screen, params, deduplication, run.output)
        return metrics | {"skipped": dict(skipped)}

    sections = [params, deduplication, decontamination]
    run_stage("fetch_positives", sections, [*params.source.inputs(), FILES, PROBLEMS], build)


if __name__ == "__main__":
    command_line(main)
