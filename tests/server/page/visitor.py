"""Somebody who uses the page: one account, one browser context."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

from tests.server.page.server_process import PASSWORD, ServerProcess

# What the browser says by itself when the network is down, which some tests are about.
EXPECTED = ("Failed to load resource", "WebSocket connection to")


class Visitor:
    """Steps that tests are made of. `problems` collects everything that a browser calls an error."""

    def __init__(self, server: ServerProcess, name: str, context: BrowserContext, page: Page) -> None:
        self.server = server
        self.name = name
        self.context = context
        self.page = page
        self.problems: list[str] = []
        self._watch(page)

    @classmethod
    async def arrive(cls, browser: Browser, server: ServerProcess, name: str, **options: Any) -> Visitor:
        """A new browser context in front of the login."""
        context = await browser.new_context(**options)
        context.set_default_timeout(20_000)
        visitor = cls(server, name, context, await context.new_page())
        await visitor.page.goto(server.url)
        return visitor

    def _watch(self, page: Page) -> None:
        def console(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning") and not message.text.startswith(EXPECTED):
                self.problems.append(f"console: {message.text}")

        page.on("console", console)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))

    async def log_in(self, page: Page | None = None) -> None:
        page = page or self.page
        await page.get_by_label("User name").fill(self.name)
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Log in").click()
        await self.live(page)

    async def second_tab(self) -> Page:
        """Another tab of the same user, logged in by itself."""
        page = await self.context.new_page()
        self._watch(page)
        await page.goto(self.server.url)
        await self.log_in(page)
        return page

    async def live(self, page: Page | None = None) -> None:
        await expect((page or self.page).locator("#connection")).to_have_text("Live")

    async def ask(self, text: str) -> Locator:
        """Ask in the thread that is shown; the run that this makes."""
        await self.page.get_by_label("Your message").fill(text)
        await self.page.keyboard.press("Enter")
        run = self.run(text)
        await expect(run).to_be_visible()
        return run

    def run(self, text: str, page: Page | None = None) -> Locator:
        """The run whose question is `text`."""
        page = page or self.page
        return page.locator("article.run").filter(has=page.get_by_role("heading", name=text, exact=True))

    async def answered(self, run: Locator, state: str = "succeeded") -> Locator:
        """Wait until a run has ended so; its answer."""
        await expect(run).to_have_attribute("data-state", state)
        return run.locator(".answer")

    async def events(self, run: Locator) -> list[str]:
        """The lifecycle events that the timeline of a run shows, in order."""
        found: list[str] = await run.locator("[data-event]").evaluate_all("nodes => nodes.map(n => n.dataset.event)")
        return found

    async def thoughts(self, run: Locator) -> list[str]:
        """The thoughts in the timeline of a run, in order; it must be unfolded."""
        return await run.locator('[data-event="agent_thinking"] .body').all_inner_texts()

    async def close(self) -> None:
        await self.context.close()
