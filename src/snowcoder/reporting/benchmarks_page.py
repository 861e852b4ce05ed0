"""Writes results/benchmarks.md: all evaluated models on the benchmarks, with intervals, and what their differences mean.

in: results/benchmarks/<name>.json (evaluation/model_evaluation.py)   out: Markdown

Results of different prompts or settings (mode, end of the prompt, sampling, …) get different letters, and are never compared.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from snowcoder.errors import SnowcoderError
from snowcoder.reporting.document import Block, Document, Section, Table, with_interval
from snowcoder.reporting.markdown import render_markdown
from snowcoder.reporting.model_tables import variant_title
from snowcoder.reporting.paper_tables import EXPLAINED, explained_words, paper_differences_table
from snowcoder.statistics.paired import compare_paired, compare_ratios, over_seeds

TITLES = {
    "humaneval": "HumanEval",
    "humaneval_plus": "HumanEval+",
    "mbpp_plus": "MBPP+",
    "bigcodebench": "BigCodeBench",
    **{f"evoeval_{part}": f"EvoEval {part.replace('_', ' ')}" for part in ("difficult", "creative", "subtle", "combine", "tool_use")},
}
SEED = 1
PROBLEMS_ONLY = "Intervals are over problems only: another training seed, or another draw of the control's files, comes on top."
ROUNDING_SETTINGS = ("batch_size", "cpu_threads", "engine")
Results = dict[str, dict[str, Any]]  # model -> its JSON


def write_benchmarks_page(folder: Path, page: Path, order: list[str], controls: Sequence[tuple[str, str]]) -> None:
    """Write the page of all models in `folder`: those of `order` first, each name by training seed. controls: (model, its control)."""
    found: Results = {path.stem: _read(path) for path in sorted(folder.glob("*.json"))}
    if not found:
        raise SnowcoderError(f"{folder}: no result; run `make evaluate`")
    places = {name: place for place, name in enumerate(order)}
    names = sorted(found, key=lambda name: (places.get(name.partition(".seed")[0], len(order)), name))
    results = {name: found[name] for name in names}
    benchmarks = [name for name in TITLES if any(name in one["benchmarks"] for one in results.values())]
    sections = [Section(TITLES[name], how_asked(results, name), _tables(results, name, controls)) for name in benchmarks]
    if checked := {name: one["batching"] for name, one in results.items() if "batching" in one}:
        sections.append(Section("Batch size", [], [batching_table(checked)]))
    asked = "Which of the paper's own differences are more than the choice of problems explains."
    sections.append(Section("The paper's own differences", [asked], [paper_differences_table()]))
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(render_markdown(Document("Benchmarks", _findings(results, benchmarks, controls), sections)))


def _tables(results: Results, benchmark: str, controls: Sequence[tuple[str, str]]) -> list[Block]:
    """The scores, and each model against its control."""
    table: list[Block] = [score_table(results, benchmark)]
    if (apart := _not_compared(results, benchmark, controls)) is not None:
        table.append(apart)
    rows = [row for model, control in controls if (row := _comparison_row(results, benchmark, model, control))]
    if (seeds := seeds_table(results, benchmark)) is not None:
        table.append(seeds)
    if rows:
        caption = (
            "On the same problems: those that only one of the two solves; 95% interval of the difference (paired bootstrap) and p-value "
            f"(exact McNemar). {PROBLEMS_ONLY}"
        )
        columns = ["model", "control", "only model", "only control", "difference, points", "95% interval", "p", EXPLAINED]
        table.append(Table(columns, rows, caption, text_columns=2))
    bits = [row for model, control in controls if (row := _bits_row(results, benchmark, model, control))]
    if bits:
        caption = (
            "Bits per byte of the reference solutions, model less control, problem by problem: below 0 the model needs fewer bits. "
            f"{PROBLEMS_ONLY}"
        )
        table.append(Table(["model", "control", "bits per byte, difference", "95% interval", EXPLAINED], bits, caption, text_columns=2))
    choices = [row for model, control in controls if (row := _choice_row(results, benchmark, model, control))]
    if choices:
        caption = (
            "Likelihood choice, model less control, problem by problem: above 0 the model chooses right more often. The margin may "
            f"favour a model whose choices are no better. {PROBLEMS_ONLY}"
        )
        columns = ["model", "control", "share, difference", "95% interval", "margin in bits, difference", "95% interval"]
        table.append(Table(columns, choices, caption, text_columns=2))
    return table


def _read(path: Path) -> dict[str, Any]:
    """A result. Raises SnowcoderError for one of an earlier version, whose figures are of another layout and of one mutant a problem."""
    result: dict[str, Any] = json.loads(path.read_text())
    for benchmark, one in result["benchmarks"].items():
        if "margin_bits" not in one["likelihood_choice"]:
            raise SnowcoderError(
                f"{path}: benchmarks.{benchmark}.likelihood_choice.margin_bits: missing, so that it was written by an earlier version; run "
                "`make evaluate` again, or remove the file"
            )
    return result


def score_table(results: Results, benchmark: str) -> Table:
    """One row per model; a column `asked` where the models were not all asked in the same way."""
    letters = asked_letters(results, benchmark)
    several = len(set(letters.values())) > 1
    rows = []
    for model, result in results.items():
        if (one := result["benchmarks"].get(benchmark)) is None:
            continue
        choice, without = one["likelihood_choice"], one["without_flagged"]
        rest = with_interval(without["without"]["pass@1"], without["without"]["ci95"], 1, 100) if without["without"] else "-"
        rows.append(
            [
                variant_title(model),
                *([letters[model]] if several else []),
                f"{one['plus']['passed']}/{one['plus']['total']}",
                with_interval(one["base"]["pass@1"], one["base"]["ci95"], 1, 100),
                with_interval(one["plus"]["pass@1"], one["plus"]["ci95"], 1, 100),
                f"{rest}; {len(without['flagged'])} flagged" if without["screened"] else "corpus not screened",
                with_interval(one["bits_per_byte"]["bits_per_byte"], one["bits_per_byte"]["ci95"], 3),
                with_interval(choice["share"], choice["ci95"], 2) if choice["n"] else "-",
                with_interval(choice["margin_bits"], choice["margin_ci95"], 2) if choice["n"] else "-",
            ]
        )
    columns = ["model", *(["asked"] if several else []), "passed", "base pass@1, %", "all tests pass@1, %"]
    columns += ["without flagged problems, %", "bits per byte", "likelihood choice", "its margin, bits"]
    caption = (
        "In brackets 95% intervals over the problems. Base: its own tests. Flagged: problems that a contamination ledger names. "
        "Bits per byte: of reference solutions in one layout, given their prompts; lower is better. Likelihood choice: share of a "
        "problem's copies with one operator or constant changed that are less likely than its reference; a coin gives 0.5. Its margin: by "
        "how many bits, in the mean."
    )
    return Table(columns, rows, caption)


def seeds_table(results: Results, benchmark: str) -> Table | None:
    """Models of one name, asked in the same way, that differ in their training seed, summed up; None if no name has several."""
    by_name: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for model, result in results.items():
        if result.get("training_seed") is not None and benchmark in result["benchmarks"]:
            by_name.setdefault((model.rpartition(".seed")[0], _asked_as(result)), []).append(result["benchmarks"][benchmark])
    rows = []
    for (name, _), ones in by_name.items():
        passes = over_seeds([100 * one["plus"]["pass@1"] for one in ones])
        bits = over_seeds([one["bits_per_byte"]["bits_per_byte"] for one in ones])
        if passes.interval and bits.interval:
            of_passes = [with_interval(passes.mean, list(passes.interval), 1), f"{passes.spread:.2f}"]
            of_bits = [with_interval(bits.mean, list(bits.interval), 3), f"{bits.spread:.4f}"]
            rows.append([variant_title(name), str(len(ones)), *of_passes, *of_bits])
    columns = ["model", "training seeds", "all tests pass@1, %", "its spread", "bits per byte", "its spread"]
    caption = "Mean over training seeds, its 95% interval (Student's t), and the standard deviation between seeds."
    return Table(columns, rows, caption) if rows else None


def batching_table(checked: Mapping[str, dict[str, Any]]) -> Table:
    """How many completions the batch size changes, by precision."""
    rows = []
    for name, one in checked.items():
        changed = [f"{n}/{one['problems'] + one.get('extra_prompts', 0)}" for n in one["changed"].values()]
        rows.append([variant_title(name), str(one["batch_size"]), *changed, str(one.get("cut", "-"))])
    first = next(iter(checked.values()))
    caption = (
        f"Greedy completions of HumanEval's prompts ({first['tokens']} tokens at most) that differ between one at a time and in batches: "
        "rounding moves logits, and a completion changes where two tokens nearly tie. A prompt of one token and one longer than the "
        "window are added. Cut: prompts that lost their beginning to fit."
    )
    return Table(["model", "batch size", *first["changed"], "prompts cut"], rows, caption)


def _comparison_row(results: Results, benchmark: str, model: str, control: str) -> list[str] | None:
    passes = [results.get(name, {}).get("benchmarks", {}).get(benchmark, {}).get("passes") for name in (model, control)]
    if not all(passes) or _asked_as(results[model]) != _asked_as(results[control]) or set(passes[0]) != set(passes[1]):
        return None
    samples = [results[name]["settings"]["samples"] for name in (model, control)]
    first, second = ([one[problem] / n for problem in passes[0]] for one, n in zip(passes, samples, strict=True))
    found = compare_paired(first, second, SEED)
    low, high = found.interval
    cells = [str(found.only_first), str(found.only_second), f"{100 * found.difference:+.1f}", f"{100 * low:+.1f} to {100 * high:+.1f}"]
    return [model, control, *cells, f"{found.p_value:.3f}", explained_words(found.is_explained)]


def _bits_row(results: Results, benchmark: str, model: str, control: str) -> list[str] | None:
    both = _measures(results, benchmark, model, control, "bits_per_byte")
    if both is None or both[0]["n_bytes"] != both[1]["n_bytes"]:
        return None
    first, second = ([one["bits"][problem] for problem in both[0]["bits"]] for one in both)
    cells = _difference_cells(compare_ratios(first, second, list(both[0]["n_bytes"].values()), list(both[0]["bits"]), SEED), 4)
    return [model, control, *cells]


def _choice_row(results: Results, benchmark: str, model: str, control: str) -> list[str] | None:
    both = _measures(results, benchmark, model, control, "likelihood_choice")
    if both is None or not both[0]["n"] or both[0]["shares"].keys() != both[1]["shares"].keys():
        return None
    problems = list(both[0]["shares"])
    cells = []
    for values in ("shares", "margins"):
        first, second = ([one[values][problem] for problem in problems] for one in both)
        cells += _difference_cells(compare_ratios(first, second, [1] * len(problems), problems, SEED), 3)[:2]
    return [model, control, *cells]


def _measures(results: Results, benchmark: str, model: str, control: str, measure: str) -> list[dict[str, Any]] | None:
    """A measure of both models; None where one has none, or both were asked in different ways."""
    both = [results.get(name, {}).get("benchmarks", {}).get(benchmark, {}).get(measure) for name in (model, control)]
    if not all(both) or _asked_as(results[model]) != _asked_as(results[control]):
        return None
    return both


def _difference_cells(compared: tuple[float, tuple[float, float] | None], digits: int) -> list[str]:
    """Difference, interval, and whether the choice of problems explains it."""
    difference, interval = compared
    if interval is None:
        return [f"{difference:+.{digits}f}", "-", explained_words(True)]
    low, high = interval
    return [f"{difference:+.{digits}f}", f"{low:+.{digits}f} to {high:+.{digits}f}", explained_words(low <= 0 <= high)]


def _not_compared(results: Results, benchmark: str, controls: Sequence[tuple[str, str]]) -> Table | None:
    """Pairs of a model and its control that were asked in different ways, and in what they differ."""
    rows = []
    for pair in controls:
        found = [results[name] for name in pair if benchmark in results.get(name, {}).get("benchmarks", {})]
        if len(found) == 2 and _asked_as(found[0]) != _asked_as(found[1]):
            first, second = (json.loads(_asked_as(one)) for one in found)
            names = sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
            rows.append([*pair, ", ".join(f"{name}: {first.get(name)} / {second.get(name)}" for name in names)])
    caption = "Not compared, because they were prompted in different ways: evaluate both with the same settings."
    return Table(["model", "control", "differs in (model / control)"], rows, caption, text_columns=3) if rows else None


def asked_letters(results: Results, benchmark: str) -> dict[str, str]:
    """{model: letter}: models with the same letter were asked in the same way."""
    ways: dict[str, str] = {}
    letters = {}
    for model, result in results.items():
        if benchmark in result["benchmarks"]:
            letters[model] = ways.setdefault(_asked_as(result), ascii_uppercase[len(ways) % len(ascii_uppercase)])
    return letters


def how_asked(results: Results, benchmark: str) -> list[str]:
    """The settings of each way of asking, with the models' chat templates."""
    letters = asked_letters(results, benchmark)
    several = len(set(letters.values())) > 1
    paragraphs = ["The models were not all prompted in the same way: figures with different letters cannot be compared."] if several else []
    for letter in sorted(set(letters.values())):
        models = [model for model, other in letters.items() if other == letter]
        settings = {json.dumps(results[model]["settings"], sort_keys=True): None for model in models}
        said = "; ".join(", ".join(f"{key} {value}" for key, value in json.loads(text).items()) for text in settings)
        paragraphs.append(f"{f'{letter}: ' if several else 'Settings: '}{said}.{_template_words(results, models)}")
    return paragraphs


