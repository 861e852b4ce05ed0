"""Runs a model in this process with transformers, on CPU or one accelerator.

in: prompts   out: completions, greedy or drawn

A prompt starts a document: the document start token comes first, as in packed training data, unless the prompt had to be cut. A prompt
too long for window - max_new_tokens loses its head. Batches are formed by length, then position: a fixed rule, so that the same prompts
give the same batches. In float32 a batch's size and padding move logits by rounding only (1e-6 or so): they change a completion only where
two tokens tie to that precision (none of 31,488 tokens of a random 7M-parameter model, batches of 16 against 32). In bfloat16 they can
change more. Several batches are decoded at a time, each by its own thread: on CPU that is faster than several threads within an
operation, which wait for each other thousands of times a second, and it changes nothing in the result.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from snowcoder.inference.engine import Completion, Engine, Prompt, Sampling, cut_at_stop, draw_seed
from snowcoder.inference.local.decoding import CHECK_EVERY_TOKENS, Chooser, decode_batch, most_likely, nucleus_chooser
from snowcoder.inference.local.model_folder import LoadedModel
from snowcoder.inference.local.prompt_encoder import decode_continuation
from snowcoder.pipeline.console import progress


class TransformersEngine(Engine):
    """Decoding with a loaded model.

    batch_size: prompts decoded together.
    window_tokens: prompt and completion together, at most.
    workers: batches decoded at a time, on CPU; an accelerator takes one.
    """

    def __init__(self, loaded: LoadedModel, batch_size: int, window_tokens: int, workers: int = 1) -> None:
        self._model = loaded.model
        self._tokenizer = loaded.tokenizer
        self._encoder = loaded.encoder
        self._end_ids = set(loaded.end_ids)
        self._batch_size = batch_size
        self._window_tokens = window_tokens
        self._workers = workers if loaded.model.device.type == "cpu" else 1

    def complete(self, prompts: Sequence[Prompt], sampling: Sampling, draws: Sequence[int]) -> Iterator[tuple[int, Completion]]:
        """Batch by batch. Raises ParameterError if max_new_tokens leaves no room for a prompt."""
        encoded = self._encoder.encode_all(prompts, self._window_tokens, sampling.max_new_tokens)
        batches = self._batches(encoded)
        with ThreadPoolExecutor(self._workers) as pool:
            seeds = [draw_seed(sampling, prompt, draw) for prompt, draw in zip(prompts, draws, strict=True)]
            done = pool.map(lambda batch: self._decode(batch, encoded, seeds, sampling), batches)
            for batch, answers in zip(batches, progress(done, len(batches), "batches of completions"), strict=True):
                yield from zip(batch, answers, strict=True)

    def _decode(self, batch: Sequence[int], encoded: Sequence[Sequence[int]], seeds: Sequence[int], sampling: Sampling) -> list[Completion]:
        choose: Chooser = most_likely
        if sampling.temperature > 0:
            choose = nucleus_chooser([seeds[index] for index in batch], sampling.temperature, sampling.top_p)
        prompts = [encoded[index] for index in batch]
        rows = decode_batch(self._model, prompts, sampling.max_new_tokens, lambda row: self._is_finished(row, sampling), choose)
        return [self._completion(row, len(prompt), sampling) for row, prompt in zip(rows, prompts, strict=True)]

    def _batches(self, encoded: Sequence[Sequence[int]]) -> list[list[int]]:
        # the longest first: what needs most memory fails at once, not at the end
        order = sorted(range(len(encoded)), key=lambda index: (-len(encoded[index]), index))
        return [order[first : first + self._batch_size] for first in range(0, len(order), self._batch_size)]

    def _is_finished(self, row: list[int], sampling: Sampling) -> bool:
        if not self._end_ids.isdisjoint(row[-CHECK_EVERY_TOKENS:]):
            return True
        # a token is at least one byte, so that a stop string which ends in the new tokens starts within this tail
        longest = max((len(stop.encode()) for stop in sampling.stop), default=0)
        tail = self._text(row[-(CHECK_EVERY_TOKENS + longest) :])
        return cut_at_stop(tail, sampling.stop)[1]

    def _completion(self, row: list[int], n_prompt_tokens: int, sampling: Sampling) -> Completion:
        end = next((place for place, token in enumerate(row) if token in self._end_ids), None)
        ended, tokens = end is not None, row[:end]
        text, stopped = cut_at_stop(self._text(tokens), sampling.stop)
        return Completion(text, "stop" if stopped or ended else "length", self._tokens_for(tokens, text), n_prompt_tokens)

    def _tokens_for(self, tokens: list[int], text: str) -> int:
        """How many of `tokens` it took to write `text`."""
        low, high = 0, len(tokens)
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if len(self._text(tokens[:middle])) >= len(text) else (middle + 1, high)
        return low

    def _text(self, tokens: Sequence[int]) -> str:
        return decode_continuation(self._tokenizer, tokens)
