"""Bits per byte by language during training: the arithmetic, the sample, and that training is unaffected."""

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from transformers import LlamaForCausalLM

from snowcoder.pretraining.loop import LossPoint, train
from snowcoder.pretraining.model import initialize
from snowcoder.pretraining.watch.validation import (
    HeldOutRows,
    Validation,
    bits_per_byte,
    interval_steps,
    open_validation,
    read_held_out_rows,
)
from snowcoder.source_files.records import SOURCE_FILE_SCHEMA, make_source_file
from snowcoder.storage.shards import write_table
from snowcoder.tokenization.tokenizer import token_byte_lengths
from tests.inference.tiny_llama import make_tokenizer
from tests.pretraining.test_loop import MODEL, PHASE, SHARED, CountingData, assert_equal_weights
from tests.pretraining.watch.steps import make_step

CPU = torch.device("cpu")
ROWS = HeldOutRows(np.arange(32, dtype=np.uint16).reshape(2, 16), n_bytes=60)


def write_files(folder: Path, rows: list[tuple[str, str, str]]) -> None:
    """rows: (language, split, content)."""
    files = [
        make_source_file(
            source="s", repository="r", path=str(n), language=language, content=content, licence="MIT", download_rank=1, revision="1"
        ).row()
        | {"split": split}
        for n, (language, split, content) in enumerate(rows)
    ]
    schema = SOURCE_FILE_SCHEMA.append(pa.field("split", pa.string()))
    write_table(folder, [pa.Table.from_pylist(files, schema)], schema)


def run_training(model: LlamaForCausalLM, state: Path, validation: Validation | None) -> list[LossPoint]:
    return train(model, CountingData(), SHARED, PHASE, state, [validation] if validation else [])  # type: ignore[arg-type]


def test_bits_per_byte_of_a_known_loss() -> None:
    samples = {"python": ROWS, "c": HeldOutRows(np.zeros((1, 11), dtype=np.uint16), n_bytes=20)}
    losses = iter((2.0, 3.0))
    found = bits_per_byte(samples, lambda _: torch.tensor(next(losses)), CPU)
    assert found == {
        "validation/bits_per_byte/python": pytest.approx(2.0 * 30 / math.log(2) / 60),
        "validation/bits_per_byte/c": pytest.approx(3.0 * 10 / math.log(2) / 20),
        "validation/bits_per_byte/all": pytest.approx((60 + 30) / math.log(2) / 80),
    }


def test_it_costs_at_most_a_hundredth_of_the_training() -> None:
    # 3,072 tokens / 3 / (0.01 x 1,024) = 100 steps exactly; one token more asks for the next multiple of 20
    assert interval_steps(3_072, 1_024) == 100
    assert interval_steps(3_073, 1_024) == 120
    assert interval_steps(10, 4_194_304) == 20


def test_it_looks_at_multiples_of_the_interval_and_at_the_end() -> None:
    seen: list[int] = []
    validation = Validation({"python": ROWS}, batch_tokens=128, report=lambda _, step: seen.append(step))
    assert validation.every_steps == 20
    for step in range(1, 51):
        validation.see(make_step(step, n_steps=50))
    assert seen == [20, 40, 50]


def test_training_is_the_same_bit_for_bit_with_it_and_without(tmp_path: Path) -> None:
    seen: list[dict[str, float]] = []
    validation = Validation({"python": ROWS}, batch_tokens=64, report=lambda metrics, _: seen.append(dict(metrics)))
    validation.every_steps = 1
    plain, watched = initialize(MODEL), initialize(MODEL)
    rng = torch.get_rng_state()
    plain_curve = run_training(plain, tmp_path / "plain", None)
    watched_curve = run_training(watched, tmp_path / "watched", validation)
    assert len(seen) == len(watched_curve) == 12
    assert seen[0] != seen[-1]
    assert_equal_weights(plain, watched)
    assert plain_curve == watched_curve
    assert watched.training == plain.training
    assert all(parameter.grad is None for parameter in watched.parameters())
    assert torch.equal(torch.get_rng_state(), rng)


def test_the_sample_is_held_out_and_packed_by_language(tmp_path: Path) -> None:
    tokenizer = make_tokenizer()
    texts = [f"def f{n}(x):\n    return x + {n}\n" * 20 for n in range(3)]
    write_files(
        tmp_path / "files",
        [("python", "held_out", text) for text in texts]
        + [("python", "train", "import secret\n" * 50), ("c", "held_out", "int x;\n"), ("sql", "held_out", "")],
    )
    samples = read_held_out_rows(tmp_path / "files", tokenizer, sequence_length=32)
    assert list(samples) == ["c", "python"]  # nothing is charged for an empty file
    assert samples["python"].token_ids.shape == (2, 32)
    decoded = tokenizer.decode(samples["python"].token_ids.reshape(-1).tolist())
    assert "return x" in decoded
    assert "secret" not in decoded
    short = samples["c"].token_ids
    assert short[0, 0] == 0
    assert tokenizer.decode(short[0].tolist()) == "int x;\n"
    assert samples["c"].n_bytes == len("int x;\n")
    lengths = token_byte_lengths(tokenizer)
    assert samples["python"].n_bytes == sum(int(lengths[token]) for row in samples["python"].token_ids for token in row[1:])
    assert read_held_out_rows(tmp_path / "files", tokenizer, 32)["python"].token_ids.tolist() == samples["python"].token_ids.tolist()


def test_without_held_out_files_training_is_told_and_goes_on(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    validation = open_validation(tmp_path / "none", tmp_path, 32, 64, report=lambda *_: pytest.fail("nothing to report"))
    validation.see(make_step(20, n_steps=20))
    assert "no bits per byte by language while training" in capfd.readouterr().err
