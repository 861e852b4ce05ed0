"""train_tokenizer: trains a byte-level BPE tokenizer on the train split, or takes a pinned one.

in: data/split_files
out: data/train_tokenizer (Hugging Face fast tokenizer), metrics/train_tokenizer.json (bytes per token on held-out files)
"""

from pathlib import Path

from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import Metrics, StageRun, command_line, run_stage
from snowcoder.storage.workspace import find_path
from snowcoder.tokenization.tokenizer import TokenizerParams, load_pinned, save_tokenizer, train_tokenizer
from snowcoder.tokenization.training_text import choose_training_files, iterate_training_texts, measure_compression

FILES = Path("data/split_files")


def main() -> None:
    params = load_section("train_tokenizer", TokenizerParams)
    pinned = [find_path(params.pinned_folder)] if params.pinned_folder else []

    def build(run: StageRun) -> Metrics:
        given = load_pinned(params) if pinned else None  # refused, if at all, before any file is read
        chosen = choose_training_files(FILES, params.max_train_bytes)
        tokenizer = train_tokenizer(iterate_training_texts(FILES, chosen.file_ids), params) if given is None else given
        save_tokenizer(tokenizer, run.output, params.model_max_length)
        return {
            "vocab_size": tokenizer.get_vocab_size(),
            "train_files": 0 if pinned else len(chosen.file_ids),
            "train_bytes": 0 if pinned else chosen.n_bytes,
            "bytes_per_token": measure_compression(FILES, tokenizer, params.max_train_bytes),
        }

    run_stage("train_tokenizer", [params], [FILES, *pinned], build)


if __name__ == "__main__":
    command_line(main)
