"""report: tables and figures of an experiment beside the paper's, and its summary run in MLflow.

in: the files of snowcoder.reporting.results.input_paths: metrics/<stage>.json of the stages without items; metrics/<stage>/<arm>.json of
    pack_tokens, pretrain, execute_completions, measure_bits_per_byte (also initial), train_annotator, select_files;
    models/train_annotator/<recipe>/roc.csv; models/pretrain/<variant>/loss_curve.csv; data/measure_bits_per_byte/<variant>;
    data/accept_documents (some documents, shown whole)
out: results/report.md, results/report.html (figures inside), results/{ladder,learning_curves,funnel,annotators}.png,
     results/summary.json (the headline numbers, DVC's metrics). The results are also printed.
"""

from functools import partial
from pathlib import Path

from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import StageRun, command_line, run_stage
from snowcoder.reporting.contents import FIGURE_NAMES, compose
from snowcoder.reporting.figures import draw_all
from snowcoder.reporting.markdown import render_markdown
from snowcoder.reporting.page import render_page
from snowcoder.reporting.report_params import ReportParams
from snowcoder.reporting.results import input_paths, read_results
from snowcoder.reporting.summary import headline_numbers, write_summary
from snowcoder.reporting.terminal import open_console, print_results
from snowcoder.storage.metrics import write_metrics

REPORT = Path("results/report.md")
PAGE = Path("results/report.html")
SUMMARY = Path("results/summary.json")
FIGURES = [Path("results") / f"{name}.png" for name in FIGURE_NAMES]


def build(run: StageRun, params: ReportParams) -> None:
    """Read all metrics, draw, write; then log the headline metrics of all models as one run, and print the results."""
    results = read_results(params)
    folder = run.out(REPORT).parent
    draw_all(results, folder)
    document = compose(results)
    run.out(REPORT).write_text(render_markdown(document))
    run.out(PAGE).write_text(render_page(document, folder))
    write_metrics(run.out(SUMMARY), headline_numbers(results))
    write_summary(results, run.fingerprint, run.out(PAGE))
    print_results(open_console(), results)


def main() -> None:
    params = load_section("report", ReportParams)
    run_stage("report", [params], input_paths(params), [REPORT, PAGE, SUMMARY, *FIGURES], partial(build, params=params))


if __name__ == "__main__":
    command_line(main)
