"""embed_files: the frozen encoder over the top, middle and bottom section of every corpus file and every positive.

in: data/split_files, data/fetch_positives
out: data/embed_files (one row per section; the corpus' shards, then the positives'), metrics/embed_files.json
"""

from collections import Counter
from functools import partial
from pathlib import Path

from snowcoder.embedding.embed_shard import embed_shard
from snowcoder.embedding.embedding_table import embedding_schema
from snowcoder.embedding.encoder_source import EmbedParams, encoder_dimensions, find_encoder
from snowcoder.pipeline.execution import map_shards
from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import StageRun, command_line, run_stage
from snowcoder.storage.metrics import write_metrics
from snowcoder.storage.shards import list_shards, shard_name

CORPUS = Path("data/split_files")
POSITIVES = Path("data/fetch_positives")
OUTPUT = Path("data/embed_files")
METRICS = Path("metrics/embed_files.json")


def build(run: StageRun, params: EmbedParams) -> None:
    """Embed shard by shard, in as many processes as have embed_files.cpu_threads processors each."""
    folder = find_encoder(params.encoder)
    schema = embedding_schema(encoder_dimensions(folder, params.section_tokens))
    inputs = list_shards(CORPUS) + list_shards(POSITIVES)
    summaries = map_shards(
        partial(embed_shard, params=params, folder=folder),
        inputs,
        {"sections": (run.out(OUTPUT), schema)},
        run.state,
        "embed_files: shards",
        names=[shard_name(index) for index in range(len(inputs))],
        threads_per_worker=params.threads_per_worker,
    )
    totals: dict[str, Counter[str]] = {}
    for summary in summaries:
        for source, counts in summary.items():
            totals.setdefault(source, Counter()).update(counts)
    write_metrics(run.out(METRICS), {"by_source": totals, "dimensions": schema.field("embedding").type.list_size})


def main() -> None:
    """Run the stage."""
    params = load_section("embed_files", EmbedParams)
    run_stage("embed_files", [params], inputs=[CORPUS, POSITIVES], outputs=[OUTPUT, METRICS], build=partial(build, params=params))


if __name__ == "__main__":
    command_line(main)
