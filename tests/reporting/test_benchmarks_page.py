import json
from pathlib import Path
from typing import Any

import pytest

from snowcoder.errors import SnowcoderError
from snowcoder.reporting.benchmarks_page import write_benchmarks_page
from snowcoder.reporting.paper_tables import CLAIMS, TABLES, compare_in_paper, solved


def result(passed: int) -> dict[str, Any]:
    rate = {"passed": passed, "total": 100, "problems": 100, "pass@1": passed / 100, "ci95": [0.1, 0.2]}
    return {
        "model": "m",
        "settings": {"samples": 1, "strip_prompt": False},
        "benchmarks": {
            "mbpp_plus": {
                "base": rate,
                "plus": rate,
                "passes": {f"Mbpp/{number}": int(number < passed) for number in range(100)},
                "without_flagged": {"screened": True, "flagged": ["Mbpp/1"], "all": rate, "without": rate},
                "bits_per_byte": {
                    "bits_per_byte": 1.234,
                    "ci95": [1.2, 1.3],
                    "bits": {f"Mbpp/{number}": 300.0 - passed + number % 7 for number in range(100)},
                    "n_bytes": {f"Mbpp/{number}": 200 for number in range(100)},
                },
                "likelihood_choice": {
                    "share": 0.75,
                    "n": 90,
                    "n_mutants": 400,
                    "ci95": [0.65, 0.83],
                    "margin_bits": 1.5,
                    "margin_ci95": [1.0, 2.0],
                    "shares": {f"Mbpp/{number}": passed / 100 for number in range(90)},
                    "margins": {f"Mbpp/{number}": passed / 10 + number % 3 for number in range(90)},
                },
            }
        },
    }


def test_the_page_has_scores_comparisons_and_the_papers_differences(tmp_path: Path) -> None:
    for name, passed in (("continued", 40), ("continued_random", 20), ("another", 3), ("enhanced", 41)):
        (tmp_path / f"{name}.json").write_text(json.dumps(result(passed)))
    controls = [("continued", "continued_random"), ("enhanced", "enhanced_selected")]
    write_benchmarks_page(tmp_path, tmp_path / "page.md", ["continued", "continued_random", "enhanced"], controls)
    page = (tmp_path / "page.md").read_text()
    assert page.index("continued (beta)") < page.index("another")
    assert "MBPP+, all tests: more than the choice of problems explains: continued and continued_random (+20.0 points)" in page
    assert "| continued | continued_random | 20 | 0 | +20.0 |" in page
    assert "1.234 (1.200 to 1.300)" in page
    # 20 bits fewer on each solution of 200 bytes
    assert "| continued | continued_random | -0.1000 | -0.1000 to -0.1000 | yes |" in page
    assert "MBPP+, bits per byte: more than the choice of problems explains: continued and continued_random (-0.1000)." in page
    assert "0.75 (0.65 to 0.83) | 1.50 (1.00 to 2.00)" in page
    # both by problem: shares 0.4 and 0.2, margins 4 and 2
    assert "| continued | continued_random | +0.200 | +0.200 to +0.200 | +2.000 | +2.000 to +2.000 |" in page
    assert "## The paper's own differences" in page


def test_a_result_of_an_earlier_version_is_refused(tmp_path: Path) -> None:
    old = result(3)
    old["benchmarks"]["mbpp_plus"]["likelihood_choice"] = {"share": 0.75, "n": 90, "ci95": [0.65, 0.83]}
    (tmp_path / "old.json").write_text(json.dumps(old))
    with pytest.raises(SnowcoderError, match=r"old.json: benchmarks.mbpp_plus.likelihood_choice.margin_bits: missing.*make evaluate"):
        write_benchmarks_page(tmp_path, tmp_path / "page.md", [], [])


def test_training_seeds_of_a_model_are_summed_up(tmp_path: Path) -> None:
    for seed, passed in enumerate((10, 20, 30), start=1):
        (tmp_path / f"general.seed{seed}.json").write_text(json.dumps(result(passed) | {"training_seed": seed}))
    (tmp_path / "other.seed1.json").write_text(json.dumps(result(5) | {"training_seed": 1}))
    write_benchmarks_page(tmp_path, tmp_path / "page.md", ["general"], {})
    page = (tmp_path / "page.md").read_text()
    # Student's t with 2 degrees of freedom: 20 +- 4.3027 * 10 / sqrt(3)
    assert "| general (alpha) | 3 | 20.0 (-4.8 to 44.8) | 10.00 | 1.234 (1.234 to 1.234) | 0.0000 |" in page
    assert "other.seed1 | 1 |" not in page


def test_the_page_tells_what_the_batch_size_changes(tmp_path: Path) -> None:
    batching = {"problems": 164, "tokens": 64, "batch_size": 32, "changed": {"float32": 0, "bfloat16": 23}}
    (tmp_path / "general.json").write_text(json.dumps(result(10) | {"batching": batching}))
    write_benchmarks_page(tmp_path, tmp_path / "page.md", ["general"], {})
    assert "| general (alpha) | 32 | 0/164 | 23/164 | - |" in (tmp_path / "page.md").read_text()


