"""Studies whether selection helps: runs the arms as DVC experiments and writes results/annotators.md: `make study`.

Two one-way sweeps, five rules at 4 repeats and HQINS at 1, 2, 4 and 5, at an equal token horizon, from the same general checkpoint with the
same schedule; three seeds each, which decide ties of the selection (and all of the random one) and the order of continued pretraining.
An arm is `dvc exp run --temp --name annotators-<arm>-seed<seed> -S … <targets>`: stages that an earlier arm has run come from DVC's cache.
Finished arms are not run again as long as HEAD is the same. Seed 1 of all arms comes first. Nothing is chosen on the benchmarks.

Needs SNOWCODER_BENCHMARKS_DIR with MbppPlus.jsonl.gz (or the network), since the corpus is screened against both benchmarks.
"""

import argparse
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from snowcoder.errors import SnowcoderError
from snowcoder.inference.engines.engine_params import model_identity
from snowcoder.labels.labelling import LabelParams
from snowcoder.pipeline.console import say
from snowcoder.pipeline.params import load_section
from snowcoder.pipeline.stage import run_tool, work_dir
from snowcoder.reporting.annotator_study import CONTROL, Run, read_run, study_page

PAGE = Path("results/annotators.md")
SEEDS = (1, 2, 3)


@dataclass(frozen=True)
class Arm:
    """recipe: None for the random control, which is a separate item of the graph."""

    recipe: str | None
    repeats: int

    @property
    def title(self) -> str:
        """As in the page."""
        return f"{self.recipe or 'random'}, {self.repeats} repeat{'s' if self.repeats > 1 else ''}"

    @property
    def variant(self) -> str:
        """Item of pack_tokens, pretrain and the stages after it."""
        return "continued" if self.recipe else "continued_random"

    @property
    def rule(self) -> str:
        """Item of select_files."""
        return "selected" if self.recipe else "random"

    @property
    def name(self) -> str:
        """Short, without blanks."""
        return f"{self.recipe or 'random'}-{self.repeats}"

    def experiment(self, seed: int) -> str:
        """Its name in DVC."""
        return f"annotators-{self.name}-seed{seed}"

    def overrides(self, seed: int) -> list[str]:
        """Values of params.yaml that make this arm."""
        selection = {"repeats": str(self.repeats), "seed": str(seed)} | ({"recipe": self.recipe} if self.recipe else {})
        values = [f"select_files.shared.{name}={value}" for name, value in selection.items()]
        return [*values, f"pretrain.variants.{self.variant}.seed={seed}"]


ARMS = [Arm(recipe, 4) for recipe in (None, "EDU", "INS", "HQ", "HQINS")] + [Arm("HQINS", repeats) for repeats in (1, 2, 5)]
# the corpus is screened against both, and models are measured on both
BENCHMARK_NAMES = "fetch_benchmarks.names=[humaneval,mbpp_plus]"
START = "annotators-start"
START_TARGETS = ["measure_bits_per_byte@general", "execute_completions@general", "select_files@random", "select_files@selected"]


