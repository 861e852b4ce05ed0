"""Compares ways of choosing data, from one command: `make experiment [PROFILE=small] [ARGS=--power]`.

    python -m tools.experiment [--profile small] [--power]

It runs the committed state with the profile merged, in a folder of its own (tools/experiment_folder.py), up to the stage train_branches;
before that it prints the plan, and which differences the planned trainings will be able to see. Then it writes results/experiment.{md,html,
png,csv} and metrics/experiment.json. Stopped at any moment, the same command resumes at the training it had reached; with everything done
it writes the page alone. --power: print what could be seen, and run nothing.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from snowcoder.errors import SnowcoderError
from snowcoder.experiment.analysis import analyse
from snowcoder.experiment.branch_params import BranchesParams
from snowcoder.experiment.branch_table import BRANCH_TABLE, read_branches
from snowcoder.experiment.branches import plan_branches
from snowcoder.experiment.power import planned_claims, read_pilot
from snowcoder.pipeline.console import say
from snowcoder.pipeline.params import PARAMS_PATH, load_items, load_section
from snowcoder.pipeline.stage import run_tool
from snowcoder.pretraining.trained_sequences import lineage
from snowcoder.pretraining.training_params import VariantParams
from snowcoder.reporting.document import Table, number
from snowcoder.reporting.experiment_files import NAME, RESULTS, write_experiment
from snowcoder.reporting.experiment_page import RunFacts
from snowcoder.reporting.experiment_tables import plan_table, planned_arm_table
from snowcoder.reporting.experiment_words import experiment_findings
from snowcoder.reporting.terminal import open_console, print_table
from snowcoder.storage.metrics import read_metrics
from tools.apply_profile import COMMITTED, PROFILES, merged
from tools.dvc_state import keep, repair
from tools.experiment_folder import WORK, committed_state, prepare_folder, run_in

STAGE = "train_branches"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", default="small", help=f"an overlay of {PROFILES}/, or {COMMITTED}: params.yaml as committed")
    parser.add_argument("--power", action="store_true", help="print which differences the planned trainings can see, and run nothing")
    chosen = parser.parse_args()
    console = open_console()
    if chosen.power:
        print_power(console, read_profile(chosen.profile))
        return
    commit = committed_state()
    folder = prepare_folder(chosen.profile, commit)
    run_in(folder, sys.executable, "-m", "tools.plan", *([] if chosen.profile == COMMITTED else ["--profile", chosen.profile]))
    print_power(console, load_section(STAGE, BranchesParams, folder / PARAMS_PATH))
    say(f"{STAGE}: runs in {folder}; after an interruption the same command resumes")
    run_stage_in(folder)
    write_page(console, folder, chosen.profile, commit)


def read_profile(profile: str) -> BranchesParams:
    """The section of params.yaml with the profile merged. Raises ParameterError for a refused value."""
    if profile == COMMITTED:
        return load_section(STAGE, BranchesParams)
    path = PROFILES / f"{profile}.yaml"
    if not path.exists():
        names = ", ".join([COMMITTED, *sorted(other.stem for other in PROFILES.glob("*.yaml"))])
        raise SnowcoderError(f"PROFILE: found {profile!r}; allowed: {names}")
    with tempfile.TemporaryDirectory() as folder:
        params = Path(folder) / PARAMS_PATH
        params.write_text(merged(path, PARAMS_PATH))
        return load_section(STAGE, BranchesParams, params)


def print_power(console: Console, params: BranchesParams) -> None:
    """The planned trainings, and the smallest difference that each claim would be found at."""
    n_branches = len(plan_branches(params))
    print_table(console, f"{n_branches} trainings of {number(params.tokens)} tokens from {params.parent}", planned_arm_table(params))
    print_table(console, "What they will be able to see (bits per byte)", _power_table(params))


def _power_table(params: BranchesParams) -> Table:
    rows = []
    for one in planned_claims(params, read_pilot()):
        detectable = "none: no training to spare" if one.detectable is None else f"{one.detectable:.4f}"
        rows.append([f"{one.better} better than {one.worse}", str(min(one.draws)), f"{one.standard_error:.4f}", detectable])
    return plan_table(rows)


def run_stage_in(folder: Path) -> None:
    """Everything up to the trainings. Raises SnowcoderError if that ends early; the stage has said why."""
    repair(folder, folder / WORK)
    try:
        run_in(folder, "dvc", "repro", STAGE)
    except subprocess.CalledProcessError as error:
        raise SnowcoderError(
            f"dvc repro {STAGE}, in {folder}: ended with exit code {error.returncode}; run the same command again"
        ) from error
    keep(folder, folder / WORK)


def write_page(console: Console, folder: Path, profile: str, commit: str) -> None:
    """The page of what `folder` holds, into the workspace."""
    params = load_section(STAGE, BranchesParams, folder / PARAMS_PATH)
    branches = read_branches(folder / BRANCH_TABLE)
    analysis = analyse(branches, params)
    write_experiment(analysis, branches, run_facts(folder, params, profile, commit))
    for finding in experiment_findings(analysis):
        console.print(f"- {finding}")
    console.print(f"\n{RESULTS}/{NAME}.html has figures and tables")


def run_facts(folder: Path, params: BranchesParams, profile: str, commit: str) -> RunFacts:
    """What the page says of the run."""
    variants = load_items("pretrain", VariantParams, folder / PARAMS_PATH)
    tokens = sum(variants[name].tokens for name in lineage(Path(params.parent).name, variants))
    n_parameters = read_metrics(folder / "metrics/initialize_model.json")["parameters"]["total"]
    return RunFacts(f"make experiment PROFILE={profile}", profile, commit, n_parameters, tokens)


if __name__ == "__main__":
    run_tool(main)
