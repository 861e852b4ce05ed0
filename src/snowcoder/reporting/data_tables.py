"""Tables of the data: what each stage kept and why it dropped the rest, the selections, the synthetic documents."""

from dataclasses import dataclass

from snowcoder.reporting.document import NOTHING, Table, megabytes, number, percent
from snowcoder.reporting.results import Results

# source of the ledger's rows -> the stage that writes them
LEDGERS = {"corpus": "decontaminate_files", "positives": "fetch_positives", "synthetic": "accept_documents"}


@dataclass(frozen=True)
class Kept:
    """What was there after a step of the funnel; by language too."""

    step: str
    files: int
    n_bytes: int
    files_by_language: dict[str, int]
    bytes_by_language: dict[str, int]


def funnel(results: Results) -> list[Kept]:
    """From the fetched files to those that train, in the order of the stages."""
    stages = results.stages
    fetched, split = stages["fetch_corpus"]("by_language"), stages["split_files"]("train", "by_language")
    kept = [_kept("fetched", fetched, "files", "bytes")]
    for step, stage in (("filtered", "filter_files"), ("deduplicated", "deduplicate_files"), ("decontaminated", "decontaminate_files")):
        kept.append(_kept(step, stages[stage]("by_language"), "rows_out", "bytes_out"))
    return [*kept, _kept("train split", split, "files", "bytes")]


def funnel_table(results: Results) -> Table:
    """Files and bytes after each step."""
    steps = funnel(results)
    rows, before = [], steps[0]
    for step in steps:
        shares = percent(step.files / before.files), percent(step.n_bytes / steps[0].n_bytes)
        rows.append([step.step, f"{step.files:,}", shares[0], megabytes(step.n_bytes), shares[1]])
        before = step
    caption = "The step to the train split drops nothing for its quality: the rest is held out, by repository."
    return Table(["after", "files", "of the step before", "bytes", "of all fetched"], rows, caption)


def language_table(results: Results) -> Table:
    """Files of each language after each step, and the language's share of the train split's bytes."""
    steps = funnel(results)
    train = steps[-1]
    languages = sorted(steps[0].files_by_language, key=lambda name: (-train.bytes_by_language.get(name, 0), name))
    rows = []
    for name in languages:
        counts = [f"{step.files_by_language.get(name, 0):,}" for step in steps]
        rows.append([name, *counts, percent(train.bytes_by_language.get(name, 0) / train.n_bytes)])
    return Table(["language", *[step.step for step in steps], "of train bytes"], rows, "Files of each language after each step.")


def reason_table(results: Results) -> Table:
    """Every reason for which a stage dropped rows, with its count; the counts add up to the rows that are gone."""
    stages = ("fetch_corpus", "filter_files", "deduplicate_files", "decontaminate_files", "synthesize_documents", "accept_documents")
    accounts = {stage: results.stages[stage].values for stage in stages}
    for stage in ("fetch_positives", "fetch_unseen"):
        accounts |= {f"{stage}: {kind}": counts for kind, counts in results.stages[stage].values.items() if "rows_in" in counts}
    rows = []
    for stage, counts in accounts.items():
        for reason, count in sorted(counts.get("dropped", {}).items(), key=lambda item: (-item[1], item[0])):
            rows.append([stage, reason, f"{count:,}", percent(count / counts["rows_in"])])
    return Table(["stage", "reason", "dropped", "of its input"], rows, "Every row is accounted for: in = out + dropped.", text_columns=2)


def rule_table(results: Results) -> Table:
    """Every rule of the filter: files that break it, that break no other, and that were counted under it."""
    filtered = results.stages["filter_files"]
    dropped, by_rule = filtered("dropped"), filtered("by_rule")
    rows = [
        [rule, *(f"{count:,}" for count in (found["files"], found["files_alone"], dropped.get(rule, 0)))]
        for rule, found in sorted(by_rule.items(), key=lambda item: (-item[1]["files"], item[0]))
    ]
    caption = (
        "A file is counted under the first rule that it breaks; a looser threshold can bring back those that break no other. "
        "data/filter_files/rejected has the value and threshold of every rejected file."
    )
    return Table(["rule of the filter", "files that break it", "and no other", "counted under it"], rows, caption)


def contamination_table(results: Results) -> Table:
    """What each benchmark's problems were found in, by method, in corpus, positives and synthetic documents alike."""
    found = {source: results.stages[stage]("contamination") for source, stage in LEDGERS.items()}
    by_benchmark = results.stages["decontaminate_files"]("by_benchmark")
    rows = []
    for benchmark, problems in sorted(by_benchmark.items()):
        cells = [f"{problems[name]:,}" for name in ("problems", "problems_blind", "problems_blind_to_renaming")]
        by_source = [counts.get(benchmark, {}) for counts in found.values()]
        for method in sorted(set().union(*by_source)) or [NOTHING]:
            rows.append([benchmark, method, *cells, *(f"{counts.get(method, 0):,}" for counts in by_source)])
    caption = (
        "Files that overlap a benchmark, each under its strongest evidence; the ledgers of the stages have the spans. "
        "generic_match: code alone, and so short that many people write it; decontaminate_files.generic_matches drops or keeps it. "
        "Too short: problems indistinguishable from ordinary code, at all or once their names are changed."
    )
    columns = ["benchmark", "method", "problems", "too short", "too short if renamed", *(f"in {source}" for source in LEDGERS)]
    rows.append(["all", "files screened", *[NOTHING] * 3, *(f"{count:,}" for count in _screened(results).values())])
    return Table(columns, rows, caption, text_columns=2)


def train_tokens(results: Results) -> dict[str, int]:
    """Language -> tokens of the train split."""
    counted = results.stages["tokenize_files"]("tokens", "train")
    return {language: counts["tokens"] for language, counts in counted.items() if language != "all"}


def selection_table(results: Results) -> Table:
    """What each rule selected, next to the whole train split."""
    train = train_tokens(results)
    total = sum(train.values())
    mean_score = next(iter(results.selections.values()))("mean_score_of_train")
    files = results.stages["split_files"]("train", "files")
    rows = [["all of train", f"{files:,}", number(total), NOTHING, percent(train.get("python", 0) / total), f"{mean_score:.3f}"]]
    for rule, metrics in results.selections.items():
        by_language, taken = metrics("by_language"), metrics("tokens")
        shares = percent(taken / total), percent(by_language.get("python", {"tokens": 0})["tokens"] / taken)
        rows.append([rule, f"{metrics('files'):,}", number(taken), *shares, f"{metrics('mean_score'):.3f}"])
    caption = (
        "Both rules keep the language mix of the train split and stop at the same budget of tokens. Scores are the chosen annotator's."
    )
    return Table(["rule", "files", "tokens", "of train", "of them Python", "mean score"], rows, caption)


def _screened(results: Results) -> dict[str, int]:
    """Source of the ledger's rows -> how many files or documents entered the stage that screens them."""
    positives = (counts for counts in results.stages["fetch_positives"].values.values() if "rows_in" in counts)
    screened = {source: results.stages[stage].values.get("rows_in", 0) for source, stage in LEDGERS.items()}
    return screened | {"positives": sum(counts["rows_in"] for counts in positives)}


def _kept(step: str, by_language: dict[str, dict[str, int]], files: str, n_bytes: str) -> Kept:
    files_by_language = {language: counts[files] for language, counts in by_language.items()}
    bytes_by_language = {language: counts[n_bytes] for language, counts in by_language.items()}
    return Kept(step, sum(files_by_language.values()), sum(bytes_by_language.values()), files_by_language, bytes_by_language)
