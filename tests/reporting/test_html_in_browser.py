"""The HTML report in a real browser: nothing loads, nothing runs, everything can be seen, read and filtered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from carrel.findings import BaselineComparison, Fix, Location, Report
from carrel.reporting import HtmlFormat
from tests.reporting.samples import CONTAINER, EMPTY, FULL, large, report
from tests.server.page.conftest import anyio_backend, browser
from tests.server.page.test_accessibility import FAINT, UNNAMED

__all__ = ["anyio_backend", "browser"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(150)]

Open = Callable[..., Awaitable[Page]]
SIDEWAYS = "document.documentElement.scrollWidth - innerWidth"
BREAKOUT = '"></script></style><script>document.title="owned"</script><img src=x onerror=document.title="owned">'


@pytest.fixture
async def open_report(browser: Browser, tmp_path: Path) -> AsyncIterator[Open]:
    """Opens a report as a file; the page may report no problem and ask for nothing but itself."""
    problems: list[str] = []
    requests: list[str] = []
    contexts = []

    async def opened(report: Report, **options: Any) -> Page:
        file = tmp_path / "report.html"
        file.write_text(await asyncio.to_thread(HtmlFormat().render, report), encoding="utf-8")
        context = await browser.new_context(**options)
        contexts.append(context)
        page = await context.new_page()
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        await page.goto(file.as_uri())
        assert requests == [file.as_uri()]
        return page

    yield opened
    for context in contexts:
        await context.close()
    assert problems == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_all_text_has_contrast_and_every_control_a_name(open_report: Open, scheme: str):
    page = await open_report(FULL, color_scheme=scheme)
    assert await page.evaluate(FAINT) == []
    assert await page.evaluate(UNNAMED) == []


@pytest.mark.parametrize("shown", [EMPTY, FULL, large(300)], ids=["empty", "full", "large"])
@pytest.mark.parametrize("width", [360, 1200])
async def test_no_page_scrolls_sideways(open_report: Open, shown: Report, width: int):
    page = await open_report(shown, viewport={"width": width, "height": 800})
    assert await page.evaluate(SIDEWAYS) <= 0
    for summary in await page.locator("summary:visible").element_handles():
        await summary.evaluate("(node) => { node.parentElement.open = true; }")
    assert await page.evaluate(SIDEWAYS) <= 0


async def test_the_filter_shows_what_it_says(open_report: Open):
    page = await open_report(FULL)
    shown = page.locator(".finding:visible")
    await expect(page.locator("#shown")).to_have_text("3 of 3")
    await page.get_by_label("error").uncheck()
    await expect(shown).to_have_count(1)
    await expect(page.locator("#shown")).to_have_text("1 of 3")
    await expect(page.locator(".file:visible")).to_have_count(1)
    await page.get_by_label("only new").check()
    await expect(page.get_by_text("No finding matches the filter.")).to_be_visible()
    await page.get_by_label("error").check()
    await expect(shown).to_have_count(2)
    await page.locator("#filter select").select_option("CAR001")
    await expect(shown).to_have_count(1)
    await page.locator("#filter select").select_option("")
    await page.get_by_label("Path").fill("THREADS")
    await expect(shown).to_have_count(1)
    await expect(shown).to_contain_text("A second user reads a thread of the first.")


async def test_a_cell_of_the_map_shows_its_file(open_report: Open):
    page = await open_report(FULL)
    await page.locator(".wide-only a[data-path='app/service.py']").click()
    await expect(page.get_by_label("Path")).to_have_value("app/service.py")
    await expect(page.locator(".finding:visible")).to_have_count(2)


async def test_all_findings_fold_and_unfold(open_report: Open):
    page = await open_report(large(120))
    await expect(page.locator("details.finding[open]")).to_have_count(0)
    await page.get_by_role("button", name="Unfold all").click()
    await expect(page.locator("details.finding[open]")).to_have_count(120)
    await page.get_by_role("button", name="Fold all").click()
    await expect(page.locator("details.finding[open]")).to_have_count(0)


async def test_without_scripts_everything_but_the_filter_is_there(open_report: Open):
    page = await open_report(FULL, java_script_enabled=False)
    await expect(page.locator(".finding")).to_have_count(3)
    await expect(page.locator("#filter")).to_be_hidden()
    await expect(page.locator("mark").first).to_be_visible()


async def test_a_printed_page_shows_folded_findings(open_report: Open):
    page = await open_report(large(120))
    source = page.locator(".finding .source").first
    await expect(source).to_be_hidden()
    await page.emulate_media(media="print")
    await expect(source).to_be_visible()
    await expect(page.locator("#filter")).to_be_hidden()


async def test_nothing_that_was_checked_runs(open_report: Open):
    hostile = replace(
        CONTAINER,
        location=Location(path=f"{BREAKOUT}.py", line=1, column=0, end_line=1, end_column=9, note=BREAKOUT),
        rule=BREAKOUT,
        code=BREAKOUT,
        message=BREAKOUT,
        why=BREAKOUT,
        symbol=BREAKOUT,
        fix=Fix(description=BREAKOUT, diff=BREAKOUT),
        evidence=BREAKOUT,
        reachable_from=(BREAKOUT,),
    )
    made = report(hostile, root="shop", sources=lambda path: (BREAKOUT, BREAKOUT))
    page = await open_report(made)
    assert await page.title() == "carrel audit: shop"
    await expect(page.locator("img")).to_have_count(0)
    await expect(page.locator("script")).to_have_count(1)
    await expect(page.locator(".source").first).to_contain_text(BREAKOUT)


async def test_the_policy_would_stop_what_was_not_escaped(browser: Browser):
    context = await browser.new_context()
    page = await context.new_page()
    broken = (await asyncio.to_thread(HtmlFormat().render, EMPTY)).replace(
        "</main>", f"{BREAKOUT}<p style='color:red'>red</p></main>"
    )
    await page.set_content(broken)
    assert await page.title() == "carrel audit: /srv/shop"
    assert (
        await page.get_by_text("red", exact=True).evaluate("(node) => getComputedStyle(node).color") != "rgb(255, 0, 0)"
    )
    await context.close()


async def test_two_thousand_findings_are_filtered(open_report: Open):
    many = large()
    page = await open_report(
        replace(many, summary=replace(many.summary, baseline=BaselineComparison(new=0, known=0, gone=0)))
    )
    await expect(page.locator("#shown")).to_have_text("2,000 of 2,000")
    await page.get_by_label("Path").fill("people/module_1.py")
    await expect(page.locator(".file:visible")).to_have_count(1)
