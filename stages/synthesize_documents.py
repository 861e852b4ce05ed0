"""synthesize_documents: a teacher turns the top-scored train files into problem-solving code files.

in: data/split_files, data/score_files/<recipe>  out: data/synthesize_documents (responses/: a model's answers),
     metrics/synthesize_documents.json
"""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from snowcoder.inference.engines.engine_params import EngineParams, model_identity, open_engine
from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import StageRun, command_line, run_stage, work_dir
from snowcoder.storage.metrics import write_metrics
from snowcoder.storage.shards import iterate_rows, list_shards
from snowcoder.synthesis.extractive_teacher import synthesize
from snowcoder.synthesis.model_teacher import TeacherModel, generate_documents
from snowcoder.synthesis.seeds import SEED_COLUMNS, choose_seeds, choose_seeds_by_language
from snowcoder.synthesis.synthesis_params import SynthesizeParams

FILES = Path("data/split_files")
SCORES = Path("data/score_files")
OUTPUT = Path("data/synthesize_documents")
METRICS = Path("metrics/synthesize_documents.json")


def main() -> None:
    params = load_section("synthesize_documents", SynthesizeParams)
    scores = SCORES / params.recipe

    def build(run: StageRun) -> None:
        scored = iterate_rows(scores, SEED_COLUMNS)
        if params.engine.kind == "extractive":
            seeds = choose_seeds(scored, params.seed_top_fraction)
            metrics = synthesize(list_shards(FILES), seeds, params, run.out(OUTPUT), run.state)
        else:
            metrics = ask_model(params.engine, params, scored, run.out(OUTPUT))
        write_metrics(run.out(METRICS), metrics | {"teacher": params.engine.kind})

    run_stage("synthesize_documents", [params], inputs=[FILES, scores], outputs=[OUTPUT, METRICS], build=build)


def ask_model(engine: EngineParams, params: SynthesizeParams, scored: Iterator[dict[str, Any]], output: Path) -> dict[str, Any]:
    """Documents by a model. Its answers outlive the state of this run: other code or parameters ask for none of them again."""
    assert params.generation is not None
    train_bytes: Counter[str] = Counter()
    for row in iterate_rows(FILES, ["language", "split", "n_bytes"]):
        train_bytes[row["language"]] += row["n_bytes"] * (row["split"] == "train")
    seeds = choose_seeds_by_language(scored, params.seed_top_fraction, params.generation.python_fraction, train_bytes)
    store = work_dir() / "responses" / "synthesize_documents.jsonl"
    teacher = TeacherModel(engine.kind, model_identity(engine), partial(open_engine, engine), store)
    return generate_documents(list_shards(FILES), seeds, params.generation, teacher, output)


if __name__ == "__main__":
    command_line(main)
