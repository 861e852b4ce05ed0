"""measure_bits_per_byte: bits per byte of reference solutions, documented held-out and unseen functions, and held-out code.

in: models/pretrain/<variant> (models/initialize_model for `initial`), data/fetch_benchmarks, data/split_files,
    data/fetch_unseen
out: data/measure_bits_per_byte/<variant> (set, item, cluster, bits, n_bytes),
     metrics/measure_bits_per_byte/<variant>.json: {set: {bits_per_byte, n_bytes, n_items, n_clusters, n_as_written, ci95}}
"""

from pathlib import Path

from snowcoder.benchmarks.problem import read_problems
from snowcoder.evaluation.measuring.bits_per_byte_params import MeasureBitsPerByteParams
from snowcoder.evaluation.measuring.bits_per_byte_sets import ITEM_SCHEMA, item_rows, score_sets, summarise_sets
from snowcoder.evaluation.measuring.text_sets import read_held_out, read_unseen, text_sets
from snowcoder.evaluation.variants import load_variant, variant_folder
from snowcoder.pipeline.execution import worker_count
from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import Metrics, StageRun, command_line, run_stage
from snowcoder.storage.shards import write_table
from snowcoder.tracking.record import track_run

PROBLEMS = Path("data/fetch_benchmarks")
FILES = Path("data/split_files")
UNSEEN = Path("data/fetch_unseen")


def main(item: str) -> None:
    params = load_section("measure_bits_per_byte", MeasureBitsPerByteParams)
    folder = variant_folder(item)

    def build(run: StageRun) -> Metrics:
        sets = text_sets(read_problems(PROBLEMS), read_held_out(FILES), read_unseen(UNSEEN), params)
        loaded = load_variant(folder, params.precision, params.cpu_threads)
        window = loaded.window(params.window_tokens, "measure_bits_per_byte.window_tokens")
        with track_run(run) as record:
            scores = score_sets(loaded, sets, params.batch_tokens, window, worker_count())
            metrics: Metrics = summarise_sets(sets, scores, params)
            record.log({f"eval/{name}/bits_per_byte": values["bits_per_byte"] for name, values in metrics.items()})
        write_table(run.output, [item_rows(sets, scores)], ITEM_SCHEMA)
        return metrics

    run_stage("measure_bits_per_byte", [params], [folder, PROBLEMS, FILES, UNSEEN], build, item)


if __name__ == "__main__":
    command_line(main)