def main() -> None:
    """Run what is missing, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    names = [arm.name for arm in ARMS]
    parser.add_argument("--arms", nargs="+", choices=names, default=names)
    parser.add_argument("--only-next", action="store_true", help="run one missing experiment, then write the page")
    parser.add_argument("--page-only", action="store_true", help="run nothing")
    arguments = parser.parse_args()
    try:
        _study(arguments)
    except (SnowcoderError, subprocess.CalledProcessError) as error:
        sys.exit(f"error: {type(error).__name__}: {error}")


def _study(arguments: argparse.Namespace) -> None:
    head = _git("rev-parse", "HEAD")
    _refuse_changes()
    arms = [arm for arm in ARMS if arm.name in arguments.arms]
    waiting: list[tuple[str, list[str], list[str]]] = [(START, [], START_TARGETS)]
    for seed in arguments.seeds:
        for arm in arms:
            targets = [f"measure_bits_per_byte@{arm.variant}", f"execute_completions@{arm.variant}"]
            waiting.append((arm.experiment(seed), arm.overrides(seed), targets))
    waiting = [one for one in waiting if not _revision(head, one[0])]
    chosen = [] if arguments.page_only else waiting[: 1 if arguments.only_next else None]
    for number, (name, overrides, targets) in enumerate(chosen, 1):
        say(f"{name}: {' '.join(overrides)} ({number} of {len(chosen)})")
        _experiment(name, overrides, targets)
    _write_page(head, arms, arguments.seeds)


def _experiment(name: str, overrides: list[str], targets: list[str]) -> None:
    """One experiment, in its own folder, so that the workspace stays unchanged."""
    values = [part for value in [BENCHMARK_NAMES, *overrides] for part in ("-S", value)]
    subprocess.run(
        ["dvc", "exp", "run", "--temp", "--name", name, *values, *targets], check=True, env=os.environ | {"DVC_NO_ANALYTICS": "1"}
    )


def _write_page(head: str, arms: list[Arm], seeds: list[int]) -> None:
    start = _revision(head, START)
    if not start:
        raise SnowcoderError(f"no experiment {START} at {head[:8]}: run `make study`")
    found: dict[str, dict[int, Run]] = {}
    missing = []
    for arm in arms:
        for seed in seeds:
            revision = _revision(head, arm.experiment(seed))
            if revision:
                found.setdefault(arm.title, {})[seed] = _fetch(revision, arm.experiment(seed), arm.variant, arm.rule)
            else:
                missing.append(f"{arm.title} seed {seed}")
    how = [
        f"Arms: {'; '.join(arm.title for arm in arms)}. Seeds {', '.join(map(str, seeds))} of selection and continued pretraining, all at "
        f"commit {head[:10]}; one general checkpoint, one schedule, one token horizon (params.yaml). "
        "The corpus is screened against HumanEval and MBPP+. Labels of EDU "
        f"and of INS' educational files: {_labeller()}. "
        f"The control is {CONTROL}: each seed draws other files. Nothing was chosen on the benchmarks."
    ]
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(study_page(found, _fetch(start, START, "general", "random"), "make study", how, missing))
    say(f"{PAGE}: {sum(map(len, found.values()))} runs, {len(missing)} missing")


def _labeller() -> str:
    judge = load_section("label_files", LabelParams).judge
    return "by a written rubric, not an LLM" if judge is None else f"by {model_identity(judge.engine)}"


def _fetch(revision: str, name: str, variant: str, rule: str) -> Run:
    """The outputs of an experiment, copied out of DVC's cache once."""
    folder = work_dir() / "annotators" / f"{name}-{revision[:10]}"
    wanted = [f"data/measure_bits_per_byte/{variant}", f"data/execute_completions/{variant}"]
    wanted += [f"metrics/select_files/{rule}.json", f"metrics/pretrain/{variant}.json"]
    if not (folder / "complete").exists():
        from dvc.api import DVCFileSystem

        files = DVCFileSystem(str(Path.cwd()), rev=revision)
        for path in wanted:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            files.get(path, str(folder / path), recursive=not path.endswith(".json"))
        (folder / "complete").touch()
    return read_run(folder, variant, rule)


def _revision(head: str, name: str) -> str:
    """The commit of an experiment of this HEAD; '' if there is none. (DVC keeps it under refs/exps/<HEAD>/<name>.)"""
    ref = f"refs/exps/{head[:2]}/{head[2:]}/{name}"
    return subprocess.run(["git", "rev-parse", "--verify", "--quiet", ref], capture_output=True, text=True, check=False).stdout.strip()


def _refuse_changes() -> None:
    """Experiments include uncommitted changes: the arms would not all run the same state."""
    changed = [line for line in _git("status", "--porcelain", "--untracked-files=no").splitlines() if not line.endswith(str(PAGE))]
    if changed:
        raise SnowcoderError(
            f"uncommitted changes in {len(changed)} files ({changed[0].strip()}); commit or stash them: all arms must run the same commit"
        )


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    run_tool(main)
