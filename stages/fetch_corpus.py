"""fetch_corpus: raw code files with repository, path, licence, popularity and revision.

in: the source of params (data/corpus.lock and data/corpus.csv, where it is wheels)
out: data/fetch_corpus (SourceFile rows), metrics/fetch_corpus.json
"""

from functools import partial
from pathlib import Path

from snowcoder.corpus.sources import FetchCorpusParams, fetch_files
from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import StageRun, command_line, run_stage, work_dir
from snowcoder.storage.metrics import write_metrics

OUTPUT = Path("data/fetch_corpus")
METRICS = Path("metrics/fetch_corpus.json")


def build(run: StageRun, params: FetchCorpusParams) -> None:
    """Fetched files are kept in the work folder: a second run, or a clone with the same one, fetches nothing."""
    metrics = fetch_files(params, run.out(OUTPUT), work_dir() / "downloads")
    write_metrics(run.out(METRICS), metrics)


def main() -> None:
    params = load_section("fetch_corpus", FetchCorpusParams)
    run_stage("fetch_corpus", [params], inputs=params.source.inputs(), outputs=[OUTPUT, METRICS], build=partial(build, params=params))


if __name__ == "__main__":
    command_line(main)
