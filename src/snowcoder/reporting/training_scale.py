"""Sets what the run's training took next to the paper's: tokens per parameter, and arithmetic.

in: results  out: a sentence for the head of the report
"""

from snowcoder.reporting import paper_tables as paper
from snowcoder.reporting.document import number
from snowcoder.reporting.report_params import ladder
from snowcoder.reporting.results import Results

# Forward and backward pass, for each parameter and token (Kaplan et al., arXiv 2001.08361); attention is left out
FLOPS_PER_PARAMETER_AND_TOKEN = 6


def training_flops(n_parameters: int, n_tokens: int) -> float:
    """Floating-point operations of a training."""
    return float(FLOPS_PER_PARAMETER_AND_TOKEN * n_parameters * n_tokens)


def scale_finding(results: Results) -> str:
    """Tokens per parameter of the first phase and FLOPs of the whole ladder, ours and the paper's."""
    n_parameters = results.stages["initialize_model"]("parameters", "total")
    tokens = [results.trained[variant]("tokens") for variant in ladder(results.params)]
    ours, theirs = training_flops(n_parameters, sum(tokens)), training_flops(paper.N_PARAMETERS, sum(paper.PHASE_TOKENS.values()))
    paper_first = next(iter(paper.PHASE_TOKENS.values()))
    return (
        f"Scale: the first phase has {tokens[0] / n_parameters:.2g} tokens per parameter ({number(tokens[0])} for {number(n_parameters)}), "
        f"the paper's {paper_first / paper.N_PARAMETERS:.3g}; the model's own phases took {ours:.1e} FLOPs, the paper's {theirs:.1e}, "
        f"{number(float(f'{theirs / ours:.2g}'))} times as many (6 x parameters x tokens)."
    )
