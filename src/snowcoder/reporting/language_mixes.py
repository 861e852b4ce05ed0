"""Compares the languages of a model's tokens with those of its control, and how often each language's tokens are seen.

in: metrics of pack_tokens and pretrain  out: a table, and a finding for each pair that differs in more than its data
"""

from snowcoder.reporting.document import Table, percent
from snowcoder.reporting.results import Results

# Half the sum of the differences of all shares: beyond it, a difference of two models may be that of their languages
MAX_MIX_DISTANCE = 0.05
# Further passes over the same tokens add little (Muennighoff et al., arXiv 2305.16264)
MAX_PASSES = 4


def language_shares(results: Results, variant: str) -> dict[str, float]:
    """Language -> share of the variant's packed tokens, 0 to 1."""
    counts = results.packed[variant]("tokens_by_language")
    return {language: n / sum(counts.values()) for language, n in counts.items()}


def passes_in_training(results: Results, variant: str) -> dict[str, float]:
    """Language -> how often the phase sees a token of it on average: the phase may be shorter or longer than what was packed."""
    packed, n_tokens = results.packed[variant], results.trained[variant]("tokens")
    mix = packed.values.get("language_mix", {})
    unique = {language: mix.get(language, {}).get("unique_tokens", n) for language, n in packed("tokens_by_language").items()}
    return {language: n_tokens * share / unique[language] for language, share in language_shares(results, variant).items() if share}


def mix_distance(results: Results, variant: str, control: str) -> float:
    """Total variation distance of two models' language shares: the share of tokens that would have to be in another language."""
    ours, theirs = (language_shares(results, name) for name in (variant, control))
    return sum(abs(ours.get(name, 0.0) - theirs.get(name, 0.0)) for name in {*ours, *theirs}) / 2


def mix_findings(results: Results) -> list[str]:
    """A sentence for each model and control whose languages differ."""
    said = []
    for variant, control in results.params.controls:
        distance = mix_distance(results, variant, control)
        if distance > MAX_MIX_DISTANCE:
            said.append(
                f"{variant} and its control {control} differ in languages, by {percent(distance)} of their tokens: what one gains over the "
                "other may come from that alone."
            )
    return said


def mix_table(results: Results) -> Table:
    """Share and passes of each language in every model and its control."""
    rows, often = [], []
    for variant, control in results.params.controls:
        shares, passes = ([measure(results, name) for name in (variant, control)] for measure in (language_shares, passes_in_training))
        for language in sorted({*shares[0], *shares[1]}, key=lambda name: (-shares[0].get(name, 0.0), name)):
            cells = [percent(share.get(language, 0.0)) for share in shares] + [f"{seen.get(language, 0.0):.2f}" for seen in passes]
            rows.append([variant, control, language, *cells])
            often += [
                f"{name}: {language}" for name, seen in zip((variant, control), passes, strict=True) if seen.get(language, 0) > MAX_PASSES
            ]
    caption = (
        "Languages of a model and of its control, and how often a training sees their tokens. Where shares differ, a comparison is one of "
        f"languages too. Seen more than {MAX_PASSES} times: {', '.join(often) or 'none'}."
    )
    columns = ["model", "control", "language", "share", "of the control", "passes", "of the control"]
    return Table(columns, rows, caption, text_columns=3)
