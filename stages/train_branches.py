"""train_branches: trains every arm, draw and learning rate of a comparison from one model, and measures each branch on every text.

in: models/pretrain/<variant> (train_branches.parent) and the packed tokens of it and its ancestors, data/score_baselines,
    data/score_files/<recipe>, data/tokenize_files, data/fetch_benchmarks, data/split_files, data/fetch_unseen
out: data/train_branches (rows of BRANCH_SCHEMA, a shard per branch; selections/: the files of every arm and draw),
     metrics/train_branches.json: {branches, tokens, arms: {arm: {draws, unique_tokens, files, repositories, …}}}
"""

from functools import reduce
from operator import add
from pathlib import Path

from snowcoder.benchmarks.problem import read_problems
from snowcoder.evaluation.measuring.bits_per_byte_params import MeasureBitsPerByteParams
from snowcoder.evaluation.measuring.text_sets import read_held_out, read_unseen, text_sets
from snowcoder.evaluation.variants import load_variant
from snowcoder.experiment.branch_measuring import BranchMeasuring, count_phase
from snowcoder.experiment.branch_params import BranchesParams
from snowcoder.experiment.branch_rows import CHOICE_SCHEMA
from snowcoder.experiment.branch_run import BranchRun, ChoicePacking
from snowcoder.experiment.branch_training import BranchTrainer
from snowcoder.experiment.branches import plan_branches
from snowcoder.experiment.choices import choice_rows, choose_all, describe_arms
from snowcoder.pipeline.execution import worker_count
from snowcoder.pipeline.params import item_names, load_items, load_section
from snowcoder.pipeline.stage import Metrics, StageRun, command_line, run_stage
from snowcoder.pretraining.trained_sequences import lineage
from snowcoder.pretraining.training_params import TrainingParams, VariantParams
from snowcoder.selection.arm_files import read_arm_files
from snowcoder.storage.shards import write_table
from snowcoder.tokenization.catalogue import read_catalogue
from snowcoder.tokenization.packing import PackingParams
from snowcoder.tokenization.tokenizer import token_byte_lengths
from snowcoder.tracking.record import track_run

BASELINES, SCORES, TOKENS = Path("data/score_baselines"), Path("data/score_files"), Path("data/tokenize_files")
PACKED = Path("data/pack_tokens")
PROBLEMS, FILES, UNSEEN = Path("data/fetch_benchmarks"), Path("data/split_files"), Path("data/fetch_unseen")


def main() -> None:
    params = load_section("train_branches", BranchesParams)
    packing = load_section("pack_tokens", PackingParams)
    measuring = load_section("measure_bits_per_byte", MeasureBitsPerByteParams)
    shared, variants = load_section("pretrain.shared", TrainingParams), load_items("pretrain", VariantParams)
    parent = Path(params.parent)
    phases = {PACKED / name: variants[name] for name in lineage(parent.name, variants)}  # that made the parent, by their tokens
    recipes = [recipe for recipe in item_names("train_annotator") if recipe in {arm.by for arm in params.arms.values()}]

    def build(run: StageRun) -> Metrics:
        plan = plan_branches(params)
        choices = choose_all(plan, params, read_arm_files(params.arms.values(), recipes, BASELINES, SCORES, TOKENS))
        loaded = load_variant(parent, measuring.precision, measuring.cpu_threads)
        sets = text_sets(read_problems(PROBLEMS), read_held_out(FILES), read_unseen(UNSEEN), measuring)
        branches = BranchRun(
            params=params,
            choices=choices,
            packing=ChoicePacking(read_catalogue(TOKENS, TOKENS), token_byte_lengths(loaded.tokenizer), packing),
            trainer=BranchTrainer(parent, shared),
            measuring=BranchMeasuring(loaded, sets, measuring, worker_count()),
            parent_counts=reduce(add, [count_phase(packed, phase, loaded.config.vocab_size) for packed, phase in phases.items()]),
        )
        with track_run(run) as record:
            branches.run(plan, run.output, run.state / "branches", record.log)
        write_table(run.output / "selections", choice_rows(choices), CHOICE_SCHEMA)
        return {"branches": len(plan), "tokens": len(plan) * params.tokens, "arms": describe_arms(choices, params)}

    inputs = [parent, *phases, BASELINES, *(SCORES / recipe for recipe in recipes), TOKENS, PROBLEMS, FILES, UNSEEN]
    run_stage("train_branches", [params, shared, *phases.values(), packing, measuring], inputs, build)


if __name__ == "__main__":
    command_line(main)
