"""pretrain: trains one variant's phase, from its parent checkpoint, on its packed tokens, with its schedule.

in: the parent model, data/pack_tokens/<variant>
out: models/pretrain/<variant> (Hugging Face folder with tokenizer; loss_curve.csv: rows of LossPoint),
     metrics/pretrain/<variant>.json
"""

from pathlib import Path

from snowcoder.pipeline.params import load_item
from snowcoder.pipeline.stage import Metrics, StageRun, command_line, output_path, run_stage
from snowcoder.pretraining.model import save_model
from snowcoder.pretraining.phase_training import PhaseTraining, describe_curve, write_loss_curve
from snowcoder.pretraining.processes import announce_training, train_in_processes
from snowcoder.pretraining.training_params import TrainingParams, VariantParams
from snowcoder.tracking.record import track_run


def main(item: str) -> None:
    shared, variant = load_item("pretrain", item, TrainingParams, VariantParams)
    parent, packed = Path(variant.parent), Path(f"data/pack_tokens/{item}")

    def build(run: StageRun) -> Metrics:
        training, state = PhaseTraining(shared, variant, packed), run.state / "training"
        with track_run(run) as record:
            announce_training(state)
            curve = training.train(state, record.log)
            save_model(training.model, parent, run.output)
            write_loss_curve(run.output / "loss_curve.csv", curve)
            record.log_model(run.output, output_path(run.stage, item))
        return describe_curve(curve, training.data.n_tokens)

    def lead() -> None:
        run_stage("pretrain", [shared, variant], [parent, packed], build, item)

    def follow(state: Path) -> None:
        PhaseTraining(shared, variant, packed).train(state, report=lambda *_: None)

    train_in_processes(lead, follow)


if __name__ == "__main__":
    command_line(main)
