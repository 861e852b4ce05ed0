"""synthesize_documents: a teacher turns the top-scored train files into problem-solving code files.

in: data/split_files, data/score_files/<recipe>  out: data/synthesize_documents (responses/: a model's answers),
     metrics/synthesize_documents.json
"""

from pathlib import Path

from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import Metrics, StageRun, command_line, run_stage, work_dir
from snowcoder.storage.shards import iterate_rows, list_shards
from snowcoder.synthesis.extractive_teacher import synthesize
from snowcoder.synthesis.model_teacher import ask_model
from snowcoder.synthesis.seeds import SEED_COLUMNS, choose_seeds
from snowcoder.synthesis.synthesis_params import SynthesizeParams

FILES = Path("data/split_files")
SCORES = Path("data/score_files")


def main() -> None:
    params = load_section("synthesize_documents", SynthesizeParams)
    scores = SCORES / params.recipe

    def build(run: StageRun) -> Metrics:
        shards, scored = list_shards(FILES), iterate_rows(scores, SEED_COLUMNS)
        if params.engine.kind == "extractive":
            seeds = choose_seeds(scored, params.seed_top_fraction)
            metrics = synthesize(shards, seeds, params, run.output, run)
        else:
            # answers outlive the state of this run: other code or parameters ask for none of them again
            store = work_dir() / "responses/synthesize_documents.jsonl"
            metrics = ask_model(params, shards, scored, store, run.output)
        return metrics | {"teacher": params.engine.kind}

    run_stage("synthesize_documents", [params], [FILES, scores], build)


if __name__ == "__main__":
    command_line(main)
