"""A state machine of users who share one server and do whatever users do, with their own ids and with each other's."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import anyio
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.chaos.checker import check_log
from tests.fuzz.background import Background, request_of
from tests.isolation.visitor import new_canary
from tests.isolation.wire import SECONDS, Wire
from tests.server.served import Caller

__all__ = ["Booth", "IsolationMachine"]

USERS = 3
OPEN = ("queued", "running", "waiting")
Whose = Literal["own", "foreign"]
whose: st.SearchStrategy[Any] = st.sampled_from(["own", "foreign"])
AGENTS = st.sampled_from(["worker", "stuck"])
who = st.integers(0, USERS - 1)
some = st.integers(0, 5)


@dataclass
class Booth:
    """One user: what they have, and every byte that they were sent."""

    caller: Caller
    canary: str
    wires: list[Wire] = field(default_factory=list)
    past: list[Wire] = field(default_factory=list)
    """Wires that are closed."""
    answers: list[str] = field(default_factory=list)
    """What came over HTTP, headers too."""
    threads: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    epoch: str = ""

    @property
    def secrets(self) -> list[str]:
        """What nobody else may be told."""
        return [self.canary, self.canary[::-1], self.caller.user_id, self.epoch, *self.threads, *self.runs]

    @property
    def received(self) -> str:
        return "\n".join([*self.answers, *(text for wire in (*self.wires, *self.past) for text in wire.received)])

    def learn(self) -> None:
        """Note the ids of whatever is the user's own."""
        for wire in self.wires:
            for frame in wire.frames:
                if frame["type"] == "accepted":
                    self._note(frame["thread_id"], frame["run_id"])
                elif frame["type"] == "ready":
                    self.epoch = frame["epoch"]
            for event in events_of(wire.frames):
                self._note(event["thread_id"], event["run_id"])

    def _note(self, thread_id: str, run_id: str) -> None:
        if run_id not in self.runs:
            self.runs.append(run_id)
        if thread_id not in self.threads:
            self.threads.append(thread_id)


