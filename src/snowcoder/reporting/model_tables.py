"""Tables of the models: scores, bits per byte, models against their controls, ours next to the paper's (data_tables.py: the data)."""

from snowcoder.reporting import paper_tables as paper
from snowcoder.reporting.comparisons import Comparison, comparisons, trigram_comparisons
from snowcoder.reporting.data_tables import train_tokens
from snowcoder.reporting.document import NOTHING, Table, number, percent, with_interval
from snowcoder.reporting.results import Results, benchmark_names, set_names, teacher_name
from snowcoder.reporting.titles import benchmark_title, set_title
from snowcoder.statistics.clustered import FEW_CLUSTERS
from snowcoder.words import INITIAL

FLOORS = ("unigram", "bigram", "trigram")
INTERVALS = (
    "Intervals are over texts only: whole repositories, or problems, are drawn again, the same for both models. They hold what other texts "
    "of the kind would change, and neither another training seed nor another draw of the control's files. Of fewer than "
    f"{FEW_CLUSTERS} repositories they are too narrow."
)
VARIANT_TITLES = {
    "initial": "initial (untrained)",
    "general": "general (alpha)",
    "continued": "continued (beta)",
    "continued_random": "continued_random (control)",
    "enhanced": "enhanced (final)",
    "enhanced_selected": "enhanced_selected (control)",
}


def variant_title(variant: str) -> str:
    """A model's name in params, and its part in the recipe."""
    return VARIANT_TITLES.get(variant, variant)


def bits_table(results: Results) -> Table:
    """Bits per byte of every model on every set, from the untrained one on; below each the n-grams of the tokens that it trained on."""
    sets = set_names(results)
    rows = [[variant_title(INITIAL), *_bits(results, INITIAL, sets)]]
    for variant in results.params.variants:
        rows.append([variant_title(variant), *_bits(results, variant, sets)])
        rows += [[f"its {floor}", *[f"{results.floors(variant, floor, name):.3f}" for name in sets]] for floor in FLOORS]
    caption = (
        "Bits per byte, lower is better. Below each model the n-grams (interpolated modified Kneser-Ney) of the sequences that it and its "
        "ancestors trained on: they know how often a token follows the one or two before it, and nothing else. In brackets 95% intervals "
        f"over the repositories of a set, or a benchmark's problems ({_sizes(results, sets)}); they exclude the difference that another "
        f"seed makes, and of fewer than {FEW_CLUSTERS} repositories they are too narrow. Choices are made on the validation set."
    )
    return Table(["bits per byte", *[set_title(name) for name in sets]], rows, caption)


def trigram_table(results: Results) -> Table:
    """Each model against the trigram of its own tokens, on every set."""
    rows = []
    for item in trigram_comparisons(results, results.params.variants):
        verdict = "beaten" if item.is_better else "not beaten" if item.is_worse else "not distinguishable"
        bits = [f"{item.value:.4f}", f"{item.control_value:.4f}", f"{item.difference:+.4f}"]
        rows.append([set_title(item.set_name), item.variant, *bits, _interval(item), item.unit, verdict])
    caption = (
        "Bits per byte of a model and of the trigram of its own tokens. Below zero, the model has learned more than its last two tokens "
        f"say. {INTERVALS}"
    )
    columns = ["set", "model", "bits/byte", "of its trigram", "difference", "95% interval", "over", "trigram"]
    return Table(columns, rows, caption, text_columns=2)


def score_table(results: Results) -> Table:
    """One row per model: what it was trained on, and what it solves."""
    benchmarks = benchmark_names(results)
    columns = ["model", "starts from", "tokens", "passes", "final loss"]
    columns += [f"pass@1 {benchmark_title(name)}, %" for name in benchmarks]
    rows = []
    for variant, parent in results.params.variants.items():
        trained, scores = results.trained[variant], results.scores[variant]
        cells = [variant_title(variant), parent, number(trained("tokens")), f"{trained('passes'):.2f}", f"{trained('final_loss'):.3f}"]
        cells += [with_interval(scores(name, "pass@1"), scores(name, "ci95"), 1, scale=100) for name in benchmarks]
        rows.append(cells)
    caption = "Tokens, passes and final loss (nats per token) are of the model's own phase. In brackets 95% intervals over the problems."
    return Table(columns, rows, caption, text_columns=2)


