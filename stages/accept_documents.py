"""accept_documents: keeps the documents that are whole, hold no benchmark, copy nothing, pass their tests and repeat no other.

in: data/synthesize_documents, data/split_files, data/fetch_benchmarks, data/train_tokenizer
out: data/accept_documents (tokenised; rejected/, ledger/), metrics/accept_documents.json
"""

from pathlib import Path

from snowcoder.benchmarks.problem import read_problems
from snowcoder.decontamination.decontamination_params import DecontaminationParams
from snowcoder.decontamination.screen import BenchmarkScreen
from snowcoder.deduplication.deduplication_params import DeduplicationParams
from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import StageRun, command_line, run_stage
from snowcoder.storage.metrics import write_metrics
from snowcoder.storage.shards import iterate_rows, list_shards
from snowcoder.synthesis.acceptance import KnownTexts, accept_documents
from snowcoder.synthesis.acceptance_params import AcceptParams
from snowcoder.synthesis.function_shapes import held_out_shapes

SOURCE = Path("data/synthesize_documents")
FILES = Path("data/split_files")
BENCHMARKS = Path("data/fetch_benchmarks")
TOKENIZER = Path("data/train_tokenizer")
OUTPUT = Path("data/accept_documents")
METRICS = Path("metrics/accept_documents.json")


def main() -> None:
    params = load_section("accept_documents", AcceptParams)
    deduplication = load_section("deduplicate_files", DeduplicationParams)
    decontamination = load_section("decontaminate_files", DecontaminationParams)

    def build(run: StageRun) -> None:
        screen = BenchmarkScreen(read_problems(BENCHMARKS), decontamination)
        rows = iterate_rows(FILES, ["content", "split", "language"])
        held_out = held_out_shapes(row["content"] for row in rows if row["split"] == "held_out" and row["language"] == "python")
        known = KnownTexts(screen, held_out, list_shards(FILES), deduplication)
        metrics = accept_documents(list_shards(SOURCE), known, TOKENIZER, params, run.out(OUTPUT), run.state)
        write_metrics(run.out(METRICS), metrics)

    sections = [params, deduplication, decontamination]
    run_stage("accept_documents", sections, inputs=[SOURCE, FILES, BENCHMARKS, TOKENIZER], outputs=[OUTPUT, METRICS], build=build)


if __name__ == "__main__":
    command_line(main)
