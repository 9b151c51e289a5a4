"""`carrel-chart` blocks become figures; what is none stays code."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.server.page.conftest import Visit
from tests.server.page.server_process import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.timeout(150)]

CHART: dict[str, Any] = {
    "type": "bar",
    "title": "Spend by model",
    "unit": "USD",
    "labels": ["gpt-4o", "gpt-4o-mini"],
    "series": [{"name": "today", "values": [812.4, 129.5]}, {"name": "after", "values": [341.1, 102.3]}],
}


DRAW = """async (text) => {
  const { MarkdownView } = await import("/static/markdown.js");
  const node = document.querySelector("main").appendChild(document.createElement("div"));
  node.className = "answer";
  new MarkdownView(node).update(text, { final: true });
}"""


@pytest.fixture
async def page(visit: Visit, scripted: ServerProcess) -> Page:
    """The login page, which has all styles and needs no account."""
    visitor = await visit(scripted, log_in=False, viewport={"width": 360, "height": 700})
    return visitor.page


async def draw(page: Page, chart: object) -> Locator:
    """The chart as the page's Markdown draws it."""
    await page.evaluate(DRAW, f"```carrel-chart\n{chart if isinstance(chart, str) else json.dumps(chart)}\n```")
    return page.locator(".answer").last


async def test_bars_are_as_long_as_their_values(page):
    answer = await draw(page, CHART)
    await expect(answer.locator("figcaption")).to_have_text("Spend by model USD")
    await expect(answer.locator(".legend li")).to_have_text(["today", "after"])
    widths = await answer.locator("rect").evaluate_all("nodes => nodes.map((node) => node.width.baseVal.value)")
    assert [round(width / widths[0], 2) for width in widths] == [1.0, 0.42, 0.16, 0.13]
    image = answer.get_by_role("img")
    assert "Bar chart: Spend by model, in USD" in (await image.get_attribute("aria-label") or "")


async def test_the_data_are_there_as_a_table(page):
    answer = await draw(page, CHART)
    await answer.get_by_text("Show the data").click()
    await expect(answer.get_by_role("row")).to_have_count(3)
    await expect(answer.get_by_role("rowheader", name="gpt-4o", exact=True)).to_be_visible()
    await expect(answer.get_by_role("cell", name="812.4")).to_be_visible()


async def test_lines_have_axes_and_a_point_for_each_value(page):
    answer = await draw(page, {**CHART, "type": "line"})
    assert await answer.locator("path.line").count() == 2
    assert await answer.locator(".dot").count() == 4
    await expect(answer.locator("text.tick").last).to_be_visible()


@pytest.mark.parametrize("count", [2, 5, 14, 30, 90])
async def test_the_labels_of_a_line_do_not_lie_over_each_other(page, count):
    days = [f"2026-10-{day:02}" for day in range(1, count + 1)]
    series = [{"name": "today", "values": list(range(count))}]
    answer = await draw(page, {**CHART, "type": "line", "labels": days, "series": series})
    boxes = await answer.locator("text.tick").evaluate_all(
        "nodes => nodes.filter((node) => node.textContent.startsWith('2026'))"
        ".map((node) => node.getBoundingClientRect()).map((box) => [box.left, box.right])"
    )
    assert boxes
    assert all(left > right for (_, right), (left, _) in itertools.pairwise(boxes))


MALFORMED = (
    "no json",
    {**CHART, "type": "pie"},
    {**CHART, "labels": []},
    {**CHART, "labels": ["only one"]},
    {**CHART, "series": []},
    {**CHART, "series": [{"name": "today", "values": [1, "2"]}]},
    {**CHART, "series": [{"name": "today", "values": [1, None]}]},
    {**CHART, "title": 5},
    [CHART],
    "null",
    '{"type":"constructor"}',
)


async def test_a_malformed_chart_is_shown_as_code(page):
    for broken in MALFORMED:
        answer = await draw(page, broken)
        await expect(answer.locator("pre code")).to_have_text(broken if isinstance(broken, str) else json.dumps(broken))
        assert await answer.locator("figure").count() == 0


async def test_any_numbers_can_be_drawn(page):
    for values in ([0, 0], [-5, 5], [1e-7, 2e-7], [1e12, 1]):
        for kind in ("bar", "line"):
            answer = await draw(page, {**CHART, "type": kind, "series": [{"name": "today", "values": values}]})
            drawing = answer.locator("figure svg")
            await expect(drawing).to_be_visible()
            assert "NaN" not in await drawing.inner_html()