def comparison_table(results: Results) -> Table:
    """Each model against its control, on every set."""
    rows = []
    for item in comparisons(results):
        bits = [f"{item.value:.4f}", f"{item.control_value:.4f}", f"{item.difference:+.4f}", f"{100 * item.relative:+.2f}%"]
        rows.append([item.variant, item.control, set_title(item.set_name), *bits, _interval(item), item.unit])
    caption = (
        "Bits per byte of a model and its control: same start, budget and schedule, other data. Below zero, the model needs fewer bits. "
        f"{INTERVALS}"
    )
    columns = ["model", "control", "set", "bits/byte", "of the control", "difference", "relative", "95% interval", "over"]
    return Table(columns, rows, caption, text_columns=3)


def paper_table(results: Results) -> Table:
    """Our pass@1 next to the paper's Table 2."""
    benchmarks = benchmark_names(results)
    columns = ["model", "ours: tokens", *[f"ours: {benchmark_title(name)}, %" for name in benchmarks], "paper: model", "paper: tokens"]
    columns += [f"paper: {name}, %" for name in paper.PROBLEMS]
    rows = []
    for variant in results.params.variants:
        row = [variant_title(variant), number(results.trained[variant]("tokens"))]
        row += [f"{100 * results.scores[variant](name, 'pass@1'):.1f}" for name in benchmarks]
        name, tokens = paper.MODELS.get(variant, (NOTHING, NOTHING))
        theirs = paper.TABLE_2.get(name)
        rows.append([*row, name, tokens, *([f"{rate:.1f}" for rate in theirs] if theirs else [NOTHING] * len(paper.PROBLEMS))])
    n_parameters = results.stages["initialize_model"]("parameters", "total")
    caption = (
        f"pass@1, greedy. The scales differ: our model has {number(n_parameters)} parameters, the paper's {number(paper.N_PARAMETERS)}. "
        f"Paper: {paper.SOURCE}, Table 2; it has no row for the controls."
    )
    return Table(columns, rows, caption)


def scale_table(results: Results) -> Table:
    """This run's settings next to the paper's."""
    stages, splits = results.stages, results.stages["split_files"]
    selected = results.selections[results.params.rules[0]]
    share = percent(results.packed["enhanced"]("documents_fraction")) if "enhanced" in results.packed else NOTHING
    rows = [
        ["parameters", number(stages["initialize_model"]("parameters", "total")), number(paper.N_PARAMETERS)],
        ["unique training tokens", number(sum(train_tokens(results).values())), number(paper.N_UNIQUE_TOKENS)],
        ["vocabulary", f"{stages['train_tokenizer']('vocab_size'):,}", f"{paper.VOCABULARY:,}"],
        ["languages", str(len(splits("train", "by_language"))), str(paper.N_LANGUAGES)],
    ]
    trained = {variant: tokens for variant, tokens in paper.PHASE_TOKENS.items() if variant in results.trained}
    rows += [[f"tokens of phase {name}", number(results.trained[name]("tokens")), number(tokens)] for name, tokens in trained.items()]
    rows += [
        ["selected tokens", number(selected("tokens")), number(paper.SELECTED_TOKENS)],
        ["synthetic tokens", number(stages["accept_documents"]("tokens")), number(paper.SYNTHETIC_TOKENS)],
        ["synthetic share of phase enhanced", share, "not stated (Python is half of the mix)"],
        ["educational labels", str(stages["label_files"]("labeller")), "Mixtral-8x7B-Instruct"],
        ["teacher", teacher_name(results), "Llama-3.1-70B-Instruct"],
    ]
    return Table(["", "this run", "the paper"], rows, f"Paper: {paper.SOURCE}.", text_columns=3)


def _interval(comparison: Comparison) -> str:
    return NOTHING if comparison.interval is None else f"{comparison.interval[0]:+.4f} to {comparison.interval[1]:+.4f}"


def _sizes(results: Results, sets: list[str]) -> str:
    bits = results.bits[INITIAL]
    return "; ".join(f"{set_title(name)}: {bits(name, 'n_items')} texts in {bits(name, 'n_clusters')}" for name in sets)


def _bits(results: Results, variant: str, sets: list[str]) -> list[str]:
    bits = results.bits[variant]
    return [with_interval(bits(name, "bits_per_byte"), bits(name, "ci95"), 3) for name in sets]
