"""train_annotator: positives and random negatives of one recipe -> a linear head, judged on held-out repositories; on frozen embeddings,
or, with train_annotator.encoder: tuned, with an encoder whose weights the recipe's examples change too.

in: data/embed_files, data/label_files; for a tuned encoder also data/split_files, data/fetch_positives
out: models/train_annotator/<recipe> (head.json, roc.csv, precision_recall.csv; of a tuned encoder also encoder/ and embedding.json),
     metrics/train_annotator/<recipe>.json
"""

from functools import partial
from pathlib import Path

from snowcoder.annotator.examples import AnnotatorParams, Example, RecipeParams, choose_examples
from snowcoder.annotator.head import Head, write_head
from snowcoder.annotator.held_out_metrics import Judgement, judge_head, judge_scores, write_curve
from snowcoder.annotator.training import fit_head, read_files, read_labels, read_texts, read_vectors
from snowcoder.embedding.encoder_source import EmbedParams, find_encoder
from snowcoder.pipeline.params import load_item, load_section
from snowcoder.pipeline.stage import StageRun, command_line, run_stage
from snowcoder.storage.metrics import write_metrics
from snowcoder.storage.shards import list_shards
from snowcoder.tracking.record import track

EMBEDDINGS, LABELS = Path("data/embed_files"), Path("data/label_files")
CORPUS, POSITIVES = Path("data/split_files"), Path("data/fetch_positives")


def build(run: StageRun, item: str, shared: AnnotatorParams, recipe: RecipeParams, embed: EmbedParams | None) -> None:
    """Choose the examples, fit on some repositories, judge on the others."""
    output, metrics_path = _outputs(item)
    with track(run.stage, run.item, run.fingerprint, run.inputs) as record:
        shards = list_shards(EMBEDDINGS)
        labels, labeller = read_labels(LABELS)
        examples = choose_examples(read_files(shards), labels, shared, recipe)
        vectors = read_vectors(shards, examples)
        head = fit_head(item, recipe, shared.l2, labeller, vectors, examples)
        metrics, roc, precision_recall = judge_head(head, vectors, examples)
        if embed is not None:
            head, (metrics, roc, precision_recall) = _tune(run.out(output), head, metrics["roc_auc"], examples, shared, embed)
        write_head(run.out(output), head)
        write_curve(run.out(output) / "roc.csv", ("fpr", "tpr"), roc)
        write_curve(run.out(output) / "precision_recall.csv", ("recall", "precision"), precision_recall)
        write_metrics(run.out(metrics_path), metrics)
        record.log_model(run.out(output), output)
        names = ("roc_auc", "average_precision", "roc_auc_of_length_alone", "n_positive", "n_negative", "mean_absolute_error", "spearman")
        record.log({f"annotator/{name}": metrics[name] for name in names if name in metrics})


def _tune(
    output: Path, start: Head, frozen_auc: float, examples: list[Example], shared: AnnotatorParams, embed: EmbedParams
) -> tuple[Head, Judgement]:
    """Go on from the frozen head; what that one reached is told beside the tuned one's figures."""
    from snowcoder.annotator.tuning import tune_annotator  # torch: a frozen encoder does without

    texts = read_texts(list_shards(CORPUS) + list_shards(POSITIVES), examples)
    tuned = tune_annotator(start, examples, texts, shared, embed, find_encoder(embed.encoder), output)
    metrics, roc, precision_recall = judge_scores(tuned.head, tuned.scores, examples)
    course = {"epochs": tuned.course, "kept_epoch": tuned.kept_epoch, "roc_auc_of_frozen_encoder": frozen_auc}
    return tuned.head, (metrics | {"encoder": "tuned", "tuning": course}, roc, precision_recall)


def main(item: str) -> None:
    """Run the stage for one recipe; a tuned encoder is run as embed_files says."""
    shared, recipe = load_item("train_annotator", item, AnnotatorParams, RecipeParams)
    embed = load_section("embed_files", EmbedParams) if shared.encoder == "tuned" else None
    work = partial(build, item=item, shared=shared, recipe=recipe, embed=embed)
    inputs = [EMBEDDINGS, LABELS, *([CORPUS, POSITIVES] if embed else [])]
    params = [shared, recipe, *([embed] if embed else [])]
    run_stage("train_annotator", params, inputs=inputs, outputs=list(_outputs(item)), build=work, item=item)


def _outputs(item: str) -> tuple[Path, Path]:
    return Path(f"models/train_annotator/{item}"), Path(f"metrics/train_annotator/{item}.json")


if __name__ == "__main__":
    command_line(main)
