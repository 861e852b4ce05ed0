"""Predicts the cost of stages that only need processors: from the last run here, from a measured rate, or unknown.

in:  <work>/times/<stage>.json (wall times); rates of bench/RESULTS.md   out: StagePlan, NotPlanned
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from snowcoder.planning.corpus_size import CorpusSize
from snowcoder.planning.stage_plan import NotPlanned, StagePlan

# MB/s of one core, bench/RESULTS.md: signals and masking, deduplication (48.3 on two cores at 160 MB), screening against 706 problems
MB_PER_CORE_S = {"measure_signals": 2.05, "deduplicate_files": 48.3 / 2, "decontaminate_files": 2.12}
# Disk of the seven tables that hold the text (fetch_corpus to tokenize_files) per byte of kept text; default profile: 19.4 MB for 8.89
TABLES_DISK = 2.18


def plan_by_rates(corpus: CorpusSize, n_cores: int, stages: Iterable[str]) -> list[StagePlan | NotPlanned]:
    """Of `stages`, in their order; the bytes are those that were kept in the end, so that the first stages have more to do."""

    def plan(stage: str, rate: float) -> StagePlan:
        hours = corpus.n_bytes / (rate * 1e6 * n_cores) / 3600
        return StagePlan(stage, 0, 0, hours, 0, 0, f"{rate:g} MB/s a core on {n_cores}, kept text alone")

    rates = {stage: MB_PER_CORE_S.get(stage) for stage in stages}
    return [plan(stage, rate) if rate else NotPlanned(stage, "no rate was measured") for stage, rate in rates.items()]


def plan_by_records(times: Path, stages: Sequence[str]) -> list[StagePlan | NotPlanned]:
    """Wall times of the last run here; items of a stage are added up."""
    recorded = [json.loads(path.read_text()) for path in sorted(times.glob("*.json"))]
    plans: list[StagePlan | NotPlanned] = []
    for stage in stages:
        seconds = [entry["wall_s"] for entry in recorded if entry["stage"].split("@")[0] == stage]
        if seconds:
            name = f"{stage} x {len(seconds)}" if len(seconds) > 1 else stage
            plans.append(StagePlan(name, 0, 0, sum(seconds) / 3600, 0, 0, "as the last run here took"))
        else:
            plans.append(NotPlanned(stage, "has not run here"))
    return plans


def plan_tables(corpus: CorpusSize) -> StagePlan:
    """Disk of the tables of text."""
    return StagePlan("tables of text", 0, 0, 0, corpus.n_bytes * TABLES_DISK, 0, f"seven, compressed: {TABLES_DISK:g} of the kept bytes")
