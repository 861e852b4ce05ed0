"""Evaluates models on benchmarks outside the pipeline and writes results/benchmarks.md: `make evaluate MODEL=… BENCHMARKS=…`.

Without a model: every variant of the report whose checkpoint is there. A run that was stopped resumes.
"""

import argparse
from pathlib import Path

from snowcoder.errors import CheckpointError
from snowcoder.evaluation.evaluate_params import DEFAULTS, EvaluationSettings, settings_from_text
from snowcoder.evaluation.generating.completions import DecodingParams, GenerateCompletionsParams
from snowcoder.evaluation.measuring.bits_per_byte_params import MeasureBitsPerByteParams
from snowcoder.evaluation.model_evaluation import RESULTS, evaluate_model
from snowcoder.evaluation.variants import variant_folder
from snowcoder.pipeline.console import say
from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import run_tool
from snowcoder.reporting.benchmarks_page import write_benchmarks_page
from snowcoder.reporting.report_params import ReportParams, load_report_params
from snowcoder.sandbox.program import check_sandbox

PAGE = Path("results/benchmarks.md")


def main() -> None:
    """Evaluate, then write the page of all results so far."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="", help="folder or hub id; default: all variants of params.yaml")
    parser.add_argument("--name", default="", help="of the result; default: the last part of the model's name")
    parser.add_argument("--benchmarks", default="humaneval_plus mbpp_plus", help="by blanks or commas")
    parser.add_argument("--accept-changed", default="", help="benchmarks whose file may have another hash, separated by blanks or commas")
    parser.add_argument("--training-seed", type=int, default=None, help="which of several trainings with the same name this model is")
    parser.add_argument("--check-batching", action="store_true", help="count the completions that change with the batch size, by precision")
    for name, field in EvaluationSettings.model_fields.items():
        default = DEFAULTS.get(name, field.default)
        explained = f"{field.description or ''} (default: {default}; of the variants: as in params.yaml)".strip()
        parser.add_argument(f"--{name.replace('_', '-')}", default=None, help=explained)
    arguments = parser.parse_args()
    check_sandbox()
    report = load_report_params()
    for name, model, settings in _models(arguments, report):
        asked = (_names(arguments.benchmarks), settings, _names(arguments.accept_changed))
        path = evaluate_model(name, model, *asked, arguments.training_seed, arguments.check_batching)
        say(f"{name}: written to {path}")
    write_benchmarks_page(RESULTS, PAGE, list(report.variants), report.controls)
    say(f"all results: {PAGE}")


def _models(arguments: argparse.Namespace, report: ReportParams) -> list[tuple[str, str, EvaluationSettings]]:
    """(name, model, settings) of each model asked for."""
    if arguments.model:
        name = arguments.name or arguments.model.rstrip("/").rpartition("/")[2]
        return [(name, arguments.model, _settings(arguments, {}))]
    params = load_section("generate_completions", GenerateCompletionsParams)
    measuring = load_section("measure_bits_per_byte", MeasureBitsPerByteParams)
    ours = {name: getattr(params, name) for name in DecodingParams.model_fields}
    ours |= {"document_start": True, "likelihood_window_tokens": measuring.window_tokens}
    folders = {name: variant_folder(name) for name in report.variants}
    found = {name: str(folder) for name, folder in folders.items() if (folder / "config.json").is_file()}
    if not found:
        raise CheckpointError(
            f"{next(iter(folders.values()))}: no variant has a checkpoint; run `dvc repro` or `dvc checkout`, or name a MODEL"
        )
    return [(name, folder, _settings(arguments, ours)) for name, folder in found.items()]


def _settings(arguments: argparse.Namespace, ours: dict[str, object]) -> EvaluationSettings:
    given = {name: getattr(arguments, name) for name in EvaluationSettings.model_fields}
    return settings_from_text({name: text for name, text in given.items() if text is not None}, ours)


def _names(text: str) -> list[str]:
    return text.replace(",", " ").split()


if __name__ == "__main__":
    run_tool(main)
