"""fetch_corpus: raw code files with repository, path, licence, popularity and revision.

in: the source of params (data/corpus.lock and data/corpus.csv, where it is wheels)
out: data/fetch_corpus (SourceFile rows), metrics/fetch_corpus.json
"""

from snowcoder.corpus.sources import FetchCorpusParams, fetch_files
from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import Metrics, StageRun, command_line, run_stage, work_dir


def main() -> None:
    params = load_section("fetch_corpus", FetchCorpusParams)

    def build(run: StageRun) -> Metrics:
        return fetch_files(params, run.output, work_dir() / "downloads")

    run_stage("fetch_corpus", [params], params.source.inputs(), build)


if __name__ == "__main__":
    command_line(main)
