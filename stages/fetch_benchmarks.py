"""fetch_benchmarks: the pinned problems of each benchmark.

in: installed packages and files of benchmarks  out: data/fetch_benchmarks (problems; hashes.json), metrics/fetch_benchmarks.json
"""

from collections import Counter

from snowcoder.benchmarks.loading import FetchBenchmarksParams, load_benchmarks
from snowcoder.benchmarks.problem import write_problems
from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import Metrics, StageRun, command_line, run_stage
from snowcoder.storage.files import write_json


def main() -> None:
    params = load_section("fetch_benchmarks", FetchBenchmarksParams)

    def build(run: StageRun) -> Metrics:
        problems = load_benchmarks(params)
        write_problems(run.output, problems)
        write_json(run.output / "hashes.json", {name: params.sha256[name] for name in params.names})
        return {"rows_out": len(problems), "by_benchmark": Counter(problem.benchmark for problem in problems)}

    run_stage("fetch_benchmarks", [params], [], build)


if __name__ == "__main__":
    command_line(main)
