"""protocol.js against a server that the test plays: what must happen on every frame and every silence."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, WebSocketRoute

from tests.server.page.server_process import ServerProcess
from tests.server.page.waiting import becomes

pytestmark = [pytest.mark.browser, pytest.mark.timeout(150)]

START = """async () => {
  const { ProtocolClient } = await import("/static/protocol.js");
  window.handled = [];
  window.states = [];
  window.reloads = [];
  window.tokens = [];
  window.client = new ProtocolClient(new URL("/ws", location.href.replace("http", "ws")), {
    token: async (options) => { tokens.push(options.fresh); return `token ${tokens.length}`; },
    handle: (event) => handled.push(event.offset),
    reload: (ready) => reloads.push(ready.top),
    show: (state) => states.push(state.name),
    over: () => states.push("over"),
  });
  client.start();
}"""


class PlayedServer:
    """The server's side of every connection that the page opens, played by the test."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.received: list[dict[str, Any]] = []
        self.connections = 0
        self._route: WebSocketRoute | None = None
        self._news = asyncio.Event()

    async def install(self) -> None:
        await self.page.route_web_socket("**/ws", self._connected)

    def _connected(self, route: WebSocketRoute) -> None:
        self._route = route
        self.connections += 1
        route.on_message(self._message)

    def _message(self, message: str | bytes) -> None:
        self.received.append(json.loads(message))
        self._news.set()

    async def frame(self, kind: str, count: int = 1) -> dict[str, Any]:
        """The `count`-th frame of this type, as soon as it is here."""
        async with asyncio.timeout(20):
            while True:
                found = [frame for frame in self.received if frame["type"] == kind]
                if len(found) >= count:
                    return found[count - 1]
                self._news.clear()
                await self._news.wait()

    def send(self, kind: str, **fields: Any) -> None:
        assert self._route is not None
        self._route.send(json.dumps({"type": kind, **fields}))

    def ready(self, top: int, *, gap: bool = False, epoch: str = "e") -> None:
        self.send("ready", user_id="u", epoch=epoch, top=top, oldest=1, gap=gap)

    def events(self, *offsets: int, last: bool = False, user: str = "u") -> None:
        self.send(
            "events", events=[event(offset, user=user, ends=last and offset == offsets[-1]) for offset in offsets]
        )

    async def close(self, code: int) -> None:
        assert self._route is not None
        await self._route.close(code=code)

    async def handled(self, offsets: list[int]) -> None:
        await becomes(self.page, "handled", offsets)

    async def state(self, name: str) -> None:
        await becomes(self.page, "states.at(-1)", name)


def event(offset: int, *, user: str = "u", ends: bool = False) -> dict[str, Any]:
    return {
        "type": "agent_completed" if ends else "agent_thinking",
        "event_id": f"event {offset}",
        "offset": offset,
        "epoch": "e",
        "user_id": user,
        "thread_id": "t",
        "run_id": "r",
        "request_id": "q",
        "parent_request_id": None,
        "agent": "a",
        "created_at": "2026-11-20T12:00:00.000000Z",
        "data": {"status": "succeeded"} if ends else {"text": "…"},
    }


@pytest.fixture
async def played(browser: Browser, scripted: ServerProcess) -> AsyncIterator[PlayedServer]:
    page = await browser.new_page()
    page.set_default_timeout(20_000)
    await page.clock.install(time=0)
    await page.clock.pause_at(1000)  # from here on only tests move the time
    played = PlayedServer(page)
    await played.install()
    await page.goto(f"{scripted.url}healthz")  # any document of this origin: the client needs none of the page
    await page.evaluate(START)
    await played.frame("authenticate")
    yield played
    await page.close()


async def test_first_connection_resumes_nothing_and_reloads(played):
    assert "resume" not in await played.frame("authenticate")
    played.ready(top=7)
    await played.state("live")
    assert await played.page.evaluate("reloads") == [7]
    played.events(8, 9)
    await played.handled([8, 9])


async def test_no_token_travels_in_the_address(played):
    played.ready(top=0)
    assert (await played.frame("authenticate"))["token"] == "token 1"
    assert played._route.url.endswith("/ws")


async def test_an_event_that_arrives_twice_is_handled_once(played):
    played.ready(top=0)
    played.events(1, 2)
    played.events(2, 3)
    played.events(1, 2, 3, 4)
    await played.handled([1, 2, 3, 4])


async def test_a_lost_connection_is_resumed_after_the_last_handled_event(played):
    played.ready(top=0)
    played.events(1, 2, 3)
    await played.handled([1, 2, 3])
    await played.close(4000)
    await played.state("waiting")
    await played.page.clock.fast_forward(2_000)
    assert (await played.frame("authenticate", 2))["resume"] == {"epoch": "e", "offset": 3}
    played.ready(top=5)
    played.events(4, 5)
    await played.handled([1, 2, 3, 4, 5])
    assert await played.page.evaluate("reloads.length") == 1


async def test_a_gap_reloads_and_follows_from_the_top(played):
    played.ready(top=3)
    await played.state("live")
    await played.close(4001)
    await played.state("waiting")
    await played.page.clock.fast_forward(2_000)
    await played.frame("authenticate", 2)
    played.ready(top=90, gap=True)
    played.events(91)
    await played.handled([91])
    assert await played.page.evaluate("reloads") == [3, 90]


