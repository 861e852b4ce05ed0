"""fetch_benchmarks: the pinned problems of each benchmark.

in: installed packages and files of benchmarks  out: data/fetch_benchmarks (problems; hashes.json), metrics/fetch_benchmarks.json
"""

from collections import Counter
from pathlib import Path

from snowcoder.benchmarks.loading import FetchBenchmarksParams, load_benchmarks
from snowcoder.benchmarks.problem import write_problems
from snowcoder.errors import EmptyResultError
from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import StageRun, command_line, run_stage
from snowcoder.storage.files import write_json
from snowcoder.storage.metrics import write_metrics

OUTPUT = Path("data/fetch_benchmarks")
METRICS = Path("metrics/fetch_benchmarks.json")


def main() -> None:
    params = load_section("fetch_benchmarks", FetchBenchmarksParams)

    def build(run: StageRun) -> None:
        problems = load_benchmarks(params)
        if not problems:
            raise EmptyResultError(f"{OUTPUT}: no problem in {', '.join(params.names)}; check the benchmarks' source files")
        write_problems(run.out(OUTPUT), problems)
        write_json(run.out(OUTPUT) / "hashes.json", {name: params.sha256[name] for name in params.names})
        by_benchmark = Counter(problem.benchmark for problem in problems)
        write_metrics(run.out(METRICS), {"rows_out": len(problems), "by_benchmark": dict(by_benchmark)})

    run_stage("fetch_benchmarks", [params], inputs=[], outputs=[OUTPUT, METRICS], build=build)


if __name__ == "__main__":
    command_line(main)
