"""Tables of the synthetic documents: yield by language, seed and reason, their sources, and a few full texts."""

from typing import Any

from snowcoder.reporting.document import NOTHING, Listing, Table, number, percent
from snowcoder.reporting.results import Results

SHOWN_REPOSITORIES = 12
TITLE_CHARACTERS = 60
# what may come before the first words of a file
BEFORE_WORDS = " \t\"'#/*-<!"
QUARTERS = {"1": "best quarter", "2": "second", "3": "third", "4": "last quarter"}
SOURCES = {
    "author": "the code's author wrote as examples",
    "recording": "were recorded by running the solution, and so hold by construction",
    "model": "a model wrote",
}


def synthetic_paragraph(results: Results) -> str:
    """How many were accepted, their languages, where their tests come from, how much of them is also in their seeds."""
    accepted = results.stages["accept_documents"]
    documents = f"{accepted('rows_out'):,} of {accepted('rows_in'):,} documents passed, with {number(accepted('tokens'))} tokens"
    languages = ", ".join(
        f"{counts['accepted']:,} {language}, {percent(accepted('tokens_by_language', language) / accepted('tokens'))} of the tokens"
        for language, counts in sorted(accepted("by_language").items())
        if counts["accepted"]
    )
    by_source = [(name, counts["accepted"]) for name, counts in sorted(accepted("by_tests_from").items()) if counts["accepted"]]
    tests = "; ".join(f"{count:,} have {'tests that ' + SOURCES.get(name, name) if name else 'none'}" for name, count in by_source)
    median, most = (percent(accepted("seed_containment", f"quantile_{name}")) for name in ("0.5", "1"))
    shared = f"Of a document's token n-grams {median} (median; at most {most}) are also in its seed."
    unparsed = ", ".join(f"{count:,} {language}" for language, count in sorted(accepted("not_parsed").items()))
    warning = f" Not parsed, for lack of a grammar: {unparsed}." if unparsed else ""
    return f"{documents} ({languages}); {tests}. {shared}{warning}"


def language_mix_table(results: Results) -> Table:
    """By language: seeds, documents, what of them was accepted, and what the packed phase holds: planned and reached."""
    seeds, accepted = results.stages["synthesize_documents"]("seeds_by_language"), results.stages["accept_documents"]
    tokens, yields, mix = accepted("tokens_by_language"), accepted("by_language"), language_mix(results)
    rows = []
    for language in sorted({*seeds, *yields, *mix}, key=lambda name: (-mix.get(name, {}).get("planned", 0), name)):
        counts = yields.get(language, {"documents": 0, "accepted": 0})
        cells = [f"{count:,}" for count in (seeds.get(language, 0), counts["documents"], counts["accepted"], tokens.get(language, 0))]
        cells.append(percent(tokens.get(language, 0) / accepted("tokens")))
        packed = mix.get(language)
        shares = [f"{packed['passes']:.2f}", percent(packed["planned"]), percent(packed["reached"])] if packed else []
        rows.append([language, *cells, *([packed["source"], *shares] if packed else [NOTHING] * 4)])
    columns = ["language", "seeds", "documents", "accepted", "their tokens", "of them", "in the phase", "passes", "planned", "reached"]
    caption = (
        "The synthetic phase by language. Planned and reached: shares of the packed tokens. Python is raised to its planned share, the "
        "other languages keep theirs of the selected files. A language is packed from its documents, or from selected files where none "
        "was accepted in it; passes: tokens taken / tokens available."
    )
    return Table(columns, rows, caption)


def language_mix(results: Results) -> dict[str, Any]:
    """Language -> source, planned, reached, passes in the variant that mixes documents with files; {} if none does."""
    mixes = (metrics.values.get("language_mix", {}) for metrics in results.packed.values())
    return dict(next((mix for mix in mixes if any(row["source"] == "documents" for row in mix.values())), {}))


