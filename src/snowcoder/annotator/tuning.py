"""Tunes the annotator of one fold: its training examples train the encoder's weights together with the head's.

in: a head fitted on frozen embeddings, the fold's training examples and their texts
out: the tuned encoder as a folder (see tuned_encoder), a head for its vectors, the course of the losses

Training starts from the head that fits the frozen vectors, so that the first steps, in which a head of random weights would only send noise
into the encoder, do not spoil what it has learned (Kumar et al. 2022). The loss is the head's own: every section carries its file's target
and 1 / (sections of the file) of its weight; log loss for a classification, squared error for a regression. AdamW, the rate rises linearly
and falls linearly to 0, dropout is off (as in FineWeb-Edu's classifier). Part of the training repositories takes no part in it: their loss
chooses the epoch, and their scores calibrate a classification. The fold's own repositories take part in neither.

Same bytes for the same processor and build: batches follow from a seed, threads are a parameter, torch is in its deterministic mode.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss
from transformers import get_linear_schedule_with_warmup

from snowcoder.annotator.calibration import fit_platt
from snowcoder.annotator.cross_fitting import CrossFit, Heads
from snowcoder.annotator.examples import AnnotatorParams, Example, TuningParams, choose_validation
from snowcoder.annotator.folds import fold_folder
from snowcoder.annotator.head import Head, Kind, mean_by_file
from snowcoder.annotator.held_out_metrics import HeadJudgement, judge_scores
from snowcoder.annotator.tuned_encoder import ENCODER_FOLDER, RunnableEncoder, describe_tuned
from snowcoder.embedding.encoder import Encoder, batches_by_length
from snowcoder.embedding.file_sections import SectionCutter
from snowcoder.errors import TrainingError
from snowcoder.pipeline.console import progress
from snowcoder.seeding import generator

Weights = tuple[dict[str, torch.Tensor], torch.Tensor, torch.Tensor]  # of the encoder; weights and bias of the head
LOSSES: dict[Kind, Callable[..., torch.Tensor]] = {"classification": binary_cross_entropy_with_logits, "regression": mse_loss}


@dataclass(frozen=True)
class Tuned:
    """head: calibrated, for the tuned encoder's vectors. scores: float64 of each text to judge, in their order.
    course: {"epoch", "training_loss" (null before the first), "validation_loss"} of each epoch; kept_epoch: the one that was written."""

    head: Head
    scores: np.ndarray
    course: list[dict[str, float | None]]
    kept_epoch: int


def tune_annotator(
    start: Head,
    examples: Sequence[Example],
    texts: Sequence[str],
    judged: Sequence[str],
    shared: AnnotatorParams,
    frozen: RunnableEncoder,
    output: Path | None,
) -> Tuned:
    """Tune on the examples and write `encoder/` and embedding.json to `output` (None: write nothing). texts: of `examples`, in their
    order; judged: texts of other repositories, to be scored.

    Raises EmptyResultError if too few repositories are left to validate on, TrainingError if a loss is not finite.
    """
    embed, encoder_folder = frozen.params, frozen.folder
    cutter = SectionCutter(encoder_folder / "tokenizer.json", embed.section_tokens)
    sections = [[section.token_ids for section in group] for group in cutter.cut([*texts, *judged])]
    encoder = Encoder(encoder_folder, embed.encoder.pooling, embed.bf16, embed.cpu_threads, embed.device)
    is_validation = np.array(choose_validation(examples, shared))
    targets = np.array([example.target for example in examples])
    validation, training = np.flatnonzero(is_validation), np.flatnonzero(~is_validation)
    course = _Course(encoder, start, sections, targets, embed.batch_tokens)
    best = _train(course, training, validation, shared.tuning, shared.seed)
    scores = course.scores(validation)
    is_positive = np.array([examples[place].is_positive for place in validation])
    slope, intercept = fit_platt(scores, is_positive) if start.kind == "classification" else (1.0, 0.0)
    if output is not None:
        encoder.model.save_pretrained(output / ENCODER_FOLDER)
        describe_tuned(output, embed, encoder_folder)
    unseen = course.scores(np.arange(len(texts), len(sections))) if judged else np.empty(0)
    return Tuned(course.head(slope, intercept), slope * unseen + intercept, course.epochs, best)


def tune_folds(
    starts: Heads, plan: CrossFit, texts: Mapping[str, str], shared: AnnotatorParams, frozen: RunnableEncoder, model: Path
) -> tuple[list[Tuned], list[Tuned]]:
    """(those that score the corpus, each written into its fold's folder of `model`; those that are judged, with their scores).

    starts: the frozen encoder's heads; texts: by file_id. A fold whose two heads are fitted on the same examples is tuned once.
    """
    scoring, judging = [], []
    for fold in range(plan.folds.n):
        judged = [texts[example.file_id] for example in plan.judged_in(fold)]

        def tune(start: Head, examples: Sequence[Example], output: Path | None, judged: list[str] = judged) -> Tuned:
            own = [texts[example.file_id] for example in examples]
            return tune_annotator(start, examples, own, judged, shared, frozen, output)

        scoring.append(tune(starts.scoring[fold], plan.scoring[fold], fold_folder(model, fold)))
        is_same = plan.judging[fold] == plan.scoring[fold]
        judging.append(scoring[fold] if is_same else tune(starts.judging[fold], plan.judging[fold], None))
    return scoring, judging


def judge_tuned(tuned: Sequence[Tuned], plan: CrossFit, frozen: HeadJudgement) -> HeadJudgement:
    """The tuned heads that are judged, with the ROC-AUC of the `frozen` ones that they started from next to their own."""
    scores = np.empty(len(plan.judged))
    for fold, one in enumerate(tuned):
        scores[plan.judged_folds == fold] = one.scores
    metrics, roc, precision_recall = judge_scores(tuned[0].head, scores, plan)
    by_fold = [{"epochs": one.course, "kept_epoch": one.kept_epoch} for one in tuned]
    course = {"by_fold": by_fold, "roc_auc_of_frozen_encoder": frozen[0]["roc_auc"]}
    return metrics | {"encoder": "tuned", "tuning": course}, roc, precision_recall


class _Course:
    """Encoder and head during training: their scores, and the course of each epoch."""

    def __init__(self, encoder: Encoder, start: Head, sections: list[list[list[int]]], targets: np.ndarray, batch_tokens: int) -> None:
        self.encoder = encoder
        self.start = start
        self.sections = sections
        self.targets = targets
        self.batch_tokens = batch_tokens
        device = encoder.model.device
        self.weights = torch.nn.Parameter(torch.tensor(start.weights, dtype=torch.float32, device=device))
        self.bias = torch.nn.Parameter(torch.tensor(start.bias, dtype=torch.float32, device=device))
        self.epochs: list[dict[str, float | None]] = []

    def head(self, slope: float = 1.0, intercept: float = 0.0) -> Head:
        """The current head, scaled."""
        weights = [slope * weight for weight in self.weights.detach().cpu().double().tolist()]
        bias = slope * float(self.bias.detach()) + intercept
        return Head(self.start.recipe, self.start.kind, self.start.labeller, bias, weights)

    def scores(self, places: np.ndarray) -> np.ndarray:
        """float64 score of each example at `places`, as score_files scores files."""
        groups = [self.sections[place] for place in places]
        flat = [ids for group in groups for ids in group]
        vectors = self.encoder.embed(flat, self.batch_tokens, f"embed {len(flat)} sections, batches")
        sizes = np.array([len(group) for group in groups])
        return mean_by_file(self.head().score_sections(vectors.astype(np.float64)), np.cumsum(sizes) - sizes)

    def state(self) -> Weights:
        """A copy of every weight."""
        model = {name: value.clone() for name, value in self.encoder.model.state_dict().items()}
        return model, self.weights.detach().clone(), self.bias.detach().clone()

    def restore(self, state: Weights) -> None:
        """Back to a copy."""
        model, weights, bias = state
        self.encoder.model.load_state_dict(model)
        with torch.no_grad():
            self.weights.copy_(weights)
            self.bias.copy_(bias)


def _train(course: _Course, training: np.ndarray, validation: np.ndarray, params: TuningParams, seed: int) -> int:
    """Train in place; the epoch whose weights are left. Epoch 0 is the frozen encoder, which is reported and never kept."""
    parameters = [*course.encoder.model.parameters(), course.weights, course.bias]
    matrices = [parameter for parameter in parameters if parameter.ndim >= 2]
    others = [parameter for parameter in parameters if parameter.ndim < 2]
    groups = [{"params": matrices, "weight_decay": params.weight_decay}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=params.learning_rate)
    n_steps = params.epochs * -(-len(training) // params.batch_files)
    schedule = get_linear_schedule_with_warmup(optimizer, round(params.warmup_fraction * n_steps), n_steps)
    course.epochs.append({"epoch": 0, "training_loss": None, "validation_loss": _validation_loss(course, validation)})
    best_loss, best_epoch, best_state = np.inf, 0, course.state()
    for epoch in range(1, params.epochs + 1):
        losses = []
        steps = list(file_batches(training, params.batch_files, seed, epoch))
        for places in progress(steps, len(steps), f"tuning {course.start.recipe}: epoch {epoch} of {params.epochs}, steps"):
            losses.append(_backward(course, places, params.batch_tokens) * len(places))
            torch.nn.utils.clip_grad_norm_(parameters, params.max_gradient_norm)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
        loss = _validation_loss(course, validation)
        if not np.isfinite([loss, *losses]).all():
            raise TrainingError(
                f"train_annotator@{course.start.recipe}: epoch {epoch}: found a loss that is not finite; lower "
                "train_annotator.shared.tuning.learning_rate"
            )
        course.epochs.append({"epoch": epoch, "training_loss": sum(losses) / len(training), "validation_loss": loss})
        if loss < best_loss or params.patience_epochs is None:
            best_loss, best_epoch, best_state = loss, epoch, course.state()
        elif epoch - best_epoch >= params.patience_epochs:
            break
    course.restore(best_state)
    return best_epoch


def file_batches(places: np.ndarray, batch_files: int, seed: int, epoch: int) -> Iterator[np.ndarray]:
    """Every place once, in an order of the seed and the epoch, `batch_files` at a time."""
    order = generator(seed, "tuning", epoch).permutation(places)
    for start in range(0, len(order), batch_files):
        yield order[start : start + batch_files]


def _backward(course: _Course, places: np.ndarray, batch_tokens: int) -> float:
    """Add the gradient of the mean loss of the files at `places`; that loss."""
    sections = [ids for place in places for ids in course.sections[place]]
    sizes = [len(course.sections[place]) for place in places]
    targets = torch.tensor(np.repeat(course.targets[places], sizes), dtype=torch.float32, device=course.weights.device)
    shares = torch.tensor(np.repeat(1.0 / (np.array(sizes) * len(places)), sizes), dtype=torch.float32, device=course.weights.device)
    total = 0.0
    for batch in batches_by_length([len(ids) for ids in sections], batch_tokens):
        scores = course.encoder.vectors([sections[index] for index in batch]) @ course.weights + course.bias
        loss = (LOSSES[course.start.kind](scores, targets[batch], reduction="none") * shares[batch]).sum()
        loss.backward()
        total += float(loss.detach())
    return total


def _validation_loss(course: _Course, validation: np.ndarray) -> float:
    return mean_loss(course.start.kind, course.scores(validation), course.targets[validation])


def mean_loss(kind: Kind, scores: np.ndarray, targets: np.ndarray) -> float:
    """Log loss of log-odds (classification) or squared error (regression), the mean over files."""
    with np.errstate(invalid="ignore"):  # the caller checks for losses that are not finite
        loss = np.logaddexp(0.0, scores) - targets * scores if kind == "classification" else (scores - targets) ** 2
    return float(loss.mean())
