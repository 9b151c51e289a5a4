"""Every example runs, and every code block of the tutorial and the how-to guides for agents and tools."""

from __future__ import annotations

import importlib.util
import inspect
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import msgspec
import pytest
from structlog.testing import capture_logs

from carrel import AgentEvent, Supervisor, testing
from carrel.events import RunGrammar
from carrel.runtime.supervisor import supervised

ROOT = Path(__file__).parents[1]
EXAMPLES = tuple(sorted((ROOT / "examples").glob("*.py")))
PAGES = tuple(
    ROOT / "docs" / name
    for name in (
        "tutorial/own-agent.md",
        "how-to/write-an-agent.md",
        "how-to/write-a-tool.md",
        "how-to/use-pydantic-ai.md",
    )
)


class Block(NamedTuple):
    page: str
    line: int
    language: str
    text: str
    printed: str | None
    """The block of text right after it."""


def blocks_of(page: Path) -> Iterator[Block]:
    source = page.read_text()
    found = [
        (source[: match.start()].count("\n") + 1, match[1], match[2], source[match.end() :].lstrip())
        for match in re.finditer(r"^```(\w+)[^\n]*\n(.*?)^```$", source, re.MULTILINE | re.DOTALL)
    ]
    for line, language, text, after in found:
        printed = re.match(r"```text\n(.*?)^```$", after, re.MULTILINE | re.DOTALL)
        yield Block(page.name, line, language, text, printed[1] if printed else None)


BLOCKS = tuple(block for page in PAGES for block in blocks_of(page) if block.language == "python")


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CARREL_MODEL", raising=False)
    monkeypatch.setattr("pydantic_ai.models.ALLOW_MODEL_REQUESTS", False)


@pytest.fixture
def imported() -> Iterator[list[str]]:
    names: list[str] = []
    yield names
    for name in names:
        del sys.modules[name]


def load(path: Path, imported: list[str]) -> ModuleType:
    name = f"example_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    imported.append(name)
    spec.loader.exec_module(module)
    return module


async def ask(agent: str, input: str, runtime: testing.MemoryRuntime) -> Sequence[AgentEvent]:
    """The events of one run of an agent, which must have ended in a regular way."""
    context = runtime.context(permissions=frozenset({"usage:read", "usage:write"}))
    before = len(runtime.events(context))
    with capture_logs():  # one of the guides' agents fails on purpose
        async with runtime.engines.engine(context) as engine:
            await engine.execute_agent(agent, input)
    events = runtime.events(context)[before:]
    grammar = RunGrammar()
    for event in events:
        grammar.accept(event)
    assert grammar.over
    return events


