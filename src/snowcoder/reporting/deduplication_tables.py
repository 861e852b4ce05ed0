"""Deduplication in the report: what was compared, how large the clusters are, and what the wipe-out alarm names."""

from snowcoder.reporting.document import Table, number, percent
from snowcoder.reporting.results import Results


def deduplication_paragraph(results: Results) -> str:
    """How many pairs were nominated, compared and matched, and whether the alarm was raised."""
    found = results.stages["deduplicate_files"]
    bands, rows, recall = (found("lsh", name) for name in ("bands", "rows_per_band", "recall_at_threshold"))
    nominated = f"MinHash LSH ({bands} bands of {rows} permutations, which find {percent(recall)} of the pairs right at the threshold)"
    compared = f"nominated {number(found('files_nominated'))} files; of {number(found('pairs_verified'))} pairs compared exactly"
    matched = f"{number(found('pairs_matched'))} reach the threshold (data/deduplicate_files/pairs names them, with their Jaccard)"
    largest, undecided = found("largest_cluster"), found("files_not_compared_with_all")
    most = (
        f"The largest cluster lost {largest['files_dropped']:,} files to {largest['kept_file_id']}." if largest else "No file was dropped."
    )
    rest = f" {undecided:,} files of very large clusters were not compared with all similar files, and stay." if undecided else ""
    return f"{nominated} {compared}, {matched}. {most}{rest} {_alarm(results)}"


def cluster_table(results: Results) -> Table:
    """Clusters, a kept file and those dropped for it, by their number of files."""
    by_size = results.stages["deduplicate_files"]("clusters_by_size")
    rows = [[size, f"{by_size[size]:,}"] for size in sorted(by_size, key=lambda size: int(size.rstrip("+").split("-")[0]))]
    caption = "A cluster is a kept file and the files dropped as its exact or near duplicates; files without duplicates are not counted."
    return Table(["files in the cluster", "clusters"], rows, caption)


def wipe_out_table(results: Results) -> Table:
    """Languages and repositories that lost more than the set share of their files."""
    wiped = results.stages["deduplicate_files"]("wipe_out")
    rows = [
        [kind, loss["name"], *(f"{loss[name]:,}" for name in ("rows_in", "rows_out")), percent(1 - loss["rows_out"] / loss["rows_in"])]
        for kind, losses in (("language", wiped["languages"]), ("repository", wiped["repositories"]))
        for loss in losses
    ]
    beyond = wiped["n_repositories"] - len(wiped["repositories"])
    more = f" {beyond:,} more repositories are not shown." if beyond else ""
    caption = f"The wipe-out alarm: where deduplication removed most. Check data/deduplicate_files/dropped before you continue.{more}"
    return Table(["", "wiped out", "files before", "files after", "lost"], rows, caption, text_columns=2)


def has_wipe_outs(results: Results) -> bool:
    """Whether the alarm names anything."""
    wiped = results.stages["deduplicate_files"]("wipe_out")
    return bool(wiped["languages"] or wiped["n_repositories"])


def _alarm(results: Results) -> str:
    wiped = results.stages["deduplicate_files"]("wipe_out")
    if not has_wipe_outs(results):
        return "The wipe-out alarm names no repository and no language."
    return f"The wipe-out alarm names {wiped['n_repositories']:,} repositories and {len(wiped['languages']):,} languages, see below."
