"""Runs the peers of bench.dedup as their documentation does, in the environment of bench/peers.txt, without snowcoder.

`python bench/dedup_peers.py NAME CORPUS OUTPUT WORKERS` reads CORPUS/*.parquet (id, text), writes the survivors under OUTPUT.
`python bench/dedup_peers.py NAME CORPUS` computes the signatures alone in one process and prints their seconds.

All at 5-grams, Jaccard 0.7 and 25 bands of 10 rows (datasketch's optimum for 256 permutations).
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

NGRAM, PERMUTATIONS, THRESHOLD, BANDS, ROWS = 5, 256, 0.7, 25, 10
NON_ALPHA = re.compile("[^A-Za-z_0-9]")


def read(corpus: Path) -> pa.Table:
    """id and text of every file."""
    return pa.concat_tables([pq.read_table(path) for path in sorted(corpus.glob("*.parquet"))])


def plain_minhash(text: str):
    """One update per shingle, as bigcode-dataset's near_deduplication does with datasketch."""
    from datasketch import MinHash

    tokens = [token for token in NON_ALPHA.split(text) if token]
    minhash = MinHash(num_perm=PERMUTATIONS)
    for ngram in {" ".join(tokens[place : place + NGRAM]) for place in range(max(1, len(tokens) - NGRAM + 1))}:
        minhash.update(ngram.encode())
    return minhash


def run_datasketch(corpus: Path, output: Path, workers: int) -> None:
    """Query, then insert, in the order of the files; a file that matches joins the cluster of the first match."""
    from datasketch import MinHashLSH

    table = read(corpus)
    index, kept = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS), []
    with ProcessPoolExecutor(workers) as pool:
        for number, minhash in enumerate(pool.map(plain_minhash, table["text"].to_pylist(), chunksize=16)):
            kept.append(not index.query(minhash))
            index.insert(number, minhash)
    pq.write_table(table.filter(pa.array(kept)), output / "kept.parquet", compression="zstd")


def run_text_dedup(corpus: Path, output: Path, workers: int) -> None:
    """Its command line, with the faster of its hashes."""
    options = {
        "path": "parquet",
        "data_files": str(corpus / "*.parquet"),
        "split": "train",
        "cache_dir": str(output / "cache"),
        "output": str(output / "kept"),
        "column": "text",
        "num_proc": str(workers),
        "ngram": str(NGRAM),
        "num_perm": str(PERMUTATIONS),
        "threshold": str(THRESHOLD),
        "hash_func": "xxh3",
        "hash_bits": "32",
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    subprocess.run([sys.executable, "-m", "text_dedup.minhash", *arguments], check=True)


def run_datatrove(corpus: Path, output: Path, workers: int) -> None:
    """Its four stages: signatures, buckets, clusters, filter."""
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup.minhash import (
        MinhashConfig,
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
    )
    from datatrove.pipeline.readers import ParquetReader
    from datatrove.pipeline.writers import ParquetWriter

    config = MinhashConfig(n_grams=NGRAM, num_buckets=BANDS, hashes_per_bucket=ROWS)
    signatures, buckets, removed = str(output / "signatures"), str(output / "buckets"), str(output / "removed")
    stages = [
        ([ParquetReader(str(corpus)), MinhashDedupSignature(signatures, config=config)], workers),
        ([MinhashDedupBuckets(signatures, buckets, config=config)], BANDS),
        ([MinhashDedupCluster(buckets, removed, config=config)], 1),
        ([ParquetReader(str(corpus)), MinhashDedupFilter(removed), ParquetWriter(str(output / "kept"))], workers),
    ]
    for number, (pipeline, tasks) in enumerate(stages):
        LocalPipelineExecutor(pipeline, tasks=tasks, workers=workers, logging_dir=str(output / f"log{number}")).run()


def sign_datasketch(texts: list[str]) -> None:
    """(a)"""
    for text in texts:
        plain_minhash(text)


def sign_text_dedup(texts: list[str]) -> None:
    """(b), with the arguments that its main passes for 32 bits and xxh3."""
    import numpy as np
    from text_dedup.minhash import RNG, embed_func
    from text_dedup.utils import xxh3_32hash

    prime, ranges = np.uint32((1 << 32) - 5), [(band * ROWS, (band + 1) * ROWS) for band in range(BANDS)]
    permutations = tuple(RNG.randint(low, prime, size=(PERMUTATIONS,), dtype=np.uint32) for low in (1, 0))
    for number, text in enumerate(texts):
        embed_func(
            text,
            number,
            num_perm=PERMUTATIONS,
            ngram_size=NGRAM,
            min_length=5,
            hashranges=ranges,
            permutations=permutations,
            hash_func=xxh3_32hash,
            dtype=np.uint32,
            max_hash=np.uint32((1 << 32) - 1),
            modulo_prime=prime,
        )


def sign_datatrove(texts: list[str]) -> None:
    """(c)"""
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature

    step = MinhashDedupSignature("/tmp", config=MinhashConfig(n_grams=NGRAM, num_buckets=BANDS, hashes_per_bucket=ROWS))
    for text in texts:
        shingles = step.get_shingles(text)
        if shingles.size:
            step.get_signature(shingles)


RUN = {"datasketch": run_datasketch, "text_dedup": run_text_dedup, "datatrove": run_datatrove}
SIGN = {"datasketch": sign_datasketch, "text_dedup": sign_text_dedup, "datatrove": sign_datatrove}


def main() -> None:
    """Run one peer."""
    arguments: Iterator[str] = iter(sys.argv[1:])
    name, corpus = next(arguments), Path(next(arguments))
    output = next(arguments, None)
    if output is None:
        texts = read(corpus)["text"].to_pylist()
        SIGN[name](texts[:5])  # imports and caches
        started = time.perf_counter()
        SIGN[name](texts)
        print(json.dumps({"seconds": time.perf_counter() - started}))
    else:
        Path(output).mkdir(parents=True, exist_ok=True)
        RUN[name](corpus, Path(output), int(next(arguments)))


if __name__ == "__main__":
    main()
