"""The one writer of a run: every event of it, from all its requests, passes here in the order it gets in the log."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, Final

from carrel.context import UserExecutionContext, UserId
from carrel.delivery.bridge import WebSocketBridge
from carrel.delivery.log import EventLog
from carrel.delivery.pace import MessagePace
from carrel.errors import CarrelError
from carrel.events import EventDraft, RunGrammar, RunStatus, draft_event

__all__ = ["RunWriter"]

LONGEST_PIECE: Final = 32_768
"""Characters of one `agent_message`; at most 192 KiB as JSON."""


class _Unwritten:
    """Text that one request has said and that is in no event yet."""

    __slots__ = ("agent", "context", "pieces", "size")

    def __init__(self, context: UserExecutionContext, agent: str) -> None:
        self.context = context
        self.agent = agent
        self.pieces: list[str] = []
        self.size = 0

    def add(self, text: str) -> None:
        self.pieces.append(text)
        self.size += len(text)

    def first(self) -> str:
        """The next piece to write; it stays until `drop` says that it is durable."""
        self.pieces = ["".join(self.pieces)]
        return self.pieces[0][:LONGEST_PIECE]

    def drop(self, length: int) -> None:
        self.pieces[0] = self.pieces[0][length:]
        self.size -= length


class RunWriter:
    """Serialises the events of one run, checks their grammar before they are written and joins pieces of the answer.

    A caller may be cancelled while it waits for the log. The log carries the append out all the same, so the event
    counts as written and `close` completes what it opened.
    """

    __slots__ = ("_bridge", "_lock", "_log", "_pace", "_tasks", "_timer", "_unwritten", "_user_id", "grammar")

    def __init__(self, user_id: UserId, log: EventLog, bridge: WebSocketBridge) -> None:
        self.grammar = RunGrammar()
        self._user_id = user_id
        self._log = log
        self._bridge = bridge
        self._pace = MessagePace()
        self._lock = asyncio.Lock()
        self._unwritten: dict[str, _Unwritten] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def write(self, context: UserExecutionContext, draft: EventDraft, *, after: Sequence[str]) -> None:
        """Write one event after what the requests `after` have said; durable when it returns.

        Raises `GrammarError` when the event is not allowed here and `StorageError` when the log refuses it.
        """
        async with self._lock:
            self.grammar.check(draft)
            await self._flush(after)
            await self._append(context, (draft,))

    async def say(self, context: UserExecutionContext, agent: str, text: str) -> None:
        """Add to the answer of a request; waits only when the run says more than can be written."""
        unwritten = self._unwritten.get(context.request_id)
        if unwritten is None:
            unwritten = self._unwritten[context.request_id] = _Unwritten(context, agent)
        unwritten.add(text)
        now = asyncio.get_running_loop().time()
        if unwritten.size > LONGEST_PIECE:
            async with self._lock:
                await self._flush((context.request_id,))
        elif not self._lock.locked() and self._pace.due(pressing=False) <= now:
            await self._write_waiting()
        else:
            self._set_timer()

    async def close(self, context: UserExecutionContext, status: RunStatus, code: str, message: str) -> None:
        """Complete the grammar for a request and all inside it; nothing happens when it is not open."""
        # Under its own task: it is called by whoever is being cancelled, and must not stop half-way.
        await asyncio.shield(self._spawn(self._close(context, status, code, message)))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        # The loop keeps only weak references, and a cancelled caller keeps none.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _close(self, context: UserExecutionContext, status: RunStatus, code: str, message: str) -> None:
        async with self._lock:
            if not self.grammar.is_open(context.request_id):
                return
            drafts = self.grammar.closing(status, code, message, below=context.request_id)
            await self._flush(dict.fromkeys(draft.request_id for draft in drafts))
            await self._append(context, drafts)

    async def _append(self, context: UserExecutionContext, drafts: Sequence[EventDraft]) -> None:
        try:
            logged = await self._log.append(context, drafts)
        except asyncio.CancelledError:
            self._accept(drafts)
            raise
        self._accept(drafts)
        self._bridge.publish(self._user_id, logged[-1].offset)

    def _accept(self, drafts: Sequence[EventDraft]) -> None:
        # Each has been checked; under the lock, nothing but messages can have come between.
        for draft in drafts:
            self.grammar.take(draft)

    async def _flush(self, requests: Iterable[str]) -> None:
        loop = asyncio.get_running_loop()
        for request in requests:
            while request in self._unwritten:
                wait = self._pace.due(pressing=True) - loop.time()
                if wait > 0:
                    await asyncio.sleep(wait)
                await self._append_text(request)

    async def _append_text(self, request: str) -> None:
        unwritten = self._unwritten[request]
        text = unwritten.first()
        draft = draft_event(unwritten.context, "agent_message", unwritten.agent, {"text": text})
        self.grammar.check(draft)
        try:
            await self._append(unwritten.context, (draft,))
        except asyncio.CancelledError:
            self._said(request, len(text))
            raise
        self._said(request, len(text))

    def _said(self, request: str, length: int) -> None:
        self._pace.written(asyncio.get_running_loop().time())
        unwritten = self._unwritten.pop(request)
        unwritten.drop(length)
        if unwritten.size:
            # Behind the others, so that requests which speak at the same time take turns.
            self._unwritten[request] = unwritten

    def _set_timer(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(max(loop.time(), self._pace.due(pressing=False)), self._ring)

    def _ring(self) -> None:
        self._timer = None
        # The event that ended the run may have taken the text along, and nobody waits for a task that comes after it.
        if self._unwritten:
            self._spawn(self._write_in_background())

    async def _write_in_background(self) -> None:
        try:
            await self._write_waiting()
        except CarrelError:
            # The text is still here: the next event of the request writes it first, or tells its caller why not.
            return

    async def _write_waiting(self) -> None:
        """Write the next piece of whoever has waited longest, and come back for the rest."""
        async with self._lock:
            if self._unwritten and self._pace.due(pressing=False) <= asyncio.get_running_loop().time():
                await self._append_text(next(iter(self._unwritten)))
            if self._unwritten:
                self._set_timer()
