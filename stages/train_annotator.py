"""train_annotator: trains a linear head on one recipe's positives and random negatives, judged on held-out repositories; on frozen
embeddings, or, with train_annotator.shared.encoder: tuned, with an encoder whose weights the recipe's examples change too.

in: data/embed_files, data/label_files; for a tuned encoder also data/split_files, data/fetch_positives
out: models/train_annotator/<recipe> (head.json, roc.csv, precision_recall.csv; of a tuned encoder also encoder/ and embedding.json),
     metrics/train_annotator/<recipe>.json
"""

from pathlib import Path

from snowcoder.annotator.examples import AnnotatorParams, RecipeParams, choose_examples
from snowcoder.annotator.head import write_head
from snowcoder.annotator.head_fitting import fit_head, read_files, read_labels, read_texts, read_vectors
from snowcoder.annotator.held_out_metrics import HEADLINES, judge_head, write_curves
from snowcoder.annotator.tuned_encoder import RunnableEncoder
from snowcoder.embedding.encoder_source import EmbedParams, find_encoder
from snowcoder.pipeline.params import load_item, load_section
from snowcoder.pipeline.stage import Metrics, StageRun, command_line, output_path, run_stage
from snowcoder.storage.shards import list_shards
from snowcoder.tracking.record import track_run

EMBEDDINGS = Path("data/embed_files")
LABELS = Path("data/label_files")
FILES = Path("data/split_files")
POSITIVES = Path("data/fetch_positives")


def main(item: str) -> None:
    shared, recipe = load_item("train_annotator", item, AnnotatorParams, RecipeParams)
    embed = load_section("embed_files", EmbedParams) if shared.encoder == "tuned" else None

    def build(run: StageRun) -> Metrics:
        with track_run(run) as record:
            shards = list_shards(EMBEDDINGS)
            labels, labeller = read_labels(LABELS)
            examples = choose_examples(read_files(shards), labels, shared, recipe)
            vectors = read_vectors(shards, examples)
            head = fit_head(item, recipe, shared.l2, labeller, vectors, examples)
            judgement = judge_head(head, vectors, examples)
            if embed is not None:
                from snowcoder.annotator.tuning import judge_tuned, tune_annotator  # torch: a frozen encoder does without

                texts = read_texts(list_shards(FILES) + list_shards(POSITIVES), examples)
                encoder = RunnableEncoder(embed, find_encoder(embed.encoder))
                tuned = tune_annotator(head, examples, texts, shared, encoder, run.output)
                head, judgement = tuned.head, judge_tuned(tuned, examples, judgement)
            write_head(run.output, head)
            write_curves(run.output, judgement)
            record.log_model(run.output, output_path(run.stage, item))
            metrics = judgement[0]
            record.log({f"annotator/{name}": metrics[name] for name in HEADLINES if name in metrics})
        return metrics

    inputs = [EMBEDDINGS, LABELS, *([FILES, POSITIVES] if embed else [])]
    run_stage("train_annotator", [shared, recipe, *([embed] if embed else [])], inputs, build, item)


if __name__ == "__main__":
    command_line(main)
