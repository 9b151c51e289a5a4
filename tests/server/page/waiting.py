"""Waiting for what a script in the page says."""

from __future__ import annotations

import asyncio
from typing import Any

from playwright.async_api import Page

__all__ = ["becomes"]

PATIENCE_SECONDS = 20.0


async def becomes(page: Page, expression: str, value: Any) -> None:
    """Wait until `expression` has `value`. Playwright's own wait evaluates text there, which the policy forbids."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await page.evaluate(expression) != value:
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"{expression} is {await page.evaluate(expression)!r}, not {value!r}") from None
