"""Predicts the cost of train_branches: every branch is trained, and measured on all texts, one after the other on one device.

in: the section, the cost of a token in training and of measuring one model, speeds   out: StagePlan
"""

from snowcoder.experiment.branch_params import BranchesParams
from snowcoder.experiment.branches import plan_branches
from snowcoder.planning.pretraining_cost import FLOAT32_BYTES, KEPT_STATES, TOKEN_BYTES, count_parameters
from snowcoder.planning.speeds import Speeds
from snowcoder.planning.stage_plan import StagePlan
from snowcoder.pretraining.model import ModelParams


def plan_branch_stage(params: BranchesParams, shape: ModelParams, token_flops: int, measured_once: StagePlan, speeds: Speeds) -> StagePlan:
    """token_flops: forward and backward. measured_once: bits per byte of one model; the parent is measured too.

    Disk: the packed tokens and checkpoints of one branch, which go when the next begins.
    """
    n_branches = len(plan_branches(params))
    trained = n_branches * params.tokens
    flops = float(trained) * token_flops
    measurings = n_branches + 1
    return StagePlan(
        stage="train_branches",
        tokens=trained + measurings * measured_once.tokens,
        flops=flops + measurings * measured_once.flops,
        hours=flops / speeds.training / 3600 + measurings * measured_once.hours,
        disk_bytes=params.tokens * TOKEN_BYTES + count_parameters(shape) * FLOAT32_BYTES * 3 * KEPT_STATES,
        n_devices=1,
        basis=f"{n_branches} branches of {params.tokens:,} tokens, one after the other on one device, each measured on all texts",
    )
