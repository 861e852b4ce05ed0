"""What changes speed, memory and place of a training, but not its result: read from the environment, never from params.yaml.

SNOWCODER_SHARDING (of the model over the processes of a launcher; one process has nothing to share)
  none    every process holds the whole model (DDP): the default
  full    weights, gradients and optimizer state are shared out over all processes (FSDP2)
  hybrid  they are shared out over the processes of a node; each node holds all of them
SNOWCODER_ACTIVATION_CHECKPOINTING
  0       backward finds what it needs in memory: the default
  1       backward computes each layer's activations again: less memory, about a third more arithmetic
SNOWCODER_CHECKPOINT_INTERVAL_S (60)
  seconds between checkpoints; 0: one after every step
"""

import math
import os
from typing import Literal, NamedTuple, cast, get_args

from snowcoder.errors import ParameterError

Sharding = Literal["none", "full", "hybrid"]


class RuntimeSettings(NamedTuple):
    """sharding: of the model over the processes of a launcher; activation_checkpointing: recompute activations in backward."""

    sharding: Sharding
    activation_checkpointing: bool


def runtime_settings() -> RuntimeSettings:
    """The settings of this process. Raises ParameterError for a value that is none of those allowed."""
    sharding = _choice("SNOWCODER_SHARDING", get_args(Sharding))
    return RuntimeSettings(cast(Sharding, sharding), _choice("SNOWCODER_ACTIVATION_CHECKPOINTING", ("0", "1")) == "1")


def checkpoint_interval_s() -> float:
    """Seconds between checkpoints. Raises ParameterError for what is no number of seconds."""
    text = os.environ.get("SNOWCODER_CHECKPOINT_INTERVAL_S") or "60"
    try:
        interval_s = float(text)
    except ValueError:
        interval_s = math.nan
    if not interval_s >= 0:  # nor is nan
        raise ParameterError(f"SNOWCODER_CHECKPOINT_INTERVAL_S: found {text!r}; allowed: seconds, 0 or more")
    return interval_s


def _choice(name: str, allowed: tuple[str, ...]) -> str:
    """The variable's value, or the first of those allowed where it is not set."""
    value = os.environ.get(name) or allowed[0]
    if value not in allowed:
        raise ParameterError(f"{name}: found {value!r}; allowed: {', '.join(allowed)}")
    return value
