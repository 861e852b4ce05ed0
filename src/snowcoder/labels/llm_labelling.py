"""Labels files 0-5 with an instruction-tuned LLM, as the paper's recipe EDU does (Arctic-SnowCoder, section 3.4 and Table 4).

in: SourceFile rows of the sample, an engine  out: rows of labelling.LABEL_SCHEMA; how many answers were refused, and why

The prompt is our own; its scale adds up like FineWeb-Edu's (Penedo et al. 2024), with code in mind. The answer must be one JSON object with
a whole `score` from 0 to 5. Whatever is not is refused and counted: a file with a refused answer gets no label, never a default. Greedy, so
that the same file gets the same label; the response store behind the engine asks for no file twice, in this run or another.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import Field

from snowcoder.errors import EngineError
from snowcoder.inference.engine import Chat, Completion, Sampling
from snowcoder.inference.engines.engine_params import EngineParams, model_identity, open_engine
from snowcoder.inference.engines.response_store import ResponseStore, StoredEngine
from snowcoder.pipeline.params import ParamsModel

PROMPT_VERSION = "educational-1"
MIN_LABEL, MAX_LABEL = 0, 5
SYSTEM = "You grade source code by how much a student of programming can learn from reading it. You answer with JSON alone."
TASK = """Grade this {language} file from 0 to 5. Start at 0 and add one point for each statement that holds:
- It is readable source code: not generated, not data, not configuration alone.
- It has a clear purpose that a student meets in courses or exercises: an algorithm, a data structure, a calculation, text or file handling.
- A reader can follow it without other files of its project.
- Names, comments or documentation explain what it does and why.
- It is good style, correct as far as can be seen, and complete enough to be used as teaching material.

<file>
{content}
</file>

Answer with one JSON object: {{"reason": "<at most 30 words>", "score": <0 to 5>}}"""


class JudgeParams(ParamsModel):
    """Who labels, and how its answers are taken."""

    engine: EngineParams
    """The model."""
    max_characters: int = Field(gt=0)
    """Characters of a file that the model sees, from its start."""
    max_new_tokens: int = Field(gt=0)
    """Tokens of an answer, at most."""
    max_refused_fraction: float = Field(ge=0, le=1)
    """Share of answers that are no label from which the stage ends with an error."""


@dataclass
class Judgements:
    """labels: file_id -> label. refused: reason -> answers. asked, reused: requests that went to the model, and that the store held."""

    labels: dict[str, float] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    asked: int = 0
    reused: int = 0


def judge_files(files: Sequence[dict[str, Any]], params: JudgeParams, store: Path) -> Judgements:
    """Labels of `files` (file_id, language, content). store: file of the responses, kept between runs.

    Raises EngineError if the model cannot be asked, or if more of its answers are refused than max_refused_fraction.
    """
    found = Judgements()
    prompts = [label_prompt(row["language"], row["content"], params.max_characters) for row in files]
    with ResponseStore(store) as responses:
        engine = StoredEngine(partial(open_engine, params.engine), responses, model_identity(params.engine), PROMPT_VERSION)
        sampling = Sampling(params.max_new_tokens)
        origins = [row["file_id"] for row in files]
        for index, completion in engine.complete(prompts, sampling, [0] * len(prompts), origins):
            label, reason = read_label(completion)
            if label is None:
                found.refused[reason] += 1
            else:
                found.labels[files[index]["file_id"]] = label
        found.asked, found.reused = engine.asked, engine.reused
    n_refused = sum(found.refused.values())
    if n_refused > params.max_refused_fraction * len(files):
        raise EngineError(
            f"label_files: {n_refused} of {len(files)} answers are not labels ({dict(sorted(found.refused.items()))}); allowed: a share of "
            f"{params.max_refused_fraction} (label_files.judge.max_refused_fraction); read them in {store}, and choose a better model"
        )
    return found


def label_prompt(language: str, content: str, max_characters: int) -> Chat:
    """What the model is asked of one file."""
    return Chat(SYSTEM, TASK.format(language=language, content=content[:max_characters].rstrip()))


def read_label(completion: Completion) -> tuple[float | None, str]:
    """(label, '') or (None, why not): cut_off, no_json, no_score, not_a_whole_number, out_of_range."""
    start = completion.text.find("{")
    if start < 0:
        return None, "cut_off" if completion.finish_reason == "length" else "no_json"
    try:
        answer, _ = json.JSONDecoder().raw_decode(completion.text[start:])
    except (ValueError, RecursionError):
        return None, "cut_off" if completion.finish_reason == "length" else "no_json"
    if "score" not in answer:
        return None, "no_score"
    score = answer["score"]
    # true is an int in Python; 3.0 is a whole number, "3" is text
    if isinstance(score, bool) or not isinstance(score, int | float) or score != score // 1:
        return None, "not_a_whole_number"
    return (float(score), "") if MIN_LABEL <= score <= MAX_LABEL else (None, "out_of_range")


def label_rows(files: Sequence[dict[str, Any]], labels: dict[str, float], labeller: str) -> pa.Table:
    """One row per labelled file, sorted by file_id: columns file_id, label, labeller."""
    chosen = sorted((row["file_id"] for row in files if row["file_id"] in labels), key=str)
    return pa.table(
        {
            "file_id": pa.array(chosen, pa.string()),
            "label": pa.array([labels[file_id] for file_id in chosen], pa.float64()),
            "labeller": pa.array([labeller] * len(chosen), pa.string()),
        }
    )
