"""Asking, watching and stopping, with agents that do as the test says."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import expect

from tests.server.page.waiting import becomes

pytestmark = [pytest.mark.browser, pytest.mark.timeout(150)]

SCROLLED = "Math.round(document.getElementById('scroller').scrollTop)"
BELOW = "(({ scrollHeight: all, scrollTop: above, clientHeight: seen }) => Math.round(all - above - seen))(scroller)"


async def test_the_timeline_shows_the_five_events_with_the_sub_agent_nested(visit, scripted):
    visitor = await visit(scripted)
    run = await visitor.ask("work on the sum")
    assert await (await visitor.answered(run)).inner_text() == "The sum is 5."
    await run.locator(".timeline > summary").click()
    assert await visitor.events(run) == [
        "agent_started",
        "agent_thinking",
        *("agent_started", "agent_thinking", "tool_executing", "tool_completed", "agent_completed"),
        "agent_completed",
    ]
    nested = run.locator('[data-agent="supervisor"] [data-agent="clerk"]')
    await expect(nested).to_contain_text("Adding the numbers.")
    await expect(nested.locator('[data-event="tool_completed"]')).to_have_text(re.compile(r"^succeeded · .*ms$"))


async def test_a_tool_call_shows_its_arguments_and_its_result(visit, scripted):
    visitor = await visit(scripted)
    run = await visitor.ask("work on the sum")
    await visitor.answered(run)
    await run.locator(".timeline > summary").click()
    tool = run.locator('[data-tool="add"]')
    await tool.locator("summary").click()
    await expect(tool.get_by_role("region", name="Arguments")).to_have_text('{\n  "first": 2,\n  "second": 3\n}')
    await expect(tool.get_by_role("region", name="Result")).to_have_text("5")


async def test_a_finished_run_folds_to_one_line(visit, scripted):
    visitor = await visit(scripted)
    run = await visitor.ask("write folded")
    await expect(run.get_by_text("Thinking before the gate.")).to_be_visible()
    scripted.open_gate("folded")
    await visitor.answered(run)
    await expect(run.get_by_text("Thinking before the gate.")).to_be_hidden()
    await expect(run.locator(".timeline > summary")).to_have_text(re.compile(r"^Worked for .* · 1 agent$"))


async def test_an_answer_is_shown_while_it_is_written(visit, scripted):
    visitor = await visit(scripted)
    run = await visitor.ask("write piecemeal")
    answer = run.locator(".answer")
    await expect(answer).to_have_text("The first half of the answer.")
    await expect(answer).to_have_attribute("aria-busy", "true")
    scripted.open_gate("piecemeal")
    await visitor.answered(run)
    await expect(answer).to_have_text("The first half of the answer. The second half of the answer.")
    await expect(answer).to_have_attribute("aria-busy", "false")


async def test_a_reload_in_mid_answer_shows_all_of_it(visit, scripted):
    visitor = await visit(scripted)
    run = await visitor.ask("count reloaded")
    await expect(run.locator(".answer")).to_contain_text("piece 5.")
    await visitor.page.reload()
    await visitor.live()
    run = visitor.run("count reloaded")
    await expect(run.locator(".answer")).to_have_text(" ".join(f"piece {number}." for number in range(1, 6)))
    scripted.open_gate("reloaded")
    answer = await visitor.answered(run)
    assert (await answer.inner_text()).split(". ") == _pieces()
    await run.locator(".timeline > summary").click()
    assert await visitor.thoughts(run) == [f"line {number}." for number in range(1, 13)]


async def test_a_replay_hands_over_to_the_live_connection(visit, scripted):
    visitor = await visit(scripted)
    question = "count handed over"
    run = await visitor.ask(question)
    await expect(run.locator(".answer")).to_contain_text("piece 5.")
    ended = asyncio.Event()
    visitor.page.on("requestfailed", lambda request: ended.set() if "/events?" in request.url else None)
    await visitor.page.reload()
    await expect(visitor.run(question).locator(".answer")).to_contain_text("piece 5.")
    assert not ended.is_set()
    scripted.open_gate("handed")
    await expect(visitor.run(question).locator(".answer")).to_contain_text("piece 9.")
    async with asyncio.timeout(20):
        await ended.wait()
    await expect(visitor.run(question)).to_have_attribute("data-state", "running")
    scripted.open_gate("over")
    await visitor.answered(visitor.run(question))
    await visitor.run(question).locator(".timeline > summary").click()
    assert await visitor.thoughts(visitor.run(question)) == [f"line {number}." for number in range(1, 13)]


async def test_a_page_opened_in_mid_answer_elsewhere_shows_all_of_it(visit, scripted):
    visitor = await visit(scripted)
    run = await visitor.ask("count elsewhere")
    await expect(run.locator(".answer")).to_contain_text("piece 5.")
    other = await visitor.second_tab()
    await other.get_by_role("link", name="count elsewhere").click()
    second = visitor.run("count elsewhere", other)
    await expect(second.locator(".answer")).to_contain_text("piece 5.")
    scripted.open_gate("elsewhere")
    for shown in (run, second):
        answer = await visitor.answered(shown)
        assert (await answer.inner_text()).split(". ") == _pieces()
        await shown.locator(".timeline > summary").click()
        assert await visitor.thoughts(shown) == [f"line {number}." for number in range(1, 13)]


async def test_all_tabs_of_a_user_are_live(visit, scripted):
    visitor = await visit(scripted)
    other = await visitor.second_tab()
    await visitor.ask("repeat seen in both")
    await other.get_by_role("link", name="repeat seen in both").click()
    await expect(visitor.run("repeat seen in both", other).locator(".answer")).to_have_text("seen in both")
    await visitor.ask("repeat and again")
    await expect(visitor.run("repeat and again", other).locator(".answer")).to_have_text("and again")
    assert await other.locator("article.run").count() == 2


async def test_the_steps_of_an_old_run_are_loaded_when_somebody_looks(visit, scripted):
    visitor = await visit(scripted)
    await visitor.answered(await visitor.ask("work on the sum"))
    await visitor.page.reload()
    await visitor.live()
    run = visitor.run("work on the sum")
    await expect(run.locator(".answer")).to_have_text("The sum is 5.")
    assert await visitor.events(run) == []
    await run.locator(".timeline > summary").click()
    await expect(run.locator('[data-event="agent_completed"]')).to_have_count(2)
    assert (await visitor.events(run)).count("agent_started") == 2
    await expect(run).to_have_attribute("data-state", "succeeded")


async def test_a_reader_who_scrolled_up_stays_there_and_one_at_the_end_follows(visit, scripted):
    visitor = await visit(scripted, viewport={"width": 800, "height": 320})
    run = await visitor.ask("count up down")
    await expect(run.locator(".answer")).to_contain_text("piece 5.")
    await becomes(visitor.page, BELOW, 0)
    await visitor.page.locator("#scroller").hover()
    await visitor.page.mouse.wheel(0, -30)
    await becomes(visitor.page, BELOW, 30)
    place = await visitor.page.evaluate(SCROLLED)
    scripted.open_gate("up")
    await expect(run.locator(".answer")).to_contain_text("piece 9.")
    await expect(run.get_by_text("line 9.")).to_be_attached()
    assert await visitor.page.evaluate(SCROLLED) == place
    await visitor.page.mouse.wheel(0, 5_000)
    await becomes(visitor.page, BELOW, 0)
    scripted.open_gate("down")
    await visitor.answered(run)
    await becomes(visitor.page, BELOW, 0)


async def test_a_run_is_stopped_and_says_so(visit, scripted):
    visitor = await visit(scripted)
    run = await visitor.ask("write never")
    await expect(run.locator(".answer")).to_have_text("The first half of the answer.")
    await run.get_by_role("button", name="Stop").click()
    answer = await visitor.answered(run, "cancelled")
    await expect(answer).to_have_text("The first half of the answer.")
    await expect(run.locator(".failure")).to_have_text("Stopped before it was finished.")
    await visitor.page.reload()
    run = visitor.run("write never")
    await expect(run.locator(".failure")).to_have_text("Stopped before it was finished.")
    await expect(run.locator(".answer")).to_have_text("The first half of the answer.")


async def test_agents_of_ones_own_are_introduced_and_can_be_asked_directly(visit, scripted):
    visitor = await visit(scripted)
    await expect(visitor.page.get_by_text("Who is here")).to_be_visible()
    await visitor.page.get_by_role("button", name="clerk: Adds two numbers.").click()
    await expect(visitor.page.get_by_label("Your message")).to_be_focused()
    run = await visitor.ask("two and three")
    assert await (await visitor.answered(run)).inner_text() == "The sum is 5."
    await run.locator(".timeline > summary").click()
    await expect(run.locator("[data-agent]")).to_have_count(1)


async def test_a_question_asked_meanwhile_waits_for_its_turn(visit, scripted):
    visitor = await visit(scripted)
    first = await visitor.ask("write first")
    await expect(first.locator(".answer")).to_have_text("The first half of the answer.")
    second = await visitor.ask("repeat second")
    await expect(second.locator(".timeline > summary")).to_have_text("Waiting for its turn")
    scripted.open_gate("first")
    await visitor.answered(first)
    assert await (await visitor.answered(second)).inner_text() == "second"


async def test_a_failed_run_says_why_and_not_more(visit, scripted):
    visitor = await visit(scripted)
    run = await visitor.ask("fail")
    await visitor.answered(run, "failed")
    await expect(run.locator(".failure")).to_be_visible()


async def test_a_thread_is_renamed(visit, scripted):
    visitor = await visit(scripted)
    await visitor.answered(await visitor.ask("repeat something"))
    await visitor.page.get_by_role("link", name="repeat something").hover()
    await visitor.page.get_by_role("button", name="Rename repeat something").click()
    await visitor.page.get_by_label("Title").fill("A better name")
    await visitor.page.keyboard.press("Enter")
    await expect(visitor.page.get_by_role("link", name="A better name")).to_be_focused()
    await expect(visitor.page.get_by_role("heading", level=1, name="A better name")).to_be_visible()
    await visitor.page.reload()
    await expect(visitor.page.get_by_role("link", name="A better name")).to_be_visible()


async def test_a_thread_is_deleted_only_when_confirmed(visit, scripted):
    visitor = await visit(scripted)
    await visitor.answered(await visitor.ask("repeat something"))
    link = visitor.page.get_by_role("link", name="repeat something")
    await link.hover()
    await visitor.page.get_by_role("button", name="Delete repeat something").click()
    await visitor.page.keyboard.press("Escape")
    await expect(link).to_be_visible()
    await visitor.page.get_by_role("button", name="Delete repeat something").click()
    await visitor.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(link).to_have_count(0)
    await expect(visitor.page.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    await visitor.page.reload()
    await visitor.live()
    await expect(visitor.page.get_by_text("Your threads will be listed here.")).to_be_visible()


async def test_logging_out_leaves_nothing_behind(visit, scripted):
    visitor = await visit(scripted)
    await visitor.answered(await visitor.ask("repeat a secret of mine"))
    await visitor.page.get_by_role("button", name="Log out").click()
    await expect(visitor.page.get_by_label("User name")).to_be_focused()
    assert "a secret of mine" not in await visitor.page.content()
    assert await visitor.page.evaluate("sessionStorage.length") == 0
    await visitor.page.reload()
    await expect(visitor.page.get_by_label("User name")).to_be_visible()


async def test_a_duplicated_tab_does_not_end_the_login_of_the_first(visit, scripted):
    visitor = await visit(scripted)
    stored = await visitor.page.evaluate("sessionStorage.getItem('carrel.refresh')")
    twin = await visitor.context.new_page()
    await twin.goto(f"{scripted.url}healthz")
    await twin.evaluate("value => sessionStorage.setItem('carrel.refresh', value)", stored)
    await twin.goto(scripted.url)
    await visitor.live(twin)
    renewed = await twin.evaluate("sessionStorage.getItem('carrel.refresh')")
    assert renewed != stored
    await becomes(visitor.page, "sessionStorage.getItem('carrel.refresh')", renewed)
    await visitor.page.reload()
    await visitor.live()
    await twin.reload()
    await visitor.live(twin)


async def test_a_wrong_password_is_told_without_losing_the_name(visit, scripted):
    visitor = await visit(scripted, log_in=False)
    await visitor.page.get_by_label("User name").fill("nobody")
    await visitor.page.get_by_label("Password").fill("wrong")
    await visitor.page.keyboard.press("Enter")
    await expect(visitor.page.get_by_role("alert").first).to_have_text("the user name or the password is wrong")
    await expect(visitor.page.get_by_label("User name")).to_have_value("nobody")


def _pieces() -> list[str]:
    return [*(f"piece {number}" for number in range(1, 12)), "piece 12."]
