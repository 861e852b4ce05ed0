"""initialize_model: seeded weights of the configured shape.

in: data/train_tokenizer  out: models/initialize_model (Hugging Face folder with tokenizer), metrics/initialize_model.json
"""

import json
from functools import partial
from pathlib import Path

from snowcoder.errors import ParameterError
from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import StageRun, command_line, run_stage
from snowcoder.pretraining.model import ModelParams, initialize, parameter_counts, save_model
from snowcoder.storage.metrics import write_metrics

TOKENIZER = Path("data/train_tokenizer")
OUTPUT = Path("models/initialize_model")
METRICS = Path("metrics/initialize_model.json")


def build(params: ModelParams, run: StageRun) -> None:
    """Write the model folder and its parameter counts."""
    found = len(json.loads((TOKENIZER / "tokenizer.json").read_text())["model"]["vocab"])
    if found > params.vocab_size:
        raise ParameterError(
            f"params.yaml: initialize_model.vocab_size: found {params.vocab_size}, the tokenizer in {TOKENIZER} has {found} ids; "
            "set it to train_tokenizer.vocab_size"
        )
    model = initialize(params)
    save_model(model, TOKENIZER, run.out(OUTPUT))
    write_metrics(run.out(METRICS), {"parameters": parameter_counts(model)})


def main() -> None:
    """Run the stage."""
    params = load_section("initialize_model", ModelParams)
    run_stage("initialize_model", [params], [TOKENIZER], [OUTPUT, METRICS], partial(build, params))


if __name__ == "__main__":
    command_line(main)
