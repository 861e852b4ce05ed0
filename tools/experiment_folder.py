"""Prepares the folder in which an experiment runs: a clone of the committed state, with a profile merged and DVC's cache shared.

It is `<work>/experiments/<profile>`, so that the user's workspace, with its dvc.lock and results, stays as it is, and can be worked in.
The clone shares Git's objects and DVC's cache with the repository: what the default run has computed is not computed again. It keeps its
own state (`.work`), dvc.lock and metrics, also when it goes on to a later commit, so that only what that commit changes runs again.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from snowcoder.errors import SnowcoderError
from snowcoder.pipeline import environment
from snowcoder.pipeline.params import PARAMS_PATH
from snowcoder.pipeline.stage import work_dir
from snowcoder.reporting.experiment_files import OUTPUTS
from snowcoder.storage.workspace import find_path
from tools.apply_profile import COMMITTED, PROFILES, apply_profile

OF_A_RUN = ("dvc.lock", "metrics", "results")  # tracked by Git, written by runs
CODE = ("src", "stages", "tools", "profiles", "data", "dvc.yaml")
LOCAL_CONFIG = Path(".dvc/config.local")
WORK = Path(".work")  # of the folder, in it


def committed_state() -> str:
    """The commit that is to run. Raises SnowcoderError if the workspace has other code or parameters than it."""
    lines = _git("status", "--porcelain", "--untracked-files=all").splitlines()
    changed = [line for line in lines if _is_of_the_experiment(line[3:], is_new=line.startswith("??"))]
    if changed:
        raise SnowcoderError(
            f"{changed[0][3:]}: found {len(changed)} uncommitted changes; allowed: none in code, data tables and parameters, as the "
            "experiment runs the commit that its page names; commit or stash them"
        )
    return _git("rev-parse", "HEAD")


def prepare_folder(profile: str, commit: str) -> Path:
    """The folder of `profile`, at `commit`. Raises SnowcoderError for a profile that the commit does not have."""
    _check_profile(profile, commit)
    folder = work_dir() / "experiments" / profile
    if not folder.exists():
        _clone(folder)
    if _git("rev-parse", "HEAD", folder=folder) != commit:
        _go_to(folder, commit)
    _git("checkout", "--quiet", commit, "--", str(PARAMS_PATH), folder=folder)
    if profile != COMMITTED:
        apply_profile(folder / PROFILES / f"{profile}.yaml", folder / PARAMS_PATH)
    _share_cache(folder)
    return folder


def run_in(folder: Path, *command: str) -> None:
    """Run a program of the folder's own code. Raises CalledProcessError."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith("DVC_")}
    settings |= {"PYTHONPATH": "src", "SNOWCODER_WORK_DIR": str(WORK), "DVC_NO_ANALYTICS": "1"}
    if benchmarks := environment.text("SNOWCODER_BENCHMARKS_DIR"):
        settings["SNOWCODER_BENCHMARKS_DIR"] = str(find_path(benchmarks).absolute())
    settings["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{settings.get('PATH', '')}"
    subprocess.run(command, check=True, cwd=folder, env=settings)


def _is_of_the_experiment(path: str, is_new: bool) -> bool:
    name = path.strip('"')
    if name in map(str, OUTPUTS) or name.split("/")[0] in OF_A_RUN:
        return False
    return not is_new or name.split("/")[0] in CODE


def _check_profile(profile: str, commit: str) -> None:
    paths = _git("ls-tree", "--name-only", commit, f"{PROFILES}/").splitlines()
    allowed = [COMMITTED, *sorted(Path(path).stem for path in paths if path.endswith(".yaml"))]
    if profile not in allowed:
        raise SnowcoderError(f"PROFILE: found {profile!r}; allowed: {', '.join(allowed)}; a new one must be committed")


def _clone(folder: Path) -> None:
    """Complete under a temporary name, then renamed: a kill leaves nothing that looks like a clone."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    _git("clone", "--quiet", "--shared", "--no-tags", str(Path.cwd()), str(partial))
    partial.rename(folder)


def _go_to(folder: Path, commit: str) -> None:
    """Check out another commit, but keep what the runs of the former one wrote."""
    kept = folder / WORK / "kept"
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    for name in OF_A_RUN:
        _copy(folder / name, kept / name)
    _git("checkout", "--quiet", "--force", "--detach", commit, folder=folder)
    for name in OF_A_RUN:
        _copy(kept / name, folder / name)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    elif source.exists():
        shutil.copy(source, target)


def _share_cache(folder: Path) -> None:
    """The cache of the repository, and the settings of DVC that are local to it (such as the type of links)."""
    if LOCAL_CONFIG.exists():
        shutil.copy(LOCAL_CONFIG, folder / LOCAL_CONFIG)
    cache = subprocess.run(["dvc", "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()
    subprocess.run(["dvc", "config", "--quiet", "--local", "cache.dir", cache], check=True, cwd=folder)


def _git(*arguments: str, folder: Path = Path()) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SnowcoderError(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.rstrip()