def runtime_of(module: ModuleType) -> testing.MemoryRuntime:
    agents = supervised(module.AGENTS)
    return testing.MemoryRuntime(agents.values(), getattr(module, "TOOLS", ()))


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: f"{block.page}:{block.line}")
async def test_every_block_of_the_pages_runs(
    block: Block, tmp_path: Path, imported: list[str], no_model: None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"block_{block.line}.py"
    path.write_text(block.text)
    module = load(path, imported)
    if block.printed is not None and "print(" in block.text:
        assert capsys.readouterr().out == block.printed
    for name, member in inspect.getmembers(module, inspect.iscoroutinefunction):
        if name.startswith("test_"):
            await member()
    if hasattr(module, "AGENTS"):
        runtime = runtime_of(module)
        for agent in runtime.registry:
            if agent != Supervisor.name:
                events = await ask(agent, "tea", runtime)
                expected = "no_price" if agent == "careful" else None
                assert events[-1].data.get("error", {}).get("code") == expected, events[-1].data


def test_the_pages_have_blocks_to_run() -> None:
    assert len({block.page for block in BLOCKS}) == len(PAGES)


def test_the_tutorials_agent_takes_thirty_lines() -> None:
    (block,) = (block for block in BLOCKS if block.page == "own-agent.md")
    assert block.text.count("\n") <= 30


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
async def test_every_example_can_be_imported_and_its_agents_answer(
    path: Path, imported: list[str], no_model: None
) -> None:
    module = load(path, imported)
    if hasattr(module, "AGENTS"):
        runtime = runtime_of(module)
        for agent in module.AGENTS:
            name = getattr(agent, "name", None) or agent.__name__
            events = await ask(name, "note: from 2026-12-01 to 2026-12-24", runtime)
            assert events[-1].data["status"] == "succeeded", events[-1].data


async def test_own_agent_counts_days_and_keeps_notes(imported: list[str]) -> None:
    module = load(ROOT / "examples" / "own_agent.py", imported)
    runtime = runtime_of(module)
    events = await ask("calendar", "from 2026-12-01 to 2026-12-24", runtime)
    assert events[-1].data["output"] == "From 2026-12-01 to 2026-12-24 there are **23 days**."
    await ask("notebook", "note: buy bread", runtime)
    assert (await ask("notebook", "list", runtime))[-1].data["output"] == "- buy bread"


async def test_the_pydantic_ai_example_calls_its_tools_and_carrels(imported: list[str], no_model: None) -> None:
    module = load(ROOT / "examples" / "pydantic_ai_agent.py", imported)
    events = await ask("librarian", "What is on my list?", runtime_of(module))
    called = {event.data["tool"] for event in events if event.type == "tool_completed"}
    assert called == {"reading_list", "add_title", "today"}
    assert all(event.data["status"] == "succeeded" for event in events if event.type == "tool_completed")


class Server(NamedTuple):
    url: str
    password: str


@pytest.fixture(scope="module")
def tutorial_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server of the tutorial's second step, started the way that the page says, in an empty directory."""
    here = tmp_path_factory.mktemp("tutorial")
    page = ROOT / "docs" / "tutorial" / "own-agent.md"
    blocks = {block.language: block for block in blocks_of(page)}
    (here / "my_agents.py").write_text(blocks["python"].text)
    arguments = re.findall(r'ARGS="([^"]*)"', blocks["bash"].text)[0].split()
    process = subprocess.Popen(
        [sys.executable, "-m", "carrel", "serve", "--data-dir", "data", "--port", "0", *arguments],
        cwd=here,
        env={name: value for name, value in os.environ.items() if not name.startswith("CARREL_")},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        url, password = re.findall(r"carrel is at (\S+)", said), re.findall(r"as demo with the password (\S+)", said)
        yield Server(url[0], password[0])
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


def question() -> str:
    (block,) = (block for block in blocks_of(PAGES[0]) if block.language == "text")
    return block.text.strip()


@pytest.mark.timeout(60)  # it starts a server
async def test_the_tutorials_agent_answers_its_question(tutorial_server: Server, imported: list[str]) -> None:
    client = load(ROOT / "examples" / "client.py", imported).Client(
        tutorial_server.url, "demo", tutorial_server.password
    )
    events = [event async for event in client.ask(question())]
    assert [event["agent"] for event in events if event["type"] == "agent_started"] == ["supervisor", "calendar"]
    assert [event["data"]["arguments"] for event in events if event["type"] == "tool_executing"] == [
        {"day": "2030-01-01"},
        {"day": "2031-01-01"},
    ]
    days = [event["data"]["result"] for event in events if event["type"] == "tool_completed"]
    output = events[-1]["data"]["output"]
    assert output.strip() == f"- 2030-01-01 is {days[0]} days away\n- 2031-01-01 is {days[1]} days away"
    assert events[-1]["parent_request_id"] is None


@pytest.mark.timeout(60)  # it may start a server
async def test_the_example_client_resumes_without_a_lost_or_doubled_event(
    tutorial_server: Server, imported: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = load(ROOT / "examples" / "client.py", imported)
    sockets: list[Any] = []
    connect = module.connect

    class Watched(connect):  # type: ignore[misc, valid-type]
        async def __aenter__(self) -> Any:
            sockets.append(await super().__aenter__())
            return sockets[-1]

    monkeypatch.setattr(module, "connect", Watched)
    client = module.Client(tutorial_server.url, "demo", tutorial_server.password)
    events = []
    async for event in client.ask(question()):
        events.append(event)
        if len(events) in (1, 4):
            sockets[-1].transport.abort()
    assert client.connections > 1
    offsets = [event["offset"] for event in events]
    assert offsets == list(range(offsets[0], offsets[0] + len(offsets)))
    grammar = RunGrammar()
    for event in events:
        grammar.accept(msgspec.convert(event, AgentEvent))
    assert grammar.over


@pytest.mark.timeout(60)  # it may start a server
def test_the_example_client_runs_as_a_program(tutorial_server: Server) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "client.py", "--address", tutorial_server.url, "2030-01-01"],
        env={**os.environ, "CARREL_PASSWORD": tutorial_server.password},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "days_until" in done.stdout
    assert done.stdout.rstrip().endswith("days away")


def test_the_example_client_shows_one_line_for_an_event(imported: list[str]) -> None:
    module = load(ROOT / "examples" / "client.py", imported)
    event = {"offset": 7, "agent": "calendar", "type": "tool_executing", "data": {"tool": "days_until"}}
    assert module.shown(event).split() == ["7", "calendar", "tool_executing", "days_until"]
