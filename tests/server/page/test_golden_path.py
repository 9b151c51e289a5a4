"""The way of a new user, with the agents that ship and the usage file that ships; and two users side by side."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

from tests.server.page.server_process import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.timeout(150)]

QUESTION = "Where can I cut my AI bill?"
EXAMPLE = ROOT / "examples" / "usage.csv"


async def test_a_user_logs_in_uploads_asks_and_watches_until_the_chart_is_drawn(visit, shipped):
    visitor = await visit(shipped)
    page = visitor.page
    await page.get_by_role("button", name="Upload a usage file").click()
    await page.locator("#file").set_input_files(EXAMPLE)
    await expect(page.get_by_text("3,969 rows imported.")).to_be_visible(timeout=20_000)
    await page.keyboard.press("Escape")
    await expect(page.locator("#welcome-lead")).to_contain_text("3,969 records")

    await page.get_by_role("button", name=QUESTION).click()
    run = visitor.run(QUESTION)
    answer = await visitor.answered(run)
    await expect(answer.get_by_role("img").first).to_be_visible()
    await expect(answer.get_by_role("table").first).to_be_visible()
    assert await answer.locator("figure rect").count() > 0

    await run.locator(".timeline > summary").click()
    shown = await visitor.events(run)
    assert set(shown) == {"agent_started", "agent_thinking", "tool_executing", "tool_completed", "agent_completed"}
    assert shown.count("agent_started") == shown.count("agent_completed") >= 2
    assert shown.count("tool_executing") == shown.count("tool_completed") >= 1
    await expect(run.locator('[data-agent="supervisor"] [data-agent]').first).to_be_visible()


async def test_two_users_at_once_see_nothing_of_each_other(visit, scripted):
    ann, bob = await visit(scripted), await visit(scripted)
    canaries = {ann: "canary-7f3a91", bob: "canary-c0ffee"}
    runs = {visitor: await visitor.ask(f"repeat {canary}") for visitor, canary in canaries.items()}
    await asyncio.gather(*(visitor.answered(run) for visitor, run in runs.items()))
    for visitor, canary in canaries.items():
        await expect(runs[visitor].locator(".answer")).to_have_text(canary)
        await runs[visitor].locator(".timeline > summary").click()
    other = {ann: canaries[bob], bob: canaries[ann]}
    for visitor in (ann, bob):
        assert other[visitor] not in await visitor.page.content()
        await visitor.page.reload()
        await visitor.live()
        await expect(visitor.run(f"repeat {canaries[visitor]}").locator(".answer")).to_have_text(canaries[visitor])
        assert other[visitor] not in await visitor.page.content()


async def test_somebody_elses_thread_is_like_one_that_never_was(visit, scripted):
    ann, bob = await visit(scripted), await visit(scripted)
    await ann.answered(await ann.ask("repeat canary-aa11"))
    thread = await ann.page.evaluate("location.hash")
    for address in (thread, "#/threads/01a1faac-0000-7000-8000-000000000000"):
        # From elsewhere: in the open page only the address changes, and with it goes the notice when it is loaded anew.
        await bob.page.goto("about:blank")
        await bob.page.goto(f"{scripted.url}{address}")
        await expect(bob.page.locator("#notice")).to_have_text("That thread does not exist.")
        await expect(bob.page.get_by_role("heading", name="What would you like to know?")).to_be_visible()
        assert "canary-aa11" not in await bob.page.content()


async def test_nothing_is_fetched_from_anywhere_else(visit, shipped):
    visitor = await visit(shipped, log_in=False)
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    await visitor.page.reload()
    await visitor.log_in()
    await visitor.answered(await visitor.ask("Hello, who are you?"))
    assert len(asked) > 30
    assert [url for url in asked if not url.startswith((shipped.url, "data:"))] == []
