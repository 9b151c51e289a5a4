"""The network goes away, the server dies: the page says so, comes back, and no line is lost or doubled."""

from __future__ import annotations

import asyncio
import json
import re

import pytest
from playwright.async_api import WebSocket, expect

from tests.server.page.scripted_agents import LINES

pytestmark = [pytest.mark.browser, pytest.mark.timeout(150)]

ENDED = "Your session was ended, and not from this page"
LOST = re.compile(r"^(Connecting …|Reconnecting in \d+ s|Offline, next try in \d+ s)$")


async def _complete(visitor, run) -> None:
    answer = await visitor.answered(run)
    pieces = [f"piece {number}." for number in range(1, LINES + 1)]
    await expect(answer).to_have_text(" ".join(pieces))
    await run.locator(".timeline > summary").click()
    assert await visitor.thoughts(run) == [f"line {number}." for number in range(1, LINES + 1)]


async def test_a_network_drop_is_shown_and_loses_and_doubles_nothing(visit, scripted):
    visitor = await visit(scripted)
    run = await visitor.ask("count dropped")
    await expect(run.locator(".answer")).to_contain_text("piece 5.")
    await visitor.context.set_offline(True)
    await expect(visitor.page.locator("#connection")).to_have_text(LOST)
    scripted.open_gate("dropped")
    await visitor.context.set_offline(False)
    await visitor.live()
    await _complete(visitor, run)


async def test_a_question_asked_while_away_is_answered_once_it_is_back(visit, scripted):
    visitor = await visit(scripted)
    await visitor.context.set_offline(True)
    await expect(visitor.page.locator("#connection")).to_have_text(LOST)
    run = await visitor.ask("repeat patience")
    await expect(run.locator(".timeline > summary")).to_have_text("Sending …")
    await visitor.context.set_offline(False)
    await visitor.live()
    assert await (await visitor.answered(run)).inner_text() == "patience"
    assert await visitor.page.locator("article.run").count() == 1


async def test_a_killed_server_leaves_an_interrupted_run_and_all_lines_once(visit, mortal):
    visitor = await visit(mortal)
    run = await visitor.ask("count killed")
    await expect(run.locator(".answer")).to_contain_text("piece 5.")
    await expect(run.get_by_text("line 5.")).to_be_visible()
    mortal.kill()
    await expect(visitor.page.locator("#connection")).to_have_text(LOST)
    mortal.start()
    await visitor.live()
    await visitor.answered(run, "interrupted")
    await expect(run.locator(".failure")).to_contain_text("The server stopped while this was running.")
    await run.locator(".timeline > summary").click()
    assert await visitor.thoughts(run) == [f"line {number}." for number in range(1, LINES // 2)]
    assert await (await visitor.answered(await visitor.ask("repeat alive"))).inner_text() == "alive"


async def test_a_log_that_was_recreated_is_loaded_anew(visit, mortal):
    visitor = await visit(mortal)
    await visitor.answered(await visitor.ask("repeat before"))
    await visitor.page.evaluate("document.querySelector('article.run').dataset.old = 'yes'")
    mortal.kill()
    await expect(visitor.page.locator("#connection")).to_have_text(LOST)
    mortal.forget_events()
    mortal.start()
    await visitor.live()
    run = visitor.run("repeat before")
    await expect(visitor.page.locator("article.run")).to_have_count(1)
    await expect(run.locator(".answer")).to_have_text("before")
    assert await run.get_attribute("data-old") is None
    assert await (await visitor.answered(await visitor.ask("repeat after"))).inner_text() == "after"


async def test_a_token_is_renewed_on_the_open_connection_before_it_expires(visit, forgetful):
    visitor = await visit(forgetful, log_in=False)
    sockets, authentications = [], asyncio.Semaphore(0)

    def sent(payload: str | bytes) -> None:
        if json.loads(payload)["type"] == "authenticate":
            authentications.release()

    def opened(socket: WebSocket) -> None:
        sockets.append(socket)
        socket.on("framesent", sent)

    visitor.page.on("websocket", opened)
    await visitor.log_in()
    for _ in range(3):
        await authentications.acquire()
    assert await (await visitor.answered(await visitor.ask("repeat still here"))).inner_text() == "still here"
    assert len(sockets) == 1


async def test_logging_out_elsewhere_leads_to_the_login(visit, scripted):
    visitor = await visit(scripted)
    token = await visitor.page.evaluate("sessionStorage.getItem('carrel.refresh')")
    answer = await visitor.context.request.post(f"{scripted.url}api/v1/auth/logout", data={"refresh_token": token})
    assert answer.status == 204
    await expect(visitor.page.get_by_label("User name")).to_be_visible(timeout=15_000)
    await expect(visitor.page.get_by_text(ENDED)).to_be_visible()
    await visitor.log_in()
    await visitor.page.get_by_role("button", name="Log out").click()
    await expect(visitor.page.get_by_label("User name")).to_be_visible()
    await expect(visitor.page.get_by_text(ENDED)).to_be_hidden()


async def test_a_disabled_user_is_told_that_the_session_was_ended(visit, scripted):
    visitor = await visit(scripted)
    await scripted.disable(visitor.name)
    await expect(visitor.page.get_by_label("User name")).to_be_visible(timeout=15_000)
    await expect(visitor.page.get_by_text(ENDED)).to_be_visible()
