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

from typing import Literal, NamedTuple, cast

from snowcoder.pipeline import environment

Sharding = Literal["none", "full", "hybrid"]


class RuntimeSettings(NamedTuple):
    """sharding: of the model over the processes of a launcher; activation_checkpointing: recompute activations in backward."""

    sharding: Sharding
    activation_checkpointing: bool


def runtime_settings() -> RuntimeSettings:
    """The settings of this process. Raises ParameterError for a value that is not allowed."""
    sharding = cast(Sharding, environment.text("SNOWCODER_SHARDING"))
    return RuntimeSettings(sharding, environment.flag("SNOWCODER_ACTIVATION_CHECKPOINTING"))


def checkpoint_interval_s() -> float:
    """Seconds between checkpoints. Raises ParameterError for what is no number of seconds."""
    return environment.seconds("SNOWCODER_CHECKPOINT_INTERVAL_S")