def seed_yield_table(results: Results) -> Table:
    """Seeds, documents and accepted documents by the seeds' scores."""
    made, kept = results.stages["synthesize_documents"]("by_seed_quarter"), results.stages["accept_documents"]("by_seed_quarter")
    rows = []
    for quarter, counts in sorted(made.items()):
        accepted = kept.get(quarter, {"accepted": 0})["accepted"]
        cells = [f"{counts['seeds']:,}", f"{counts['documents']:,}", f"{accepted:,}", f"{accepted / counts['seeds']:.2f}"]
        rows.append([QUARTERS.get(quarter, quarter), *cells])
    caption = "Yield of the synthetic phase by the score of the seed files, best quarter first."
    return Table(["seeds", "files", "documents", "accepted", "accepted per seed"], rows, caption)


def prompt_yield_table(results: Results) -> Table:
    """Documents and accepted documents by the version of the prompt, or of the rules, that made them."""
    counts = results.stages["accept_documents"]("by_prompt_version")
    rows = [
        [version, f"{count['documents']:,}", f"{count['accepted']:,}", percent(count["accepted"] / count["documents"])]
        for version, count in sorted(counts.items())
    ]
    return Table(["prompt version", "documents", "accepted", "yield"], rows, "Yield of the synthetic phase by version of the prompt.")


def repository_share_table(results: Results) -> Table:
    """The repositories that the accepted documents come from, largest first."""
    counts = results.stages["accept_documents"]("by_repository")
    total = sum(counts.values())
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    rows = [[name, f"{count:,}", percent(count / total)] for name, count in ordered[:SHOWN_REPOSITORIES]]
    rest = sum(count for _, count in ordered[SHOWN_REPOSITORIES:])
    if rest:
        rows.append([f"{len(ordered) - SHOWN_REPOSITORIES} others", f"{rest:,}", percent(rest / total)])
    return Table(["repository", "accepted documents", "share"], rows, "Where the accepted documents come from.")


def refusal_table(results: Results) -> Table:
    """Each reason for which a candidate of a seed, or an answer, gave no document, with an example."""
    made = results.stages["synthesize_documents"]
    rows = []
    for reason, count in sorted(made("dropped").items(), key=lambda item: (-item[1], item[0])):
        example = made("refusal_examples").get(reason)
        shown = [f"{example['repository']}: {example['path']}", example["detail"]] if example else ["", ""]
        rows.append([reason, *shown, f"{count:,}"])
    caption = "Why candidates of seeds (extractive teacher) or answers (a model) gave no document, with an example of each."
    return Table(["reason", "example", "detail", "refused"], rows, caption, text_columns=3)


def rejection_table(results: Results) -> Table:
    """Each reason of acceptance with an example; more are in data/accept_documents/rejected."""
    dropped = results.stages["accept_documents"].values.get("dropped", {})
    rows = []
    for reason, count in sorted(dropped.items(), key=lambda item: (-item[1], item[0])):
        example = results.rejected.get(reason, {})
        shown = f"{example['repository']}: {_title(example)}" if example else ""
        rows.append([reason, shown, str(example.get("detail") or ""), f"{count:,}"])
    caption = "Why documents were rejected, with an example of each, in full below; data/accept_documents/rejected names them all."
    return Table(["reason", "example", "detail", "rejected"], rows, caption, text_columns=3)


def document_listings(results: Results) -> list[Listing]:
    """Some accepted documents, whole; which ones is decided by a hash of their content."""
    return [Listing(f"{_title(row)} ({_provenance(row)})", row["content"], row["language"]) for row in results.accepted_samples]


def rejected_listings(results: Results) -> list[Listing]:
    """The first rejected document of each reason, whole."""
    return [
        Listing(f"rejected, {reason}: {_title(row)} (from {row['repository']})", row["content"], "")
        for reason, row in sorted(results.rejected.items())
    ]


def _provenance(row: dict[str, Any]) -> str:
    seed = f"from {row['repository']}, seed score {row['seed_score']:.2f}, {percent(row['seed_containment'])} in its seed"
    return f"{seed}; tests: {row['n_tests']}" + (f" by {row['tests_from']}" if row["tests_from"] else "")


def _title(row: dict[str, Any]) -> str:
    """A document's name, or the first words of one that has none."""
    first = next((line for line in row["content"].splitlines() if line.strip(BEFORE_WORDS)), "")
    return str(row["name"] or first.strip(BEFORE_WORDS)[:TITLE_CHARACTERS])