def _template_words(results: Results, models: Sequence[str]) -> str:
    """Of the models that have a chat template: whether they were asked through it."""
    asked = {model: results[model].get("asked", {}) for model in models}
    used = [
        f"{variant_title(model)}: {one['chat_template_sha256'][:16]}, wording of {one['wording']}"
        for model, one in asked.items()
        if one.get("chat_template") == "used"
    ]
    unused = [variant_title(model) for model, one in asked.items() if one.get("chat_template") == "not used"]
    sentences = [f"Prompted through their chat templates (sha256): {'; '.join(used)}."] if used else []
    if unused:
        sentences.append(f"Have a chat template but were prompted without it, unlike in their training: {', '.join(unused)}.")
    return "".join(f" {sentence}" for sentence in sentences)


def _asked_as(result: dict[str, Any]) -> str:
    """What two results must share to be compared: all settings but those that move a result by rounding alone, and the wording."""
    settings = {name: value for name, value in result["settings"].items() if name not in ROUNDING_SETTINGS}
    return json.dumps(settings | {"wording": result.get("asked", {}).get("wording")}, sort_keys=True)


def _findings(results: Results, benchmarks: list[str], controls: Sequence[tuple[str, str]]) -> list[str]:
    findings = []
    for benchmark in benchmarks:
        passes = [row for model, control in controls if (row := _comparison_row(results, benchmark, model, control))]
        bits = [row for model, control in controls if (row := _bits_row(results, benchmark, model, control))]
        if passes:
            findings.append(f"{TITLES[benchmark]}, all tests: {_explained_pairs(passes, 4, ' points')}.")
        if bits:
            findings.append(f"{TITLES[benchmark]}, bits per byte: {_explained_pairs(bits, 2, '')}.")
    apart = [TITLES[benchmark] for benchmark in benchmarks if _not_compared(results, benchmark, controls) is not None]
    if apart:
        findings.append(f"{', '.join(apart)}: some models and their controls were prompted in different ways and are not compared.")
    return findings or ["No two models to compare yet."]


def _explained_pairs(rows: list[list[str]], difference: int, unit: str) -> str:
    more = [f"{row[0]} and {row[1]} ({row[difference]}{unit})" for row in rows if row[-1] == explained_words(False)]
    rest = [f"{row[0]} and {row[1]}" for row in rows if row[-1] == explained_words(True)]
    said = [f"more than the choice of problems explains: {', '.join(more)}"] if more else []
    return "; ".join(said + ([f"no more than the choice of problems explains: {', '.join(rest)}"] if rest else []))
