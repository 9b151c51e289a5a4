"""A real server in a process of its own, and a real Chromium."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, async_playwright, expect

from tests.server.page.server_process import ServerProcess
from tests.server.page.visitor import Visitor

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
Visit = Callable[..., Awaitable[Visitor]]
MISSING = "CHROMIUM IS MISSING: THE PAGE IS NOT TESTED. Install it: apt-get install chromium"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def browser(anyio_backend: str) -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip(MISSING)
    expect.set_options(timeout=20_000)  # waits end as soon as they can; this is for busy machines
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"],
        )
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with the agents that ship."""
    with ServerProcess(tmp_path_factory.mktemp("shipped")) as server:
        yield server


@pytest.fixture(scope="session")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server whose agents do what `scripted_agents` says."""
    with scripted_server(tmp_path_factory.mktemp("scripted")) as server:
        yield server


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[ServerProcess]:
    """A scripted server of one test's own, to be killed and started again."""
    with scripted_server(tmp_path) as server:
        yield server


@pytest.fixture
def forgetful(tmp_path: Path) -> Iterator[ServerProcess]:
    """A scripted server whose access tokens are good for ten seconds only."""
    with scripted_server(tmp_path, CARREL_ACCESS_TOKEN_SECONDS="10") as server:
        yield server


def scripted_server(directory: Path, **environment: str) -> ServerProcess:
    module = "tests.server.page.scripted_agents"
    options = ("--agents", f"{module}:AGENTS", "--tools", f"{module}:TOOLS")
    return ServerProcess(directory, *options, environment=environment)


@pytest.fixture
async def visit(browser: Browser) -> AsyncIterator[Visit]:
    """Makes visitors, logged in, each a new user in a browser context of its own; no page may report an error."""
    visitors: list[Visitor] = []

    async def arrive(server: ServerProcess, *, log_in: bool = True, **options: Any) -> Visitor:
        visitor = await Visitor.arrive(browser, server, await server.account(), **options)
        visitors.append(visitor)
        if log_in:
            await visitor.log_in()
        return visitor

    yield arrive
    for visitor in visitors:
        await visitor.close()
    assert [problem for visitor in visitors for problem in visitor.problems] == []
