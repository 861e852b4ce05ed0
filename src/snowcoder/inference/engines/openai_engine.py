"""Asks a server with OpenAI's API: `vllm serve`, or any other.

in: prompts   out: completions, in the order in which the server finishes them

A plain prompt goes to /completions, a Chat to /chat/completions. Up to `concurrency` requests are open at a time: the next one starts when
any is answered, so that the server's batch stays full. What fails in passing (no connection, a timeout, 408, 409, 429, 5xx, an answer
that is cut short or is none) is asked again after a wait: as long as the server's headers ask for, else exponential with jitter. When a
request has failed `attempts` times, or the server refuses one for good (another 4xx), no new one starts, those that are open come to their
end, and then EngineError says so. What a server sends is read by server_answer.py alone; what is said about it has no secret (endpoint.py).
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import Any

import aiohttp

from snowcoder.errors import EngineError
from snowcoder.inference.engine import Chat, Completion, Engine, Prompt, Sampling, draw_seed
from snowcoder.inference.engines.endpoint import URL, Endpoint
from snowcoder.inference.engines.rate_limit import backoff_s, requested_wait_s
from snowcoder.inference.engines.server_answer import UnusableAnswerError, read_completion
from snowcoder.inference.engines.token_budget import BudgetSpentError, TokenBudget
from snowcoder.pipeline.console import progress, say

RETRIED_STATUS = frozenset({408, 409, 425, 429})
TELL_WAIT_FROM_S = 30.0
MAX_SHOWN_CHARACTERS = 300
KEPT = "earlier answers are kept if there is a store"


class _PassingError(Exception):
    """An attempt failed in a way that another may not."""


class OpenAIEngine(Engine):
    """`model`, as the server names it. max_spend_tokens: prompt and completion tokens of one call of `complete` at most; None: no limit."""

    def __init__(self, endpoint: Endpoint, model: str, max_spend_tokens: int | None = None) -> None:
        self._endpoint = endpoint
        self._model = model
        self._max_spend_tokens = max_spend_tokens

    def complete(self, prompts: Sequence[Prompt], sampling: Sampling, draws: Sequence[int]) -> Iterator[tuple[int, Completion]]:
        """As the server finishes them. Raises EngineError once nothing is open any more, if some could not be answered."""
        bodies = [self.body(prompt, sampling, draw) for prompt, draw in zip(prompts, draws, strict=True)]
        yield from progress(self._answers(bodies, sampling), len(bodies), f"completions from {self._endpoint.address}")

    def body(self, prompt: Prompt, sampling: Sampling, draw: int) -> dict[str, Any]:
        """What is sent."""
        asked: dict[str, Any] = {"model": self._model, "max_tokens": sampling.max_new_tokens, "temperature": sampling.temperature}
        if sampling.temperature > 0:
            asked |= {"top_p": sampling.top_p, "seed": draw_seed(sampling, prompt, draw)}
        if sampling.stop:
            asked["stop"] = list(sampling.stop)
        return asked | ({"messages": prompt.messages()} if isinstance(prompt, Chat) else {"prompt": prompt})

    def _answers(self, bodies: Sequence[dict[str, Any]], sampling: Sampling) -> Iterator[tuple[int, Completion]]:
        # the loop runs only while the consumer waits for an answer; the runner's end cancels what is open
        with asyncio.Runner() as runner:
            answers: asyncio.Queue[tuple[int, Completion] | None] = asyncio.Queue()
            session = _Session(self._endpoint, TokenBudget(self._max_spend_tokens), answers)
            work = runner.get_loop().create_task(session.ask_all(bodies, sampling))
            while (answer := runner.run(answers.get())) is not None:
                yield answer
            runner.run(asyncio.wait([work]))
            work.result()


class _Session:
    """One run over a list of requests. `answers` gets (index, completion) for each, then None."""

    def __init__(self, endpoint: Endpoint, budget: TokenBudget, answers: "asyncio.Queue[tuple[int, Completion] | None]") -> None:
        self._endpoint = endpoint
        self._budget = budget
        self._answers = answers
        self._not_before = 0.0
        self._stopped_by: EngineError | None = None

    async def ask_all(self, bodies: Sequence[dict[str, Any]], sampling: Sampling) -> None:
        """Raises EngineError if some got no answer, after all others did."""
        headers = self._endpoint.headers
        timeout = aiohttp.ClientTimeout(total=self._endpoint.timeout_s)
        remaining = iter(enumerate(bodies))
        try:
            async with aiohttp.ClientSession(headers=headers, timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as http:
                workers = min(self._endpoint.concurrency, len(bodies))
                await asyncio.gather(*(self._work(http, remaining, sampling) for _ in range(workers)))
        finally:
            self._answers.put_nowait(None)
        if self._stopped_by is not None:
            raise self._stopped_by

    async def _work(self, http: aiohttp.ClientSession, remaining: Iterator[tuple[int, dict[str, Any]]], sampling: Sampling) -> None:
        for index, body in remaining:
            if self._stopped_by is None:
                try:
                    self._answers.put_nowait((index, await self._ask(http, body, sampling)))
                except EngineError as error:
                    self._stopped_by = self._stopped_by or error

    async def _ask(self, http: aiohttp.ClientSession, body: dict[str, Any], sampling: Sampling) -> Completion:
        """One answer, in as many attempts as it takes. Raises EngineError."""
        for failures in range(1, self._endpoint.attempts + 1):
            try:
                async with self._budget.reserved(body) as reservation:
                    await self._wait_for_gate()
                    if self._stopped_by is not None:
                        raise self._stopped_by
                    completion = await self._attempt(http, body, sampling)
                    reservation.settle(completion)
                return completion
            except _PassingError as error:
                reason = error
            except BudgetSpentError as error:
                raise self._endpoint.error(f"{error}; {KEPT}, raise engine.max_spend_tokens to continue") from None
            if failures < self._endpoint.attempts:
                await asyncio.sleep(backoff_s(failures))
        raise self._endpoint.error(
            f"no answer to a request in {self._endpoint.attempts} attempts (the last: {reason}); {KEPT}; fix the server and run again"
        )

    async def _attempt(self, http: aiohttp.ClientSession, body: dict[str, Any], sampling: Sampling) -> Completion:
        path = "chat/completions" if "messages" in body else "completions"
        try:
            async with http.post(f"{self._endpoint.address}/{path}", json=body) as response:
                self._close_gate(requested_wait_s({name.lower(): value for name, value in response.headers.items()}))
                text = (await response.read()).decode("utf-8", "replace")
        except aiohttp.InvalidURL as error:  # also an address to which the server leads
            raise self._endpoint.error(f"{error} is no address that can be asked; {KEPT}; correct {URL}") from None
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise _PassingError(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__) from error
        if response.status != 200:
            summary = f"status {response.status}: {self._beginning(text)}"
            if (response.status in RETRIED_STATUS and "insufficient_quota" not in text) or response.status >= 500:
                raise _PassingError(summary)
            raise self._endpoint.error(f"the server refuses a request ({summary}); {KEPT}")
        try:
            return read_completion(text, sampling)
        except UnusableAnswerError as error:
            raise _PassingError(f"{error}: {self._beginning(text)!r}") from error

    def _beginning(self, text: str) -> str:
        """What is shown of an answer. Redacted before it is cut or quoted, where a secret would not be found any more."""
        return " ".join(self._endpoint.redacted(text).split())[:MAX_SHOWN_CHARACTERS]

    def _close_gate(self, wait_s: float) -> None:
        """No request starts before the server wants one."""
        if wait_s >= TELL_WAIT_FROM_S:
            say(f"{self._endpoint.address}: asked to wait {wait_s:.0f} s")
        self._not_before = max(self._not_before, time.monotonic() + wait_s if wait_s else 0.0)

    async def _wait_for_gate(self) -> None:
        while (wait_s := self._not_before - time.monotonic()) > 0:
            await asyncio.sleep(wait_s)
