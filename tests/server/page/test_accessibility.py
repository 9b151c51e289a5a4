"""Keyboard, names and roles, contrast of the two themes, and narrow windows."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import expect

from tests.server.page.conftest import Visit
from tests.server.page.server_process import ServerProcess
from tests.server.page.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(150)]

UNNAMED = """() => [...document.querySelectorAll(
    "button, a[href], input, select, textarea, summary, [role=region], dialog[open]")]
  .filter((node) => node.checkVisibility())
  .filter((node) => {
    const labelled = node.getAttribute("aria-label") || node.getAttribute("aria-labelledby");
    return !labelled && !node.labels?.length && node.textContent.trim() === "";
  })
  .map((node) => node.outerHTML.slice(0, 80))"""

FAINT = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgb = (css) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = css;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (css) => {
    const [r, g, b] = rgb(css).map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if (rgb(colour)[3] > 250) return colour;
    }
    return "white";
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const faint = new Set();
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !node.checkVisibility()) continue;
    if (node.closest("button:disabled, svg, .visually-hidden")) continue;
    const [a, b] = [light(getComputedStyle(node).color), light(ground(node))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) faint.add(`${ratio.toFixed(2)} ${node.className || node.tagName}`);
  }
  return [...faint];
}"""


async def at_work(visit: Visit, server: ServerProcess, **options: Any) -> Visitor:
    """A visitor who looks at an answered question with its steps unfolded."""
    visitor = await visit(server, **options)
    run = await visitor.ask("work on the sum")
    await visitor.answered(run)
    await run.locator(".timeline > summary").click()
    await run.locator('[data-tool="add"] summary').click()
    return visitor


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_all_text_has_contrast_and_every_control_a_name(visit, scripted, scheme):
    visitor = await at_work(visit, scripted, color_scheme=scheme)
    page = visitor.page
    assert await page.evaluate(UNNAMED) == []
    assert await page.evaluate(FAINT) == []
    for shortcut in ("Alt+U", "Alt+/"):
        await page.keyboard.press(shortcut)
        await expect(page.locator("dialog[open]")).to_have_count(1)
        assert await page.evaluate(UNNAMED) == []
        assert await page.evaluate(FAINT) == []
        await page.keyboard.press("Escape")
    await page.keyboard.press("Alt+N")
    await expect(page.locator("#welcome")).to_be_visible()
    assert await page.evaluate(FAINT) == []


async def test_the_landmarks_and_the_headings_are_there(visit, scripted):
    visitor = await at_work(visit, scripted)
    page = visitor.page
    await expect(page.get_by_role("main")).to_have_count(1)
    await expect(page.get_by_role("navigation", name="Threads")).to_be_visible()
    await expect(page.get_by_role("heading", level=1)).to_have_count(1)
    await expect(page.get_by_role("heading", level=2, name="work on the sum")).to_be_visible()
    await expect(page.get_by_role("region", name="Conversation")).to_be_visible()
    await expect(page.locator("#announcer")).to_have_text("The answer is complete.")
    await expect(page.locator("html")).to_have_attribute("lang", "en")


async def test_everything_is_done_with_the_keyboard(visit, scripted):
    visitor = await visit(scripted)
    page, keyboard = visitor.page, visitor.page.keyboard
    await expect(page.get_by_label("Your message")).to_be_focused()
    await keyboard.type("repeat one")
    await keyboard.press("Shift+Enter")
    await keyboard.type("two")
    await keyboard.press("Enter")
    await visitor.answered(page.locator("article.run"))
    assert await page.get_by_role("heading", level=2).inner_text() == "repeat one\ntwo"
    await keyboard.press("Alt+N")
    await expect(page.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    await expect(page.get_by_label("Your message")).to_be_focused()
    await keyboard.press("Alt+ArrowDown")
    await expect(page.get_by_role("heading", level=2, name="repeat one")).to_be_visible()
    await keyboard.press("Alt+/")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    await keyboard.press("Escape")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()


async def test_the_first_tab_stop_skips_to_the_message_box(visit, scripted):
    visitor = await visit(scripted)
    skip = visitor.page.get_by_role("link", name="Skip to the message box")
    first = visitor.page.locator("#workspace").locator("a[href], button, input, [tabindex]").first
    assert await skip.evaluate("(node, other) => node === other", await first.element_handle())
    await skip.focus()
    await expect(skip).to_be_in_viewport()
    await visitor.page.keyboard.press("Enter")
    await expect(visitor.page.get_by_label("Your message")).to_be_focused()


async def test_a_phone_never_scrolls_sideways_and_has_the_threads_in_a_drawer(visit, scripted):
    visitor = await at_work(visit, scripted, viewport={"width": 360, "height": 740})
    page = visitor.page
    sideways = "document.documentElement.scrollWidth - innerWidth"
    assert await page.evaluate(sideways) <= 0
    assert (
        await page.evaluate(
            "document.querySelector('#scroller').scrollWidth - document.querySelector('#scroller').clientWidth"
        )
        <= 0
    )
    await expect(page.get_by_role("link", name="work on the sum")).to_be_hidden()
    await page.get_by_role("button", name="Open the thread list").click()
    await expect(page.get_by_role("link", name="work on the sum")).to_be_visible()
    await expect(page.get_by_role("button", name="Close the thread list")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("link", name="work on the sum")).to_be_hidden()
    await expect(page.get_by_role("button", name="Open the thread list")).to_be_focused()
    await page.keyboard.press("Alt+U")
    assert await page.evaluate(sideways) <= 0


async def test_the_colours_follow_the_system_until_somebody_chooses(visit, scripted):
    visitor = await visit(scripted, color_scheme="dark")
    page = visitor.page
    ground = "getComputedStyle(document.body).backgroundColor"
    assert await page.evaluate(ground) == "rgb(23, 22, 19)"
    await page.get_by_role("button", name="Colours: as the system").click()
    await expect(page.get_by_role("button", name="Colours: light")).to_be_visible()
    assert await page.evaluate(ground) == "rgb(248, 245, 238)"
    await page.reload()
    assert await page.evaluate(ground) == "rgb(248, 245, 238)"
