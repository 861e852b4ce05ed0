"""measure_floors: bits per byte that n-grams of each model's own training tokens reach on the texts of measure_bits_per_byte.

in: data/pack_tokens/<variant> (the sequences that each phase trained on, each once; a model's ancestors' with its own),
    data/train_tokenizer, data/fetch_benchmarks, data/split_files, data/fetch_unseen
out: data/measure_floors (variant, order, set, item, cluster, bits, n_bytes),
     metrics/measure_floors.json: {variant: {"unigram" | "bigram" | "trigram": {set: bits per byte}}}
"""

from functools import reduce
from operator import add
from pathlib import Path

from snowcoder.benchmarks.problem import read_problems
from snowcoder.evaluation.measuring.bits_per_byte_params import MeasureBitsPerByteParams
from snowcoder.evaluation.measuring.floors import FLOOR_SCHEMA, ORDERS, floor_rows, score_floors, summarise_floors
from snowcoder.evaluation.measuring.text_sets import read_held_out, read_unseen, text_sets
from snowcoder.likelihood.ngram_counts import count_ngrams
from snowcoder.pipeline.params import load_items, load_section
from snowcoder.pipeline.stage import Metrics, StageRun, command_line, run_stage
from snowcoder.pretraining.trained_sequences import lineage, trained_sequences
from snowcoder.pretraining.training_params import VariantParams
from snowcoder.storage.shards import write_table
from snowcoder.tokenization.token_shards import TokenShards
from snowcoder.tokenization.tokenizer import load_tokenizer

TOKENIZER = Path("data/train_tokenizer")
PROBLEMS = Path("data/fetch_benchmarks")
FILES = Path("data/split_files")
UNSEEN = Path("data/fetch_unseen")


def main() -> None:
    params = load_section("measure_bits_per_byte", MeasureBitsPerByteParams)
    variants = load_items("pretrain", VariantParams)
    packed = {name: Path(f"data/pack_tokens/{name}") for name in variants}

    def build(run: StageRun) -> Metrics:
        sets = text_sets(read_problems(PROBLEMS), read_held_out(FILES), read_unseen(UNSEEN), params)
        tokenizer = load_tokenizer(TOKENIZER)
        size, highest = tokenizer.get_vocab_size(), max(ORDERS.values())
        own = {name: count_ngrams(trained_sequences(TokenShards(packed[name]), variants[name]), size, highest) for name in variants}
        trained = ((name, reduce(add, [own[phase] for phase in lineage(name, variants)])) for name in variants)
        floors = {name: score_floors(counts, tokenizer, sets) for name, counts in trained}
        write_table(run.output, [floor_rows(name, sets, scores) for name, scores in floors.items()], FLOOR_SCHEMA)
        return {name: summarise_floors(scores) for name, scores in floors.items()}

    run_stage("measure_floors", [params, *variants.values()], [*packed.values(), TOKENIZER, PROBLEMS, FILES, UNSEEN], build)


if __name__ == "__main__":
    command_line(main)
