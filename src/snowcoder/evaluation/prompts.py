"""How a base model is asked, and what it wrote is made a solution, as each benchmark's own tool does it.

Sources: evalplus 0.3.1 (codegen.py, provider/utility.py, provider/hf.py), evo-eval/evoeval (codegen/), bigcode-project/bigcodebench
(generate.py, provider/utility.py, evaluate.py).

Completion style: the model goes on with signature and docstring (MBPP+: with a docstring of the task and one assertion). The end of the
prompt matters: EvalPlus 0.3.1 ends it in one newline, its earlier versions and the paper's runs in none (the paper saw more than 15 points
of difference on Qwen, arXiv 2409.02326, section 3.1).
"""

from typing import Literal

from snowcoder.benchmarks.problem import Problem
from snowcoder.evaluation.sanitising import sanitise

Mode = Literal["complete", "instruct"]

# EvalPlus' and BigCodeBench's for all models, and those for base models by benchmark
STOP_ALWAYS = ("<|endoftext|>", "<|endofmask|>", "</s>", "\nif __name__", "\ndef main(", "\nprint(")
STOP_OF_FUNCTIONS = ("\ndef ", "\nclass ", "\nimport ", "\nfrom ", "\nassert ")
STOP_OF_EVOEVAL = ("\nclass", "\ndef", "\n#", "\n@", "\nprint", "\nif", "<|endoftext|>", "\n```", "\n</s>", "<|endofmask|>")
STOP_OF_DOCSTRING_PROMPTS = ('\n"""', "\nassert")

INSTRUCTION = "Please provide a self-contained Python script that solves the following problem in a markdown code block:\n"


def model_prompt(problem: Problem, strip_prompt: bool, mode: Mode = "complete") -> str:
    """What the model is given. strip_prompt: end it where its last line ends; else with one newline. mode `instruct`: the task in words.

    Raises ValueError for `instruct` where a benchmark has no instruction.
    """
    end = "" if strip_prompt else "\n"
    if mode == "instruct":
        if not problem.instruction:
            raise ValueError(f"{problem.benchmark}: has no instructions; only bigcodebench has; use the mode complete")
        return f"{INSTRUCTION}{problem.instruction.strip()}{end}"
    return problem.prompt.strip() + end


def stop_strings(benchmark: str) -> tuple[str, ...]:
    """What ends a base model's completion of a problem."""
    if benchmark.startswith("evoeval"):
        return STOP_OF_EVOEVAL
    return STOP_ALWAYS + (STOP_OF_DOCSTRING_PROMPTS if benchmark == "mbpp_plus" else STOP_OF_FUNCTIONS)


def solution_of(problem: Problem, prompt: str, completion: str, mode: Mode = "complete") -> str:
    """The program that is graded."""
    if problem.grader == "program":
        return prompt + completion  # as HumanEval's own tool: its tests also call helpers of the prompt, which sanitising would drop
    written = completion.replace("\t", "    ")
    text = sanitise(written if mode == "instruct" else prompt + written, problem.entry_point)
    if problem.grader == "unittest":
        return calibrated(problem, text)
    return text


def calibrated(problem: Problem, solution: str) -> str:
    """BigCodeBench's solutions follow the imports and the signature of the problem, so that a model need not repeat the imports."""
    return f"{problem.inputs}\n    pass\n{solution}"


def reference_of(problem: Problem) -> str:
    """The program of the benchmark's own solution."""
    return problem.prompt + ("\n" if problem.grader == "unittest" else "") + problem.canonical_solution
