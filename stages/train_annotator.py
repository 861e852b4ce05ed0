"""train_annotator: trains, for each fold of the corpus' repositories, a linear head on one recipe's positives and random negatives of the
other folds, and judges the recipe on repositories that its heads have not seen; on frozen embeddings, or, with
train_annotator.shared.encoder: tuned, with an encoder for each fold whose weights the examples change too.

in: data/embed_files, data/label_files; for a tuned encoder also data/split_files, data/fetch_positives
out: models/train_annotator/<recipe> (folds.json, roc.csv, precision_recall.csv; of each fold fold_<number>/head.json, and of a tuned
     encoder also encoder/ and embedding.json there), metrics/train_annotator/<recipe>.json
"""

from pathlib import Path

from snowcoder.annotator.cross_fitting import ExampleVectors, cross_fitted_scores, fit_heads, plan_cross_fit
from snowcoder.annotator.examples import AnnotatorParams, RecipeParams
from snowcoder.annotator.folds import fold_folder, write_folds
from snowcoder.annotator.head import write_head
from snowcoder.annotator.head_fitting import read_files, read_labels, read_texts
from snowcoder.annotator.held_out_metrics import HEADLINES, judge_scores, write_curves
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
            plan = plan_cross_fit(read_files(shards), labels, shared, recipe)
            vectors = ExampleVectors(shards, plan)
            heads = fit_heads(item, recipe, shared.l2, labeller, plan, vectors)
            scoring = heads.scoring
            judgement = judge_scores(heads.judging[0], cross_fitted_scores(heads, plan, vectors), plan)
            if embed is not None:
                from snowcoder.annotator.tuning import judge_tuned, tune_folds  # torch: a frozen encoder does without

                texts = read_texts(list_shards(FILES) + list_shards(POSITIVES), plan.every_example)
                encoder = RunnableEncoder(embed, find_encoder(embed.encoder))
                tuned, judged = tune_folds(heads, plan, texts, shared, encoder, run.output)
                scoring, judgement = [one.head for one in tuned], judge_tuned(judged, plan, judgement)
            write_folds(run.output, plan.folds)
            for fold, head in enumerate(scoring):
                write_head(fold_folder(run.output, fold), head)
            write_curves(run.output, judgement)
            record.log_model(run.output, output_path(run.stage, item))
            metrics = judgement[0]
            record.log({f"annotator/{name}": metrics[name] for name in HEADLINES if name in metrics})
        return metrics

    inputs = [EMBEDDINGS, LABELS, *([FILES, POSITIVES] if embed else [])]
    run_stage("train_annotator", [shared, recipe, *([embed] if embed else [])], inputs, build, item)


if __name__ == "__main__":
    command_line(main)