def test_prompts_that_were_cut_for_the_window_are_counted(tmp_path: Path) -> None:
    batching = {"problems": 164, "extra_prompts": 2, "cut": 1, "tokens": 64, "batch_size": 32, "changed": {"bfloat16": 23, "float32": 0}}
    (tmp_path / "general.json").write_text(json.dumps(result(10) | {"batching": batching}))
    write_benchmarks_page(tmp_path, tmp_path / "page.md", ["general"], {})
    assert "| general (alpha) | 32 | 23/166 | 0/166 | 1 |" in (tmp_path / "page.md").read_text()


def page_of(folder: Path, results: dict[str, dict[str, Any]], controls: list[tuple[str, str]]) -> str:
    for name, one in results.items():
        (folder / f"{name}.json").write_text(json.dumps(one))
    write_benchmarks_page(folder, folder / "page.md", [], controls)
    return (folder / "page.md").read_text()


@pytest.mark.parametrize(
    ("setting", "values"),
    [("strip_prompt", (False, True)), ("mode", ("base", "chat")), ("temperature", (0.0, 0.8)), ("max_new_tokens", (128, 768))],
)
def test_results_that_were_asked_differently_are_not_compared(tmp_path: Path, setting: str, values: tuple[Any, Any]) -> None:
    ones = [result(passed) for passed in (40, 20)]
    for one, value in zip(ones, values, strict=True):
        one["settings"][setting] = value
    page = page_of(tmp_path, {"m": ones[0], "k": ones[1]}, [("m", "k")])
    assert f"| m | k | {setting}: {values[0]} / {values[1]} |" in page
    assert "MBPP+: some models and their controls were prompted in different ways and are not compared." in page
    assert "m and k (" not in page
    assert "figures with different letters cannot be compared" in page
    assert "| k | A | 20/100 |" in page
    assert "| m | B | 40/100 |" in page
    assert all(f"{setting} {value}" in page for value in values)


def test_settings_that_move_a_result_by_rounding_alone_are_compared(tmp_path: Path) -> None:
    ones = [result(40), result(20)]
    ones[0]["settings"] |= {"batch_size": 8, "engine": "vllm", "cpu_threads": 2}
    ones[1]["settings"] |= {"batch_size": 32, "cpu_threads": 1}
    page = page_of(tmp_path, {"m": ones[0], "k": ones[1]}, [("m", "k")])
    assert "more than the choice of problems explains: m and k (+20.0 points)" in page
    assert "different letters" not in page


def test_seeds_that_were_asked_differently_are_not_summed_up(tmp_path: Path) -> None:
    ones = {f"m.seed{seed}": result(10 * seed) | {"training_seed": seed} for seed in (1, 2, 3, 4)}
    for seed in (3, 4):
        ones[f"m.seed{seed}"]["settings"] = {"samples": 1, "strip_prompt": True}
    page = page_of(tmp_path, ones, [])
    assert "| m | 2 | 15.0 (" in page
    assert "| m | 2 | 35.0 (" in page
    assert "| m | 4 |" not in page


def test_the_page_tells_which_template_was_used_or_was_not(tmp_path: Path) -> None:
    template = {"chat_template_sha256": "0123456789abcdef" * 4}
    chat = result(5) | {"asked": {"mode": "chat", "chat_template": "used", "wording": "evalplus 0.3.1"} | template}
    base = result(1) | {"asked": {"mode": "base", "chat_template": "not used", "wording": "the problem's own text"} | template}
    chat["settings"] = {"samples": 1, "mode": "chat"}
    page = page_of(tmp_path, {"i.chat": chat, "i": base}, [])
    assert "Prompted through their chat templates (sha256): i.chat: 0123456789abcdef, wording of evalplus 0.3.1." in page
    assert "Have a chat template but were prompted without it, unlike in their training: i." in page


def test_without_a_result_there_is_no_page(tmp_path: Path) -> None:
    with pytest.raises(SnowcoderError, match="make evaluate"):
        write_benchmarks_page(tmp_path, tmp_path / "page.md", [], {})


def test_printed_percentages_stand_for_whole_numbers_of_problems() -> None:
    # 28.0% of HumanEval+'s 164 is 46; HQINS in table 4 solves 30 + 125 + 58
    assert solved(28.0, 164) == 46
    hqins = next(one for one in compare_in_paper() if one.table == "4" and one.second == "random")
    assert hqins.solved == (30 + 125 + 58, 21 + 88 + 40)
    assert hqins.total == 1042


def test_which_of_the_papers_differences_the_choice_of_problems_explains() -> None:
    found = {(one.table, one.first, one.second): one for one in compare_in_paper()}
    assert len(found) == len(CLAIMS)
    assert not found["4", "HQINS", "random"].is_explained  # selection against random data
    assert not found["4", "HQINS", "EDU"].is_explained
    assert found["4", "HQINS", "INS"].is_explained
    assert found["6", "4 x 12.5B", "5 x 10B"].is_explained  # how often the data are repeated
    assert found["6", "4 x 12.5B", "1 x 50B"].is_explained
    assert found["5", "re-warm-up", "constant"].is_explained
    assert found["3", "by language, then repository", "by repository"].is_explained
    # z of 3.7 for HQINS against random: p of 0.0002
    assert found["4", "HQINS", "random"].pooled == pytest.approx(2e-4, abs=1e-4)


def test_rows_have_a_figure_per_benchmark() -> None:
    for number, rows in TABLES.items():
        assert {len(rates) for rates in rows.values()} == {4 if number == "2" else 3}
