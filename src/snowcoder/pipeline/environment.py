"""Reads the environment variables of the project: all of them are in one table, with default and allowed values.

in: os.environ   out: values checked against VARIABLES

They say where and how fast a stage works, never what it computes. An empty value counts as not set, except for SNOWCODER_TORCH_INDEX, which
tools/make_environment.sh reads.
`python -m snowcoder.pipeline.environment` prints the table of docs/environment.md, which `make help` prints in turn.
"""

import math
import os
from dataclasses import dataclass

from snowcoder.errors import ParameterError


@dataclass(frozen=True)
class Variable:
    """default: the value that counts where none is set, "" for none; described: how documents name a default that a machine decides.

    allowed: the possible values; empty for free text. is_secret: it may hold a password, and leaves this machine for no other.
    """

    default: str
    means: str
    allowed: tuple[str, ...] = ()
    described: str = ""
    is_secret: bool = False


VARIABLES = {
    "SNOWCODER_WORK_DIR": Variable(
        ".work", "state, checkpoints, downloads, answers, records; shared by `--temp` and `--queue`", described="`.work` in the repository"
    ),
    "SNOWCODER_WORKERS": Variable("", "worker processes of a stage", described="all processors"),
    "SNOWCODER_EXECUTOR": Variable("", "how workers run: `serial`, `processes`, `ray`", ("serial", "processes", "ray"), "`processes`"),
    "SNOWCODER_DEVICE": Variable("auto", "where models run: `auto` (a GPU if there is one), `cpu`, `cuda`", ("auto", "cpu", "cuda")),
    "SNOWCODER_TORCH_INDEX": Variable(
        "", "where `make setup` finds torch without an NVIDIA driver; empty: the package index", described="PyTorch's CPU index"
    ),
    "SNOWCODER_BENCHMARKS_DIR": Variable("", "a folder of benchmark files, searched before the network"),
    "SNOWCODER_BENCHMARK_PACKAGES": Variable("", "distributions that BigCodeBench's programs may import: `numpy,pandas`"),
    "SNOWCODER_UNSAFE_NO_SANDBOX": Variable("0", "`1` runs untrusted programs without isolation", ("0", "1")),
    "SNOWCODER_SHARDING": Variable(
        "none", "how a launcher's processes share the model: `none`, `full`, `hybrid`", ("none", "full", "hybrid")
    ),
    "SNOWCODER_ACTIVATION_CHECKPOINTING": Variable("0", "`1` computes activations again in the backward pass: less memory", ("0", "1")),
    "SNOWCODER_CHECKPOINT_INTERVAL_S": Variable("60", "seconds between checkpoints; `0`: after every step"),
    "SNOWCODER_TRACKING": Variable("mlflow", "`mlflow`, `local` (no mirror), `off`", ("mlflow", "local", "off")),
    "SNOWCODER_TRACKING_STRICT": Variable("0", "`1` raises a fault of tracking at once", ("0", "1")),
    "SNOWCODER_TENSOR_PARALLEL": Variable("1", "GPUs that share a model of vLLM"),
    "SNOWCODER_ENDPOINT_URL": Variable("http://127.0.0.1:8000/v1", "the server of `engine: {kind: openai}`", is_secret=True),
    "SNOWCODER_ENDPOINT_KEY": Variable("", "its key", is_secret=True),
    "SNOWCODER_ENDPOINT_CONCURRENCY": Variable("64", "requests at a time"),
    "SNOWCODER_ENDPOINT_TIMEOUT_S": Variable("600", "seconds that a request may take"),
    "SNOWCODER_ENDPOINT_ATTEMPTS": Variable("8", "attempts of a request"),
}

# the largest of each: beyond it is a digit too many
COUNTS = {
    "SNOWCODER_WORKERS": 4_096,
    "SNOWCODER_TENSOR_PARALLEL": 1_024,
    "SNOWCODER_ENDPOINT_CONCURRENCY": 65_536,
    "SNOWCODER_ENDPOINT_TIMEOUT_S": 604_800,
    "SNOWCODER_ENDPOINT_ATTEMPTS": 1_000,
}
SECONDS = ("SNOWCODER_CHECKPOINT_INTERVAL_S",)
MAX_DIGITS = 18
MAX_SHOWN_CHARACTERS = 80


def text(name: str, default: str | None = None) -> str:
    """The value of a variable of the table, or its default; `default` where the machine decides that.

    Raises ParameterError for a value that is not allowed.
    """
    variable = VARIABLES[name]
    value = os.environ.get(name) or (variable.default if default is None else default)
    if variable.allowed and value not in variable.allowed:
        raise _fault(name, value, ", ".join(variable.allowed))
    return value


def flag(name: str) -> bool:
    """Whether a variable of `0` and `1` is `1`. Raises ParameterError for another value."""
    return text(name) == "1"


def positive_int(name: str, default: int | None = None) -> int:
    """A whole number from 1 to the largest of COUNTS. Raises ParameterError for another value."""
    value, largest = text(name, None if default is None else str(default)), COUNTS[name]
    is_short = len(value) <= MAX_DIGITS  # Python refuses to read thousands of them
    if not (value.isascii() and value.isdigit() and is_short) or not 1 <= int(value) <= largest:
        raise _fault(name, value, f"a whole number from 1 to {largest}")
    return int(value)


def seconds(name: str) -> float:
    """A finite number of seconds, 0 or more. Raises ParameterError for another value."""
    value = text(name)
    try:
        found = float(value)
    except ValueError:
        found = float("nan")
    if not (math.isfinite(found) and found >= 0):
        raise _fault(name, value, "seconds, 0 or more")
    return found


def faults() -> list[str]:
    """A line for each variable whose value is not allowed."""
    found = []
    for name in VARIABLES:
        try:
            if os.environ.get(name):
                (positive_int if name in COUNTS else seconds if name in SECONDS else text)(name)
        except ParameterError as error:
            found.append(str(error))
    return found


def table() -> str:
    """The variables as rows of a Markdown table."""
    rows = [
        f"| `{name}` | {variable.described or (f'`{variable.default}`' if variable.default else 'not set')} | {variable.means} |"
        for name, variable in VARIABLES.items()
    ]
    return "\n".join(["| variable | default | means |", "|---|---|---|", *rows])


def _fault(name: str, found: str, allowed: str) -> ParameterError:
    shown = repr(found) if len(found) <= MAX_SHOWN_CHARACTERS else f"{found[:MAX_SHOWN_CHARACTERS]!r}…"
    return ParameterError(f"environment: {name}: found {shown}; allowed: {allowed}")


if __name__ == "__main__":
    print(table())
