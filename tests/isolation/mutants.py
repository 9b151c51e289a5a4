"""Servers that mix users up, each in a way that a real one did; the state machine must notice every one.

They are put together from the product's parts and a wrong one; where a second line of defence would stop them (the
ambient user), they go round it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from carrel.context import UserContext, ambient_context
from carrel.delivery.log import LoggedEvent
from carrel.errors import NotFoundError
from carrel.runtime.agent import AgentRun
from carrel.server.services import Services
from carrel.storage.accounts import AccountStore

__all__ = ["MUTANTS", "WORKER"]


class Wrong:
    """A part that does what the real one does, but for what is written here."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class Ownerless(Wrong):
    """Object fetched by id without an owner check (leak class 23)."""

    def __init__(self, real: Any, accounts: AccountStore) -> None:
        super().__init__(real)
        self._accounts = accounts

    async def _of_anybody(self, user: UserContext, method: str, *arguments: Any, **more: Any) -> Any:
        for account in await self._accounts.list_accounts():
            owner = replace(user, user_id=account.user_id)
            try:
                with ambient_context(owner):
                    return await getattr(self._real, method)(owner, *arguments, **more)
            except NotFoundError:
                continue
        raise NotFoundError("thing")


class OwnerlessThreads(Ownerless):
    async def get_thread(self, user: UserContext, *arguments: Any) -> Any:
        return await self._of_anybody(user, "get_thread", *arguments)

    async def list_messages(self, user: UserContext, *arguments: Any, **more: Any) -> Any:
        return await self._of_anybody(user, "list_messages", *arguments, **more)


class OwnerlessRuns(Ownerless):
    async def get_run(self, user: UserContext, *arguments: Any) -> Any:
        return await self._of_anybody(user, "get_run", *arguments)


class SharedKeys(Wrong):
    """An answer routed by an id that the client chose (leak class 20): keys of all users in one table."""

    def __init__(self, real: Any) -> None:
        super().__init__(real)
        self._first: dict[str, Any] = {}

    async def start(self, user: UserContext, request: Any) -> Any:
        key = request.idempotency_key or ""
        if key not in self._first:
            self._first[key] = await self._real.start(user, request)
        return self._first[key]


class MixedLog(Wrong):
    """A replay buffer that is not scoped (leak class 34): an offset gets whatever was last read at it."""

    def __init__(self, real: Any) -> None:
        super().__init__(real)
        self._last: dict[int, tuple[str, LoggedEvent]] = {}

    def held(self, user: UserContext, after: int, limit: int) -> None:
        """Nothing, so that everything is read."""

    async def read(self, user: UserContext, after: int, limit: int) -> Sequence[LoggedEvent]:
        events = await self._real.read(user, after, limit)
        mine = (await self._real.state(user)).epoch
        mixed = []
        for event in events:
            epoch, earlier = self._last.setdefault(event.offset, (mine, event))
            body = earlier.body.replace(epoch.encode(), mine.encode())
            mixed.append(msgspec.structs.replace(earlier, body=body))
        return mixed


def _in_a_closure() -> Callable[[AgentRun], Any]:
    seen: dict[str, str] = {"last": ""}

    async def worker(run: AgentRun) -> str:
        """Tells what the previous caller asked (leak class 38)."""
        last, seen["last"] = seen["last"], run.input
        return f"before you: {last}"

    return worker


async def stuck(run: AgentRun) -> str:
    """Not so stuck."""
    return run.input


WORKER = (_in_a_closure(), stuck)


def _with(name: str, wrong: Callable[[Services], Any]) -> Callable[[Services], Services]:
    return lambda services: replace(services, **{name: wrong(services)})


MUTANTS: dict[str, Callable[[Services], Services]] = {
    "threads of anybody": _with("threads", lambda services: OwnerlessThreads(services.threads, services.accounts)),
    "runs of anybody": _with("runs", lambda services: OwnerlessRuns(services.runs, services.accounts)),
    "keys of all users": _with("scheduler", lambda services: SharedKeys(services.scheduler)),
    "a log for all users": _with("log", lambda services: MixedLog(services.log)),
}
