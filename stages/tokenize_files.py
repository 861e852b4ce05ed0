"""tokenize_files: every file tokenised once, end of text appended.

in: data/split_files, data/train_tokenizer
out: data/tokenize_files, metrics/tokenize_files.json (files, bytes and tokens by split and language)
"""

from functools import partial
from pathlib import Path

from snowcoder.pipeline.execution import map_shards
from snowcoder.pipeline.stage import StageRun, command_line, run_stage
from snowcoder.storage.metrics import write_metrics
from snowcoder.storage.shards import list_shards
from snowcoder.tokenization.tokenized_files import TOKENIZED_FILE_SCHEMA, tokenize_shard, total_tokens

SOURCE = Path("data/split_files")
TOKENIZER = Path("data/train_tokenizer")
OUTPUT = Path("data/tokenize_files")
METRICS = Path("metrics/tokenize_files.json")


def build(run: StageRun) -> None:
    """Tokenise every shard."""
    outputs = {"files": (run.out(OUTPUT), TOKENIZED_FILE_SCHEMA)}
    summaries = map_shards(partial(tokenize_shard, tokenizer_folder=TOKENIZER), list_shards(SOURCE), outputs, run.state, "tokenize_files")
    write_metrics(run.out(METRICS), {"tokens": total_tokens(summaries)})


def main() -> None:
    """Run the stage; it has no params of its own."""
    run_stage("tokenize_files", [], inputs=[SOURCE, TOKENIZER], outputs=[OUTPUT, METRICS], build=build)


if __name__ == "__main__":
    command_line(main)
