"""pack_tokens: a variant's files, ordered by language and repository, as sequences of fixed length.

in: data/tokenize_files, data/train_tokenizer, the item's files and documents
out: data/pack_tokens/<item> (token shards, index.json, provenance/), metrics/pack_tokens/<item>.json
"""

from pathlib import Path

from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import Metrics, StageRun, command_line, run_stage
from snowcoder.tokenization.catalogue import keep_languages, read_catalogue, train_tokens_by_language
from snowcoder.tokenization.mixing import mix, unmixed
from snowcoder.tokenization.packing import NO_DOCUMENTS, PackingItemParams, PackingParams, pack
from snowcoder.tokenization.tokenizer import load_tokenizer, token_byte_lengths

TOKENS = Path("data/tokenize_files")
TOKENIZER = Path("data/train_tokenizer")


def main(item: str) -> None:
    shared = load_section("pack_tokens", PackingParams)
    own = load_section(f"pretrain.variants.{item}.packs", PackingItemParams)
    selected, documents = Path(own.files), Path(own.documents)

    def build(run: StageRun) -> Metrics:
        files = keep_languages(read_catalogue(TOKENS, selected), own.languages, f"pretrain.variants.{item}.packs.languages")
        mixture = unmixed(files)
        if own.python_fraction is not None:
            written = None if own.documents == NO_DOCUMENTS else read_catalogue(documents, documents)
            mixture = mix(written, files, train_tokens_by_language(TOKENS), own.python_fraction, shared.seed)
        return pack(mixture, token_byte_lengths(load_tokenizer(TOKENIZER)), shared, run.output, run.label)

    inputs = list(dict.fromkeys([TOKENS, TOKENIZER, selected, documents]))
    run_stage("pack_tokens", [shared, own], inputs, build, item)


if __name__ == "__main__":
    command_line(main)
