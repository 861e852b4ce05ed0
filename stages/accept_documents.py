"""accept_documents: keeps documents that are whole, contain no benchmark, copy nothing, pass their tests and repeat no other.

in: data/synthesize_documents, data/split_files, data/fetch_benchmarks, data/train_tokenizer
out: data/accept_documents (tokenised; rejected/, ledger/), metrics/accept_documents.json
"""

from pathlib import Path

from snowcoder.benchmarks.problem import read_problems
from snowcoder.decontamination.decontamination_params import DecontaminationParams
from snowcoder.decontamination.screen import BenchmarkScreen
from snowcoder.deduplication.deduplication_params import DeduplicationParams
from snowcoder.exercises.function_shapes import read_held_out_shapes
from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import Metrics, StageRun, command_line, run_stage
from snowcoder.storage.shards import list_shards
from snowcoder.synthesis.acceptance import KnownTexts, accept_documents
from snowcoder.synthesis.acceptance_params import AcceptParams

DOCUMENTS = Path("data/synthesize_documents")
FILES = Path("data/split_files")
PROBLEMS = Path("data/fetch_benchmarks")
TOKENIZER = Path("data/train_tokenizer")


def main() -> None:
    params = load_section("accept_documents", AcceptParams)
    deduplication = load_section("deduplicate_files", DeduplicationParams)
    decontamination = load_section("decontaminate_files", DecontaminationParams)

    def build(run: StageRun) -> Metrics:
        known = KnownTexts(
            BenchmarkScreen(read_problems(PROBLEMS), decontamination), read_held_out_shapes(FILES), list_shards(FILES), deduplication
        )
        return accept_documents(list_shards(DOCUMENTS), known, TOKENIZER, params, run.output, run.state)

    sections = [params, deduplication, decontamination]
    run_stage("accept_documents", sections, [DOCUMENTS, FILES, PROBLEMS, TOKENIZER], build)


if __name__ == "__main__":
    command_line(main)
