"""initialize_model: seeded weights of the configured shape.

in: data/train_tokenizer  out: models/initialize_model (Hugging Face folder with tokenizer), metrics/initialize_model.json
"""

from pathlib import Path

from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import Metrics, StageRun, command_line, run_stage
from snowcoder.pretraining.model import ModelParams, check_vocabulary, initialize, parameter_counts, save_model

TOKENIZER = Path("data/train_tokenizer")


def main() -> None:
    params = load_section("initialize_model", ModelParams)

    def build(run: StageRun) -> Metrics:
        check_vocabulary(params, TOKENIZER)
        model = initialize(params)
        save_model(model, TOKENIZER, run.output)
        return {"parameters": parameter_counts(model)}

    run_stage("initialize_model", [params], [TOKENIZER], build)


if __name__ == "__main__":
    command_line(main)
