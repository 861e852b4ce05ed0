"""report: tables and figures of an experiment next to the paper's, and its summary run in MLflow.

in: the files of snowcoder.reporting.results.input_paths: metrics/<stage>.json of the stages without items; metrics/<stage>/<arm>.json of
    pack_tokens, pretrain, execute_completions, measure_bits_per_byte (also initial), train_annotator, select_files;
    models/train_annotator/<recipe>/roc.csv; models/pretrain/<variant>/loss_curve.csv; data/measure_bits_per_byte/<variant>;
    data/accept_documents (some documents, shown whole); data/train_branches
out: results/report.md, results/report.html (figures inside), results/{ladder,arms,learning_curves,funnel,annotators}.png,
     results/summary.json (the headline numbers, DVC's metrics). The results are also printed.
"""

from pathlib import Path

from snowcoder.pipeline.stage import StageRun, command_line, run_stage
from snowcoder.reporting.contents import FIGURE_NAMES, compose
from snowcoder.reporting.drawing import draw_all, draw_for_page
from snowcoder.reporting.markdown import render_markdown
from snowcoder.reporting.page import render_page
from snowcoder.reporting.report_params import load_report_params
from snowcoder.reporting.results import input_paths, read_results
from snowcoder.reporting.summary import headline_numbers, write_summary
from snowcoder.reporting.terminal import open_console, print_results
from snowcoder.storage.metrics import write_metrics

REPORT = Path("results/report.md")
PAGE = Path("results/report.html")
SUMMARY = Path("results/summary.json")
FIGURES = [Path(f"results/{name}.png") for name in FIGURE_NAMES]


def main() -> None:
    params = load_report_params()

    def build(run: StageRun) -> None:
        results, folder = read_results(params), run.out(REPORT).parent
        draw_all(results, folder)
        document = compose(results)
        run.out(REPORT).write_text(render_markdown(document))
        run.out(PAGE).write_text(render_page(document, draw_for_page(results)))
        write_metrics(run.out(SUMMARY), headline_numbers(results))
        write_summary(results, run.fingerprint, run.out(PAGE))
        print_results(open_console(), results)

    run_stage("report", [params], input_paths(params), build, outputs=[REPORT, PAGE, SUMMARY, *FIGURES])


if __name__ == "__main__":
    command_line(main)
