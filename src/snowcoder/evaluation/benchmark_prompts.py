"""Builds a model's prompt and turns its completion into a solution, as each benchmark's own tool does.

in: a problem, the mode   out: the prompt exactly as the model is given it; of its completion, the program that is graded

Sources: evalplus 0.3.1 (codegen.py, provider/utility.py, provider/hf.py), evo-eval/evoeval (codegen/), bigcode-project/bigcodebench
(generate.py, provider/utility.py, evaluate.py).

base: the model continues signature and docstring (MBPP+: with a docstring of the task and one assertion). The end of the prompt matters:
EvalPlus 0.3.1 ends it in one newline, its earlier versions and the paper's runs in none (the paper saw more than 15 points of difference
on Qwen, arXiv 2409.02326, section 3.1).

chat: an instruction-tuned model is prompted through its own chat template, in EvalPlus' words, which BigCodeBench uses too; the answer is
started for it, up to the opening of a code block, and ends where that block closes. The answer is a whole program. BigCodeBench has two
wordings of a task (split): `complete` shows the signature and docstring, `instruct` states the task in words.
"""

from dataclasses import dataclass
from typing import Any, Literal

from snowcoder.benchmarks.problem import Problem
from snowcoder.errors import ParameterError
from snowcoder.evaluation.sanitising import sanitise
from snowcoder.inference.engine import Chat
from snowcoder.inference.local.chat_template import ChatTemplate

Mode = Literal["base", "chat"]
Split = Literal["complete", "instruct"]

# EvalPlus' and BigCodeBench's for all models, and those for base models by benchmark
STOP_ALWAYS = ("<|endoftext|>", "<|endofmask|>", "</s>", "\nif __name__", "\ndef main(", "\nprint(")
STOP_OF_FUNCTIONS = ("\ndef ", "\nclass ", "\nimport ", "\nfrom ", "\nassert ")
STOP_OF_EVOEVAL = ("\nclass", "\ndef", "\n#", "\n@", "\nprint", "\nif", "<|endoftext|>", "\n```", "\n</s>", "<|endofmask|>")
STOP_OF_DOCSTRING_PROMPTS = ('\n"""', "\nassert")
STOP_OF_CHAT = (*STOP_ALWAYS, "\n```\n")

WORDING = "evalplus 0.3.1"
INSTRUCTION = "Please provide a self-contained Python script that solves the following problem in a markdown code block:"
RESPONSE = "Below is a Python script with a self-contained function that solves the problem and passes corresponding tests:"


@dataclass(frozen=True)
class Asking:
    """How one model is prompted. strip_prompt: in mode base; split: in mode chat. template: the model's own, None without one."""

    mode: Mode = "base"
    strip_prompt: bool = False
    split: Split = "complete"
    template: ChatTemplate | None = None

    def prompt(self, problem: Problem) -> str:
        """The model's input without its start token. Raises ParameterError for a split that the benchmark does not have,
        CheckpointError for a template that fails.
        """
        if self.mode == "base":
            return base_prompt(problem, self.strip_prompt)
        if self.template is None:
            raise ValueError("Asking.prompt: mode chat without a template")
        return self.template.render(Chat("", chat_message(problem, self.split)), f"{RESPONSE}\n```python\n")

    def stop(self, benchmark: str) -> tuple[str, ...]:
        """The strings that end a completion."""
        return STOP_OF_CHAT if self.mode == "chat" else stop_strings(benchmark)

    def described(self) -> dict[str, Any]:
        """As results record it: what distinguishes two ways of asking the same model, and which template the model has."""
        used = "none" if self.template is None else "used" if self.mode == "chat" else "not used"
        template = {"chat_template": used, "chat_template_sha256": self.template.sha256 if self.template else None}
        if self.mode == "base":
            return {"mode": self.mode, **template, "wording": "the problem's own text"}
        return {"mode": self.mode, **template, "wording": WORDING, "instruction": INSTRUCTION, "response": RESPONSE}


def base_prompt(problem: Problem, strip_prompt: bool) -> str:
    """What a base model continues. strip_prompt: end it where its last line ends; else with one newline."""
    return problem.prompt.strip() + ("" if strip_prompt else "\n")


def chat_message(problem: Problem, split: Split) -> str:
    """What the user says to a chat model. Raises ParameterError for `instruct` where a benchmark has no instruction."""
    if split == "complete":
        return f"{INSTRUCTION}\n```\n{problem.prompt.strip()}\n```\n"
    if not problem.instruction:
        raise ParameterError(
            f"split: found instruct, which {problem.benchmark} does not have (only bigcodebench has it); allowed: complete"
        )
    return f"{INSTRUCTION}\n{problem.instruction.strip()}\n"


def stop_strings(benchmark: str) -> tuple[str, ...]:
    """What ends a base model's completion of a problem."""
    if benchmark.startswith("evoeval"):
        return STOP_OF_EVOEVAL
    return STOP_ALWAYS + (STOP_OF_DOCSTRING_PROMPTS if benchmark == "mbpp_plus" else STOP_OF_FUNCTIONS)


def solution_of(problem: Problem, prompt: str, completion: str, mode: Mode = "base") -> str:
    """The program that is graded. A chat model's answer is a whole program, which replaces the problem's signature."""
    if mode == "base" and problem.grader == "program":
        return prompt + completion  # as HumanEval's own tool: its tests also call helpers of the prompt, which sanitising would drop
    written = completion.replace("\t", "    ")
    text = sanitise(written if mode == "chat" else prompt + written, problem.entry_point)
    if problem.grader == "program":
        return f"{problem.prompt.rstrip()}\n\n\n{text}\n"  # the prompt for its helpers: the answer defines the function once more
    if problem.grader == "unittest":
        return calibrated(problem, text)
    return text


def calibrated(problem: Problem, solution: str) -> str:
    """BigCodeBench's solutions follow the imports and the signature of the problem, so that a model need not repeat the imports."""
    return f"{problem.inputs}\n    pass\n{solution}"


def reference_of(problem: Problem) -> str:
    """The program of the benchmark's own solution."""
    return problem.prompt + ("\n" if problem.grader == "unittest" else "") + problem.canonical_solution
