"""pack_tokens: a variant's files, ordered by language and repository, as sequences of fixed length.

in: data/tokenize_files, data/train_tokenizer, the item's files and documents
out: data/pack_tokens/<item> (token shards, index.json, provenance/), metrics/pack_tokens/<item>.json
"""

from pathlib import Path

from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import StageRun, command_line, run_stage
from snowcoder.storage.metrics import write_metrics
from snowcoder.tokenization.catalogue import keep_languages, read_catalogue, train_tokens_by_language
from snowcoder.tokenization.mixing import mix, unmixed
from snowcoder.tokenization.packing import PackingItemParams, PackingParams, pack
from snowcoder.tokenization.tokenizer import load_tokenizer, token_byte_lengths

TOKENS = Path("data/tokenize_files")
TOKENIZER = Path("data/train_tokenizer")


def main(item: str) -> None:
    """Run the stage for one variant."""
    shared = load_section("pack_tokens", PackingParams)
    own = load_section(f"pretrain.variants.{item}.packs", PackingItemParams)
    output, metrics = Path("data/pack_tokens") / item, Path("metrics/pack_tokens") / f"{item}.json"
    selected, documents = Path(own.files), Path(own.documents)

    def build(run: StageRun) -> None:
        files = keep_languages(read_catalogue(TOKENS, selected), own.languages, f"pretrain.variants.{item}.packs.languages")
        mixture = unmixed(files)
        if own.python_fraction is not None:
            mixture = mix(read_catalogue(documents, documents), files, train_tokens_by_language(TOKENS), own.python_fraction, shared.seed)
        byte_lengths = token_byte_lengths(load_tokenizer(TOKENIZER))
        write_metrics(run.out(metrics), pack(mixture, byte_lengths, shared, run.out(output), run.label))

    inputs = list(dict.fromkeys([TOKENS, TOKENIZER, selected, documents]))
    run_stage("pack_tokens", [shared, own], inputs=inputs, outputs=[output, metrics], build=build, item=item)


if __name__ == "__main__":
    command_line(main)