async def test_a_hole_is_never_jumped_over(played):
    played.ready(top=0)
    played.events(1, 3)
    await played.state("waiting")
    await played.page.clock.fast_forward(2_000)
    assert (await played.frame("authenticate", 2))["resume"] == {"epoch": "e", "offset": 1}
    assert await played.page.evaluate("handled") == [1]


async def test_an_event_of_somebody_else_is_not_handled(played):
    played.ready(top=0)
    played.events(1, user="somebody else")
    await played.state("waiting")
    assert await played.page.evaluate("handled") == []


async def test_a_heartbeat_ahead_of_what_arrived_makes_it_connect_again(played):
    played.ready(top=0)
    played.send("heartbeat", top=2)
    played.events(1)
    await played.handled([1])
    await played.page.clock.fast_forward(5_000)
    await played.page.clock.fast_forward(2_000)
    assert (await played.frame("authenticate", 2))["resume"] == {"epoch": "e", "offset": 1}


async def test_a_heartbeat_that_only_overtook_its_events_does_not(played):
    played.ready(top=0)
    played.send("heartbeat", top=2)
    played.events(1, 2)
    await played.handled([1, 2])
    await played.page.clock.fast_forward(5_000)
    assert await played.page.evaluate("states.at(-1)") == "live"


async def test_silence_makes_it_connect_again(played):
    played.ready(top=0)
    await played.state("live")
    await played.page.clock.fast_forward(41_000)
    await played.state("waiting")


async def test_eight_events_are_acknowledged_at_once(played):
    played.ready(top=0)
    played.events(*range(1, 9))
    assert (await played.frame("ack"))["offset"] == 8


async def test_fewer_are_acknowledged_after_a_quarter_of_a_second(played):
    played.ready(top=0)
    played.events(1, 2)
    await played.handled([1, 2])
    assert [frame for frame in played.received if frame["type"] == "ack"] == []
    await played.page.clock.fast_forward(260)
    assert (await played.frame("ack"))["offset"] == 2


async def test_the_end_of_a_run_is_acknowledged_at_once(played):
    played.ready(top=0)
    played.events(1, 2, last=True)
    assert (await played.frame("ack"))["offset"] == 2


async def test_a_command_keeps_its_id_when_it_is_sent_again(played):
    played.ready(top=0)
    await played.state("live")
    await played.page.evaluate("void client.startRun({ input: 'hello' }).then((frame) => (window.accepted = frame))")
    first = await played.frame("start_run")
    await played.close(4000)
    await played.state("waiting")
    await played.page.clock.fast_forward(2_000)
    await played.frame("authenticate", 2)
    played.ready(top=0)
    assert await played.frame("start_run", 2) == first
    played.send("accepted", id=first["id"], thread_id="t", run_id="r")
    await becomes(played.page, "window.accepted?.run_id", "r")


async def test_a_command_given_while_away_is_sent_when_it_is_back(played):
    await played.page.evaluate("void client.startRun({ threadId: 't', input: 'hello' })")
    played.ready(top=0)
    frame = await played.frame("start_run")
    assert (frame["thread_id"], frame["input"]) == ("t", "hello")


async def test_an_error_that_answers_a_command_rejects_it(played):
    played.ready(top=0)
    await played.state("live")
    await played.page.evaluate("void client.cancelRun('r').catch((error) => (window.refused = error.code))")
    frame = await played.frame("cancel_run")
    played.send("error", id=frame["id"], code="run_over", message="the run is over")
    await becomes(played.page, "window.refused", "run_over")


async def test_a_frame_that_is_too_long_is_refused_here(played):
    played.ready(top=0)
    refusal = "client.startRun({ input: '€'.repeat(30000) }).catch((error) => error.code)"
    assert await played.page.evaluate(refusal) == "input"


async def test_a_fresh_token_is_given_to_the_open_connection(played):
    played.ready(top=4)
    played.events(5)
    await played.handled([5])
    await played.page.evaluate("void client.startRun({ input: 'not answered yet' })")
    await played.page.evaluate("client.renew('fresh')")
    assert (await played.frame("authenticate", 2)) == {"type": "authenticate", "token": "fresh"}
    played.ready(top=9)
    played.events(6)
    await played.handled([5, 6])
    assert played.connections == 1
    assert [frame["type"] for frame in played.received].count("start_run") == 1


@pytest.mark.parametrize("code", [4501, 4502])
async def test_a_refused_token_is_renewed_once_and_then_the_login_is_over(played, code):
    await played.close(code)
    await played.frame("authenticate", 2)
    assert await played.page.evaluate("tokens") == [False, True, False]
    await played.close(code)
    await played.state("over")


@pytest.mark.parametrize("code", [4500, 4503, 4504, 4505])
async def test_a_code_that_says_do_not_come_back_is_obeyed(played, code):
    played.ready(top=0)
    await played.close(code)
    await played.state("stopped")
    await played.page.clock.fast_forward(120_000)
    assert played.connections == 1


async def test_waiting_times_grow_and_differ(played):
    delays = await played.page.evaluate(
        """async () => {
          const { backoff } = await import("/static/backoff.js");
          return [0, 1, 2, 3, 10].map((attempt) => [backoff(attempt, () => 0), backoff(attempt, () => 1)]);
        }"""
    )
    assert delays == [[250, 500], [500, 1000], [1000, 2000], [2000, 4000], [15000, 30000]]
