"""select_files: train files under a token budget, by score (`selected`) or at random (`random`, the control); keeps the language mix.

in: data/score_files/<select_files.shared.recipe>, data/tokenize_files
out: data/select_files/<rule> (a shard per language), metrics/select_files/<rule>.json
"""

from pathlib import Path

from snowcoder.pipeline.params import load_item
from snowcoder.pipeline.stage import Metrics, StageRun, command_line, run_stage
from snowcoder.selection.budgeted_selection import SELECTION_SCHEMA, RuleParams, SelectionParams, candidates, select_files
from snowcoder.storage.shards import read_table, write_table

SCORES = Path("data/score_files")
TOKENS = Path("data/tokenize_files")


def main(item: str) -> None:
    shared, rule = load_item("select_files", item, SelectionParams, RuleParams)
    scores = SCORES / shared.recipe

    def build(run: StageRun) -> Metrics:
        scored = read_table(scores, ["file_id", "language", "repository", "content_sha256", "split", "score"])
        files = candidates(scored, read_table(TOKENS, ["file_id", "split", "n_tokens"]))
        selected, metrics = select_files(files, shared, rule)
        write_table(run.output, selected, SELECTION_SCHEMA)
        return metrics

    run_stage("select_files", [shared, rule], [scores, TOKENS], build, item)


if __name__ == "__main__":
    command_line(main)
