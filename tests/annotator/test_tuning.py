"""Tuning a tiny BERT: it learns to separate the classes, gives the same result twice, stops early, and fails with a message."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from transformers import AutoModel, AutoTokenizer

from snowcoder.annotator.examples import Example, choose_validation
from snowcoder.annotator.head import Head, Kind
from snowcoder.annotator.tuned_encoder import ENCODER_FOLDER, RunnableEncoder, encoder_of, is_tuned, read_tuned
from snowcoder.annotator.tuning import Tuned, file_batches, mean_loss, tune_annotator
from snowcoder.embedding.encoder import Encoder
from snowcoder.embedding.encoder_source import EmbedParams
from snowcoder.embedding.file_sections import SectionCutter
from snowcoder.errors import CheckpointError, EmptyResultError, SourceError, TrainingError
from snowcoder.seeding import generator
from snowcoder.storage.files import sha256_file
from tests.annotator.shared_params import shared_params
from tests.embedding.tiny_encoder import GOOD, POOR, WORDS, embed_params, text_of, write_encoder


def examples_of(n_files: int, kind: Kind = "classification", n_repositories: int = 10) -> tuple[list[Example], list[str]]:
    """Files of ten good and ten poor repositories."""
    examples, texts = [], []
    for index in range(n_files):
        is_positive, repository = index % 2 == 0, index // 2 % n_repositories
        target = float(is_positive) if kind == "classification" else 4.0 * is_positive + 0.5 * (index % 3 == 0)
        name = f"{'good' if is_positive else 'poor'}-{repository}"
        examples.append(Example(f"{index:03d}", name, "python", 100, "x", target, is_positive))
        texts.append(text_of(GOOD if is_positive else POOR, index))
    return examples, texts


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("encoder"))


def start_head(kind: Kind = "classification") -> Head:
    """A head that knows nothing, on the scale of its targets."""
    size = 0.1 if kind == "classification" else 5.0
    return Head("HQ", kind, None, 0.0, [size * (-1) ** index for index in range(16)])


def parts_of(kind: Kind = "classification") -> tuple[list[Example], list[str], list[Example], list[str]]:
    """(examples to tune on, their texts, those of the last two repositories of each class, their texts)."""
    examples, texts = examples_of(80, kind)
    unseen = [example.repository.endswith(("8", "9")) for example in examples]
    pairs = list(zip(examples, texts, strict=True))
    parts = [[pair for pair, is_unseen in zip(pairs, unseen, strict=True) if is_unseen == side] for side in (False, True)]
    return *([example for example, _ in parts[0]], [text for _, text in parts[0]]), *(
        [one for one, _ in parts[1]],
        [text for _, text in parts[1]],
    )


def tune(folder: Path, output: Path | None, kind: Kind = "classification", seed: int = 1, **tuning: object) -> Tuned:
    examples, texts, _, judged = parts_of(kind)
    shared = shared_params(tuning, seed=seed)
    return tune_annotator(start_head(kind), examples, texts, judged, shared, RunnableEncoder(embed_params(folder), folder), output)


def test_the_encoder_learns_what_the_frozen_head_did_not_know(folder: Path, tmp_path: Path) -> None:
    tuned = tune(folder, tmp_path)
    is_positive = [example.is_positive for example in parts_of()[2]]
    assert roc_auc_score(is_positive, tuned.scores) > 0.95
    losses = [epoch["validation_loss"] for epoch in tuned.course]
    assert losses[0] == pytest.approx(np.log(2), abs=0.1)  # a head that knows nothing
    assert losses[-1] is not None
    assert losses[-1] < 0.55
    assert tuned.kept_epoch == 6
    before, after = (AutoModel.from_pretrained(path).state_dict() for path in (folder, tmp_path / ENCODER_FOLDER))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert {"embeddings.word_embeddings.weight", "encoder.layer.0.attention.self.query.weight"} <= changed


def test_the_same_bytes_twice_and_others_for_another_seed(folder: Path, tmp_path: Path) -> None:
    first, second = (tune(folder, tmp_path / name) for name in ("first", "second"))
    assert (first.head, first.course) == (second.head, second.course)
    assert first.scores.tobytes() == second.scores.tobytes()
    files = [sorted(path.relative_to(tmp_path / name) for path in (tmp_path / name).rglob("*.*")) for name in ("first", "second")]
    assert files[0] == files[1]
    assert all((tmp_path / "first" / path).read_bytes() == (tmp_path / "second" / path).read_bytes() for path in files[0])
    tune(folder, tmp_path / "other", seed=2)
    assert sha256_file(tmp_path / "other/encoder/model.safetensors") != sha256_file(tmp_path / "first/encoder/model.safetensors")


def test_the_scores_are_those_of_the_folder_that_was_written(folder: Path, tmp_path: Path) -> None:
    text = parts_of()[3][0]
    tuned = tune(folder, tmp_path)
    assert is_tuned(tmp_path)
    loaded = read_tuned(tmp_path)
    assert loaded.params.section_tokens == 16
    assert loaded.folder == tmp_path / ENCODER_FOLDER
    (sections,) = SectionCutter(loaded.folder / "tokenizer.json", 16).cut([text])
    assert len(sections) == 3
    vectors = Encoder(loaded.folder, "mean", False, 1, "cpu").embed([section.token_ids for section in sections], 256, "test")
    assert tuned.head.score_sections(vectors.astype(np.float64)).mean() == pytest.approx(tuned.scores[0], abs=1e-5)
    assert AutoTokenizer.from_pretrained(loaded.folder)("good1 poor2")["input_ids"]


def test_a_regression_learns_its_labels(folder: Path, tmp_path: Path) -> None:
    tuned = tune(folder, tmp_path, "regression", epochs=15)
    targets = np.array([example.target for example in parts_of("regression")[2]])
    assert np.corrcoef(tuned.scores, targets)[0, 1] > 0.85
    assert np.abs(tuned.scores - targets).mean() < 1.0


def test_it_stops_when_it_only_learns_by_heart_and_keeps_the_best_epoch(folder: Path, tmp_path: Path) -> None:
    examples, _ = examples_of(80)
    draws = generator(1, "words")
    texts = [" ".join(draws.choice(WORDS, 30)) for _ in examples]  # say nothing of the class
    shared = shared_params({"learning_rate": 0.02, "epochs": 40, "patience_epochs": 2})
    tuned = tune_annotator(start_head(), examples, texts, [], shared, RunnableEncoder(embed_params(folder), folder), None)
    assert not list(tmp_path.iterdir())
    assert len(tuned.scores) == 0
    losses = [epoch["validation_loss"] for epoch in tuned.course[1:]]
    assert len(losses) < 40
    assert tuned.kept_epoch == 1 + int(np.argmin(losses)) == len(losses) - 2


def test_validation_takes_whole_repositories_of_the_training_part() -> None:
    examples, _ = examples_of(80)
    is_validation = choose_validation(examples, shared_params())
    chosen = {example.repository for example, chosen in zip(examples, is_validation, strict=True) if chosen}
    assert {name.split("-")[0] for name in chosen} == {"good", "poor"}
    for example, is_chosen in zip(examples, is_validation, strict=True):
        assert is_chosen == (example.repository in chosen)
    with pytest.raises(EmptyResultError, match="found 0 positives and 0 negatives to validate on"):
        choose_validation(examples_of(12, n_repositories=1)[0], shared_params())


def test_a_rate_that_is_far_too_high_is_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"train_annotator@HQ: epoch 1: .*lower train_annotator.shared.tuning.learning_rate"):
        tune(folder, tmp_path, learning_rate=1e15)
    assert not (tmp_path / ENCODER_FOLDER).exists()


def test_every_file_is_in_one_step_of_an_epoch_and_epochs_differ() -> None:
    places = np.array([3, 5, 8, 13, 21, 34, 55])
    first, second = ([batch.tolist() for batch in file_batches(places, 3, 1, epoch)] for epoch in (1, 2))
    assert [len(batch) for batch in first] == [3, 3, 1]
    assert sorted(place for batch in first for place in batch) == places.tolist()
    assert first != second


def test_losses_of_hand_computed_cases() -> None:
    assert mean_loss("classification", np.array([0.0, 0.0]), np.array([1.0, 0.0])) == pytest.approx(np.log(2))
    assert mean_loss("classification", np.array([np.log(3)]), np.array([1.0])) == pytest.approx(-np.log(0.75))
    assert mean_loss("regression", np.array([1.0, 4.0]), np.array([2.0, 2.0])) == pytest.approx(2.5)


def test_a_gradient_does_not_depend_on_the_size_of_a_pass(folder: Path, tmp_path: Path) -> None:
    small, large = (tune(folder, tmp_path / str(size), batch_tokens=size, epochs=1) for size in (16, 4096))
    assert small.course[1]["training_loss"] == pytest.approx(large.course[1]["training_loss"], rel=1e-3)
    np.testing.assert_allclose(small.scores, large.scores, atol=1e-2)


def test_weights_of_another_hash_and_a_broken_description_are_refused(folder: Path, tmp_path: Path) -> None:
    model = tmp_path / "HQ" / "fold_0"
    tune(folder, model, epochs=1)
    frozen = embed_params(folder)
    assert encoder_of(model, frozen) == read_tuned(model)
    weights = model / ENCODER_FOLDER / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(SourceError, match=r"sha256 is .*embedding.json: encoder.weights_sha256\).*dvc repro -f train_annotator@HQ"):
        encoder_of(model, frozen)
    weights.unlink()
    with pytest.raises(SourceError, match=r"model.safetensors not found"):
        read_tuned(model)
    (model / "embedding.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"embedding.json: cannot be read .*dvc repro -f train_annotator@HQ"):
        read_tuned(model)


def test_a_frozen_annotator_runs_the_encoder_of_embed_files(folder: Path, tmp_path: Path) -> None:
    params: EmbedParams = embed_params(folder)
    found = encoder_of(tmp_path, params)
    assert (found.folder, found.params) == (folder, params)
    with pytest.raises(SourceError, match=r"embed_files\.encoder\.weights_sha256"):
        encoder_of(tmp_path, embed_params(folder, "b" * 64))
