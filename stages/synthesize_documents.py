"""synthesize_documents: a teacher turns the top-scored train files into problem-solving code files.

in: data/split_files, data/score_files/<recipe>  out: data/synthesize_documents, metrics/synthesize_documents.json
"""

from pathlib import Path

from snowcoder.metrics import write_metrics
from snowcoder.params import load_section
from snowcoder.shards import iterate_rows, list_shards
from snowcoder.stage import StageRun, command_line, run_stage
from snowcoder.synthesis.generation import SynthesizeParams, synthesize
from snowcoder.synthesis.seeds import SEED_COLUMNS, choose_seeds

FILES = Path("data/split_files")
SCORES = Path("data/score_files")
OUTPUT = Path("data/synthesize_documents")
METRICS = Path("metrics/synthesize_documents.json")


def main() -> None:
    params = load_section("synthesize_documents", SynthesizeParams)
    scores = SCORES / params.recipe

    def build(run: StageRun) -> None:
        seeds = choose_seeds(iterate_rows(scores, SEED_COLUMNS), params.seed_top_fraction)
        metrics = synthesize(list_shards(FILES), seeds, params, run.out(OUTPUT), run.state)
        write_metrics(run.out(METRICS), metrics | {"teacher": params.engine})

    run_stage("synthesize_documents", [params], inputs=[FILES, scores], outputs=[OUTPUT, METRICS], build=build)


if __name__ == "__main__":
    command_line(main)