class IsolationMachine(RuleBasedStateMachine):
    """Invariant: no user is sent a byte of another's, and each user's events have no gap and are in the grammar.

    `server` is shared by all examples, the users are new in each; `leaks` gets what was seen of others.
    """

    server: Background
    leaks: list[str]

    def __init__(self) -> None:
        super().__init__()
        chance = random.Random(1)
        self.users = [Booth(self.server.user(), new_canary(chance)) for _ in range(USERS)]
        for user in self.users:
            self._do(self._connect, user, None)
            # So that there is something to be after.
            self._send(user, 0, type="start_run", id="id-0", agent="worker", input=f"{user.canary} 0")

    def _do(self, function: Callable[..., Coroutine[Any, Any, Any]], *arguments: Any) -> Any:
        return self.server.call(function, *arguments)

    def _pick(self, user: int, whose: Whose, kind: str, number: int) -> str:
        """An id of the user's, or of the next one's."""
        owner = self.users[user if whose == "own" else (user + 1) % USERS]
        found: list[str] = getattr(owner, kind)
        return found[number % len(found)] if found else "missing"

    # What users do over sockets

    @rule(user=who, resume=st.sampled_from(["none", "own", "foreign", "future"]), offset=st.integers(0, 40))
    def connect(self, user: int, resume: str, offset: int) -> None:
        me = self.users[user]
        if len(me.wires) >= 3:
            return
        epoch = self.users[(user + 1) % USERS].epoch if resume == "foreign" else me.epoch
        position = {"epoch": epoch, "offset": 10**6 if resume == "future" else offset}
        self._do(self._connect, me, position if resume != "none" and epoch else None)

    async def _connect(self, me: Booth, resume: dict[str, Any] | None) -> None:
        wire = Wire(self.server.app)
        me.wires.append(wire)
        more = {"resume": resume} if resume else {}
        wire.send(type="authenticate", token=me.caller.access_token, **more)
        await wire.until(lambda frames: bool(frames))
        assert wire.closed is None, wire.closed
        me.learn()

    @rule(user=who, wire=some, leave=st.booleans())
    def disconnect_or_stall(self, user: int, wire: int, leave: bool) -> None:
        self._do(self._disconnect_or_stall, self.users[user], wire, leave)

    async def _disconnect_or_stall(self, me: Booth, wire: int, leave: bool) -> None:
        if not me.wires:
            return
        chosen = me.wires[wire % len(me.wires)]
        if not leave:
            chosen.reading.clear() if chosen.reading.is_set() else chosen.reading.set()
            return
        me.wires.remove(chosen)
        me.past.append(chosen)
        await chosen.leave()

    @rule(
        user=who, wire=some, number=st.integers(1, 4), whose=whose, thread=some, new=st.booleans(),
        agent=AGENTS, busy=st.sampled_from(["enqueue", "reject", "interrupt", "rollback"]),
    )  # fmt: skip
    def start(
        self, user: int, wire: int, number: int, whose: Whose, thread: int, agent: str, busy: str, new: bool
    ) -> None:
        me = self.users[user]
        frame = {"id": f"id-{number}", "agent": agent, "if_busy": busy, "input": f"{me.canary} {number}"}
        if not new:
            frame["thread_id"] = self._pick(user, whose, "threads", thread)
        self._send(me, wire, type="start_run", **frame)

    @rule(user=who, wire=some, whose=whose, run=some)
    def cancel(self, user: int, wire: int, whose: Whose, run: int) -> None:
        self._send(self.users[user], wire, type="cancel_run", id="cancel", run_id=self._pick(user, whose, "runs", run))

    @rule(user=who, wire=some, offset=st.integers(-1, 60))
    def acknowledge(self, user: int, wire: int, offset: int) -> None:
        self._send(self.users[user], wire, type="ack", offset=offset)

    def _send(self, me: Booth, wire: int, **frame: Any) -> None:
        if me.wires:
            self.server.run(me.wires[wire % len(me.wires)].send, **frame)

    # What users do over HTTP

    @rule(
        user=who, whose=whose, number=some,
        asked=st.sampled_from([
            ("GET", "/threads/{thread}"), ("GET", "/threads/{thread}/messages"), ("DELETE", "/threads/{thread}"),
            ("GET", "/runs/{run}"), ("POST", "/runs/{run}/cancel"), ("GET", "/threads"),
            ("GET", "/threads?before={thread}"),
            ("GET", "/me"), ("GET", "/me/statistics"), ("GET", "/me/export"), ("GET", "/events"),
            ("GET", "/events?run_id={run}"), ("GET", "/events?after={epoch}:0"), ("POST", "/threads/{thread}/runs"),
        ]),
    )  # fmt: skip
    def ask(self, user: int, whose: Whose, number: int, asked: tuple[str, str]) -> None:
        me, other = self.users[user], self.users[(user + 1) % USERS]
        method, path = asked
        path = path.format(
            thread=self._pick(user, whose, "threads", number),
            run=self._pick(user, whose, "runs", number),
            epoch=(me if whose == "own" else other).epoch or "missing",
        )
        body = {"input": f"{me.canary} by http", "agent": "worker"} if path.endswith("/runs") else None
        answer = self.server.ask(request_of(method, f"/api/v1{path}", me.caller, body, {"Idempotency-Key": "id-1"}))
        me.answers.append(f"{answer.headers}\n{answer.text}")
        assert answer.status_code < 500, answer.text
        if answer.status_code == 202:
            me._note(answer.json()["thread_id"], answer.json()["run_id"])

    @rule(milliseconds=st.sampled_from([0, 5, 30]))
    def let_time_pass(self, milliseconds: int) -> None:
        self._do(anyio.sleep, milliseconds / 1000)

    # What must be true

    @invariant()
    def nobody_is_sent_what_is_anothers(self) -> None:
        for user in self.users:
            user.learn()
        for user in self.users:
            received = user.received
            for other in self.users:
                if other is not user:
                    found = [secret for secret in other.secrets if secret and secret in received]
                    self.leaks.extend(found)
                    assert not found, f"a user was sent what is another's: {found}"

    def teardown(self) -> None:
        self._do(self._settle)
        self.nobody_is_sent_what_is_anothers()
        for user in self.users:
            events = events_of(user.wires[-1].frames)
            wrong = check_log(events)
            assert not wrong, f"a user's log is not whole: {wrong}"
            assert {event["user_id"] for event in events} <= {user.caller.user_id}
            for wire in (*user.wires, *user.past):
                offsets = offsets_of(wire.frames)
                assert offsets == list(range(offsets[0], offsets[0] + len(offsets))) if offsets else True, offsets

    async def _settle(self) -> None:
        """Let every run come to its end, with a wire of its own that reads each user's whole log."""
        for user in self.users:
            # What they asked for is done when they are gone; until then a run may begin that nobody waits for.
            for wire in user.wires:
                await wire.leave()
            await self._connect(user, {"epoch": user.epoch, "offset": 0})
            last = user.wires[-1]
            top = await self._end_runs(user)
            # In vain when the log is not whole; `teardown` says why. The database is ahead of the log's memory by the
            # time of a callback, so `top` may be a little old.
            with suppress(TimeoutError):
                await last.until(partial(self._is_whole, top))
            await last.leave()

    @staticmethod
    def _is_whole(top: int, frames: Sequence[dict[str, Any]]) -> bool:
        return max(offsets_of(frames), default=0) >= top and not check_log(events_of(frames))

    async def _end_runs(self, user: Booth) -> int:
        with anyio.fail_after(SECONDS):
            while True:
                answer = (await user.caller.http.get("/api/v1/me/statistics")).json()
                if not any(answer["runs"][state] for state in OPEN):
                    return int(answer["events"]["top"])
                user.learn()
                for run in user.runs:
                    await user.caller.http.post(f"/api/v1/runs/{run}/cancel")
                await asyncio.sleep(0.01)


def events_of(frames: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for frame in frames if frame["type"] == "events" for event in frame["events"]]


def offsets_of(frames: Sequence[dict[str, Any]]) -> list[int]:
    return [event["offset"] for event in events_of(frames)]
