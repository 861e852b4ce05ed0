"""fetch_unseen: documented functions of distributions that no stage trains on, screened against corpus, positives and benchmarks.

in: data/unseen.lock, data/unseen.csv, data/decontaminate_files, data/fetch_positives, data/fetch_benchmarks
out: data/fetch_unseen (repository, path, name, prompt, body, content_sha256; ledger/), metrics/fetch_unseen.json
"""

from pathlib import Path

from snowcoder.benchmarks.problem import read_problems
from snowcoder.corpus.left_out_report import left_out_lines
from snowcoder.corpus.repository_limits import LeftOut
from snowcoder.decontamination.decontamination_params import DecontaminationParams
from snowcoder.decontamination.screen import BenchmarkScreen
from snowcoder.deduplication.deduplication_params import DeduplicationParams
from snowcoder.evaluation.unseen.choose_functions import build_unseen
from snowcoder.evaluation.unseen.unseen_params import FetchUnseenParams
from snowcoder.pipeline.console import say
from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import Metrics, StageRun, command_line, run_stage, work_dir
from snowcoder.storage.shards import list_shards

FILES = Path("data/decontaminate_files")
POSITIVES = Path("data/fetch_positives")
PROBLEMS = Path("data/fetch_benchmarks")


def main() -> None:
    params = load_section("fetch_unseen", FetchUnseenParams)
    deduplication = load_section("deduplicate_files", DeduplicationParams)
    decontamination = load_section("decontaminate_files", DecontaminationParams)

    def build(run: StageRun) -> Metrics:
        skipped = LeftOut()
        files = list(params.source.files(params, params.only_repositories, work_dir() / "downloads", skipped))
        for line in left_out_lines(skipped, "fetch_unseen", "files"):
            say(line)
        trained_on = {"corpus": list_shards(FILES), "positives": list_shards(POSITIVES)}
        screen = BenchmarkScreen(read_problems(PROBLEMS), decontamination)
        metrics = build_unseen(files, trained_on, screen, params, deduplication.ngram_tokens, run.output)
        return metrics | {"skipped": dict(skipped)}

    run_stage("fetch_unseen", [params, deduplication, decontamination], [*params.source.inputs(), FILES, POSITIVES, PROBLEMS], build)


if __name__ == "__main__":
    command_line(main)
