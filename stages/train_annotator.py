"""train_annotator: positives and random negatives of one recipe -> a linear head on frozen embeddings, judged on held-out repositories.

in: data/embed_files, data/label_files
out: models/train_annotator/<recipe> (head.json, roc.csv, precision_recall.csv), metrics/train_annotator/<recipe>.json
"""

from functools import partial
from pathlib import Path

from snowcoder.annotator.examples import AnnotatorParams, RecipeParams, choose_examples
from snowcoder.annotator.head import write_head
from snowcoder.annotator.judging import judge_head, write_curve
from snowcoder.annotator.training import fit_head, read_files, read_labels, read_vectors
from snowcoder.metrics import write_metrics
from snowcoder.params import load_item
from snowcoder.shards import list_shards
from snowcoder.stage import StageRun, command_line, run_stage
from snowcoder.tracking import track

EMBEDDINGS = Path("data/embed_files")
LABELS = Path("data/label_files")


def build(run: StageRun, item: str, shared: AnnotatorParams, recipe: RecipeParams) -> None:
    """Choose the examples, fit on some repositories, judge on the others."""
    output, metrics_path = _outputs(item)
    with track(run.stage, run.item, run.fingerprint) as record:
        shards = list_shards(EMBEDDINGS)
        labels, labeller = read_labels(LABELS)
        examples = choose_examples(read_files(shards), labels, shared, recipe)
        vectors = read_vectors(shards, examples)
        head = fit_head(item, recipe, shared.l2, labeller, vectors, examples)
        metrics, roc, precision_recall = judge_head(head, vectors, examples)
        write_head(run.out(output), head)
        write_curve(run.out(output) / "roc.csv", ("fpr", "tpr"), roc)
        write_curve(run.out(output) / "precision_recall.csv", ("recall", "precision"), precision_recall)
        write_metrics(run.out(metrics_path), metrics)
        names = ("roc_auc", "average_precision", "roc_auc_of_length_alone", "n_positive", "n_negative", "mean_absolute_error", "spearman")
        record.log({f"annotator/{name}": metrics[name] for name in names if name in metrics})


def main(item: str) -> None:
    """Run the stage for one recipe."""
    shared, recipe = load_item("train_annotator", item, AnnotatorParams, RecipeParams)
    work = partial(build, item=item, shared=shared, recipe=recipe)
    run_stage("train_annotator", [shared, recipe], inputs=[EMBEDDINGS, LABELS], outputs=list(_outputs(item)), build=work, item=item)


def _outputs(item: str) -> tuple[Path, Path]:
    return Path(f"models/train_annotator/{item}"), Path(f"metrics/train_annotator/{item}.json")


if __name__ == "__main__":
    command_line(main)
