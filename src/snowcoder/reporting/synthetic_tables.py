"""The synthetic documents in the report: yield by seed and by reason, where they come from, and ten of them to read."""

from snowcoder.reporting.document import Listing, Table, number, percent
from snowcoder.reporting.results import Results

SHOWN_REPOSITORIES = 12
QUARTERS = {"1": "best quarter", "2": "second", "3": "third", "4": "last quarter"}
SOURCES = {
    "author": "the code's author wrote as examples",
    "recording": "were recorded by running the solution, so that they hold by construction",
    "model": "a model wrote",
}


def synthetic_paragraph(results: Results) -> str:
    """How many were accepted, their languages, where their tests come from, how much of them stands in their seeds."""
    accepted = results.stages["accept_documents"]
    documents = f"{accepted('rows_out'):,} of {accepted('rows_in'):,} documents passed, with {number(accepted('tokens'))} tokens"
    shares = accepted.values.get("tokens_by_language", {})
    languages = ", ".join(
        f"{count:,} {language}" + (f", {percent(shares[language] / accepted('tokens'))} of the tokens" if language in shares else "")
        for language, count in sorted(accepted("by_language").items())
    )
    by_source = sorted(accepted("by_tests_from").items())
    tests = "; ".join(f"{counts['accepted']:,} have tests that {SOURCES.get(name, name)}" for name, counts in by_source)
    median, most = (percent(accepted("seed_containment", f"quantile_{name}")) for name in ("0.5", "1"))
    return f"{documents} ({languages}); {tests}. Of a document's token n-grams {median} (median; at most {most}) stand in its seed."


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


def rejection_table(results: Results) -> Table:
    """Each reason of acceptance with an example; more stand in data/accept_documents/rejected."""
    dropped = results.stages["accept_documents"].values.get("dropped", {})
    rows = []
    for reason, count in sorted(dropped.items(), key=lambda item: (-item[1], item[0])):
        example = results.rejected.get(reason, {})
        shown = f"{example.get('repository', '')}: {example.get('name', '')}" if example else ""
        rows.append([reason, shown, str(example.get("detail") or ""), f"{count:,}"])
    caption = "Why documents were rejected, with an example of each; data/accept_documents/rejected holds them all."
    return Table(["reason", "example", "detail", "rejected"], rows, caption, text_columns=3)


def document_listings(results: Results) -> list[Listing]:
    """Some accepted documents, whole; which ones is decided by a hash of their content."""
    return [
        Listing(f"{row['name']} (from {row['repository']}; tests: {row['tests_from']})", row["content"], row["language"])
        for row in results.accepted_samples
    ]
