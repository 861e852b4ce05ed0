"""Limits the tokens of many open requests: each reserves the most that it can cost, and settles for what it did cost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from snowcoder.inference.engine import Completion

CHAT_TEMPLATE_TOKENS = 64


class BudgetSpentError(Exception):
    """A request does not fit into what is left of the budget."""


class Reservation:
    """Of one request. cost: in tokens; the most that it can be, until it is settled."""

    def __init__(self, cost: int) -> None:
        self.cost = cost

    def settle(self, completion: Completion) -> None:
        """What the answer says that it cost."""
        self.cost = (completion.n_prompt_tokens or 0) + completion.n_tokens


class TokenBudget:
    """limit: tokens, or None. One event loop uses it."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._spent = 0
        self._reserved = 0
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def reserved(self, body: dict[str, Any]) -> AsyncIterator[Reservation]:
        """Holds room for a request. Waits while others that are open may give some back; raises BudgetSpentError if none can.

        An attempt that fails counts in full: a server may have worked on it.
        """
        reservation = Reservation(most_tokens(body))
        held = reservation.cost
        async with self._changed:
            await self._changed.wait_for(lambda: self._fits(held) or self._reserved == 0)
            if not self._fits(held):
                raise BudgetSpentError(f"{self._spent} tokens are spent and the next request may take {held}: the limit is {self._limit}")
            self._reserved += held
        try:
            yield reservation
        finally:
            self._reserved -= held
            self._spent += reservation.cost
            async with self._changed:
                self._changed.notify_all()

    def _fits(self, cost: int) -> bool:
        return self._limit is None or self._spent + self._reserved + cost <= self._limit


def most_tokens(body: dict[str, Any]) -> int:
    """The most tokens that a request can cost: a byte-level tokenizer makes no more tokens of a text than it has bytes."""
    texts = [message["content"] for message in body["messages"]] if "messages" in body else [body["prompt"]]
    return sum(len(text.encode("utf-8", "surrogatepass")) + CHAT_TEMPLATE_TOKENS for text in texts) + int(body["max_tokens"])
