"""tokenize_files: tokenises every file once and appends the end-of-text token.

in: data/split_files, data/train_tokenizer
out: data/tokenize_files, metrics/tokenize_files.json (files, bytes and tokens by split and language)
"""

from functools import partial
from pathlib import Path

from snowcoder.pipeline.stage import Metrics, StageRun, command_line, run_stage
from snowcoder.storage.shards import list_shards
from snowcoder.tokenization.tokenized_files import TOKENIZED_FILE_SCHEMA, tokenize_shard, total_tokens

FILES = Path("data/split_files")
TOKENIZER = Path("data/train_tokenizer")


def main() -> None:
    def build(run: StageRun) -> Metrics:
        outputs = {"files": (run.output, TOKENIZED_FILE_SCHEMA)}
        summaries = run.map_shards(partial(tokenize_shard, tokenizer_folder=TOKENIZER), list_shards(FILES), outputs)
        return {"tokens": total_tokens(summaries)}

    run_stage("tokenize_files", [], [FILES, TOKENIZER], build)


if __name__ == "__main__":
    command_line(main)
