"""select_files: train files under a token budget, by score (`selected`) or at random (`random`, the control), the language mix kept.

in: data/score_files/<select_files.shared.recipe>, data/tokenize_files
out: data/select_files/<rule> (a shard per language), metrics/select_files/<rule>.json
"""

from functools import partial
from pathlib import Path

from snowcoder.pipeline.params import load_item
from snowcoder.pipeline.stage import StageRun, command_line, run_stage
from snowcoder.selection.budgeted_selection import SELECTION_SCHEMA, RuleParams, SelectionParams, candidates, select_files
from snowcoder.storage.metrics import write_metrics
from snowcoder.storage.shards import read_table, write_table

SCORES = Path("data/score_files")
TOKENS = Path("data/tokenize_files")


def build(run: StageRun, item: str, shared: SelectionParams, rule: RuleParams) -> None:
    """Order, take the quotas, write."""
    output, metrics_path = _outputs(item)
    scores = read_table(SCORES / shared.recipe, ["file_id", "language", "repository", "content_sha256", "split", "score"])
    files = candidates(scores, read_table(TOKENS, ["file_id", "split", "n_tokens"]))
    selected, metrics = select_files(files, shared, rule)
    write_table(run.out(output), selected, SELECTION_SCHEMA)
    write_metrics(run.out(metrics_path), metrics)


def main(item: str) -> None:
    """Run the stage for one rule."""
    shared, rule = load_item("select_files", item, SelectionParams, RuleParams)
    inputs = [SCORES / shared.recipe, TOKENS]
    work = partial(build, item=item, shared=shared, rule=rule)
    run_stage("select_files", [shared, rule], inputs=inputs, outputs=list(_outputs(item)), build=work, item=item)


def _outputs(item: str) -> tuple[Path, Path]:
    return Path(f"data/select_files/{item}"), Path(f"metrics/select_files/{item}.json")


if __name__ == "__main__":
    command_line(main)
