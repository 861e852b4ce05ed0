"""What a checkpoint holds of model and optimizer, by the parameters' names: the same form for any number of processes.

  {"model": {name: weight}, "optimizer": {name: {"exp_avg", "exp_avg_sq", "step"}}}
Tensors are DTensors where the model is sharded (data_parallel), and stand for the model's own memory, not for a copy. The tied output
embedding is there once. Learning rate and other settings of the optimizer are not state: they come from params.
"""

from typing import Any

import torch
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_state_dict, set_state_dict

from snowcoder.errors import CheckpointError

State = dict[str, dict[str, Any]]


def training_state(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> State:
    """The present state. An optimizer that has made no step yet gets moments of zero."""
    weights, optimizer_state = get_state_dict(model, optimizer)
    names = {name for name, _ in model.named_parameters()}
    moments = optimizer_state["state"]
    assert isinstance(moments, dict)
    return {"model": {name: tensor for name, tensor in weights.items() if name in names}, "optimizer": moments}


def restore_state(model: torch.nn.Module, optimizer: torch.optim.Optimizer, state: State, whole: bool) -> None:
    """Set model and optimizer to `state`. whole: its tensors are whole in every process, though the model may be sharded."""
    check_shapes(model, {name: weight.shape for name, weight in state["model"].items()})
    _, present = get_state_dict(model, optimizer)
    set_state_dict(
        model,
        optimizer,
        model_state_dict=dict(state["model"]),
        optim_state_dict={"state": state["optimizer"], "param_groups": present["param_groups"]},
        options=StateDictOptions(full_state_dict=whole, strict=False),  # not strict: the tied embedding is there once
    )


def check_shapes(model: torch.nn.Module, found: dict[str, torch.Size]) -> None:
    """Raises CheckpointError, naming the first difference, unless `found` are the shapes of the model's parameters."""
    expected = {name: parameter.shape for name, parameter in model.named_parameters()}
    for name in sorted(expected.keys() | found.keys()):
        there, here = (tuple(shapes[name]) if name in shapes else "none" for shapes in (found, expected))
        if there != here:
            raise CheckpointError(f"its checkpoint is of another model: {name} is {there} there and {here} in the model to train")
