"""embed_files: the frozen encoder over the top, middle and bottom section of every corpus file and every positive.

in: data/split_files, data/fetch_positives
out: data/embed_files (one row per section; the corpus' shards, then the positives'), metrics/embed_files.json
"""

from functools import partial
from pathlib import Path

from snowcoder.embedding.embed_shard import embed_shard, total_by_source
from snowcoder.embedding.embedding_table import embedding_schema
from snowcoder.embedding.encoder_source import EmbedParams, encoder_dimensions, find_encoder
from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import Metrics, StageRun, command_line, run_stage
from snowcoder.storage.shards import list_shards

FILES = Path("data/split_files")
POSITIVES = Path("data/fetch_positives")


def main() -> None:
    params = load_section("embed_files", EmbedParams)

    def build(run: StageRun) -> Metrics:
        folder = find_encoder(params.encoder)
        dimensions = encoder_dimensions(folder, params.section_tokens)
        shards, outputs = list_shards(FILES) + list_shards(POSITIVES), {"sections": (run.output, embedding_schema(dimensions))}
        embed = partial(embed_shard, params=params, folder=folder)
        summaries = run.map_shards(embed, shards, outputs, threads_per_worker=params.threads_per_worker)
        return {"by_source": total_by_source(summaries), "dimensions": dimensions}

    run_stage("embed_files", [params], [FILES, POSITIVES], build)


if __name__ == "__main__":
    command_line(main)
