"""Callbacks that stay on shared objects, and those that go with the request."""

from __future__ import annotations

import pytest

from carrel.audit.rules.callbacks_pile_up import CallbacksPileUp
from tests.audit.checking import findings, finds, quiet

RULE = CallbacksPileUp()
AGENT = "class Agent:\n    def __init__(self):\n        self.callbacks = []\nagent = Agent()\n"
APP = "from fastapi import FastAPI\napp = FastAPI()\n"


@pytest.mark.parametrize(
    "hang",
    [
        "agent.callbacks.append(Collector(text))",
        "collector = Collector(text)\n    agent.callbacks.append(collector)",
        "agent.callbacks.append(lambda word: words.append(word))",
        "def hear(word):\n        words.append(word)\n    agent.add_listener(hear)",
    ],
)
def test_a_callback_of_one_request_on_a_shared_agent(hang: str) -> None:
    finds(
        RULE,
        AGENT
        + APP
        + f"@app.post('/run')\nasync def run(text: str):\n    words = []\n    {hang}\n    await agent.run(text)\n",
        "error",
    )


def test_an_agent_from_a_registry() -> None:
    registry = AGENT.replace(
        "agent = Agent()", "AGENTS = {'research': Agent()}\ndef get_agent(name):\n    return AGENTS[name]"
    )
    finds(
        RULE,
        registry + "def run(user_id):\n    get_agent('research').callbacks.append(Collector(user_id))\n",
        "warning",
    )


def test_a_handler_on_a_logger_by_name_even_if_it_is_removed() -> None:
    code = (
        "import logging\nasync def run(user_id, lines):\n    logger = logging.getLogger('agent')\n"
        "    handler = ToList(lines)\n"
        "    logger.addHandler(handler)\n    try:\n        await work()\n    finally:\n"
        "        logger.removeHandler(handler)\n"
    )
    finds(RULE, code, "warning", on="addHandler")
    quiet(RULE, code.replace("logging.getLogger('agent')", "logging.Logger('agent')"))
    quiet(RULE, code.replace("logging.getLogger('agent')", "logging.getLogger(user_id)"))


def test_an_object_that_was_made_with_a_user() -> None:
    run = "class Run:\n    def __init__(self, {0}):\n        self.it = {0}\n    def run(self, text):\n{1}"
    hang = "        agent.callbacks.append(lambda word: self.heard(word))\n"
    finds(RULE, AGENT + run.format("user_id", hang), "warning")
    finds(RULE, AGENT + run.format("level", hang), "info")


def test_without_a_user_in_sight_it_is_only_mentioned() -> None:
    finds(RULE, AGENT + "def run(text):\n    agent.callbacks.append(Collector(text))\n", "info")


@pytest.mark.parametrize(
    "body",
    [
        "agent.run(user_id, callbacks=[Collector(user_id)])",
        "own = Agent()\n    own.callbacks.append(Collector(user_id))",
        "agent.callbacks.append(Collector())",
        "agent.callbacks.append(log_everything)",
        "agent.callbacks.append(callback)",
        (
            "c = Collector(user_id)\n    agent.callbacks.append(c)\n    try:\n        agent.run()\n"
            "    finally:\n        agent.callbacks.remove(c)"
        ),
        "for one in agent.callbacks:\n        agent.callbacks.append(one)",
        "agent.names.append(Collector(user_id))",
        "for one in named(user_id):\n        one = load(one)\n        agent.callbacks.append(one)",
    ],
)
def test_what_goes_with_the_request(body: str) -> None:
    quiet(RULE, AGENT + f"def run(user_id, callback):\n    {body}\n")


@pytest.mark.parametrize("name", ["setup", "configure_agent", "__init__", "register_user_hooks"])
def test_what_is_hung_once_at_the_start(name: str) -> None:
    quiet(
        RULE, AGENT + f"class A:\n    def {name}(self, user_id):\n        agent.callbacks.append(Collector(user_id))\n"
    )


def test_an_object_that_the_caller_hands_over_is_quiet() -> None:
    quiet(RULE, "def run(agent, user_id):\n    agent.callbacks.append(Collector(user_id))\n")
    quiet(RULE, "class Run:\n    def go(self, user_id):\n        self.callbacks.append(Collector(user_id))\n")


def test_what_is_asked_for_by_a_key_is_no_callback() -> None:
    stream = "class Stream:\n    def subscribe(self, key, start=None): ...\nstream = Stream()\n"
    route = "@app.get('/run')\nasync def run(name: str):\n    key = {0}(name)\n    await stream.subscribe(key)\n"
    quiet(RULE, stream + APP + route.format("key_for_run"))
    finds(RULE, stream + APP + route.format("make_listener"), "error")


@pytest.mark.parametrize(
    ("body", "is_found"),
    [
        ("self.model.callbacks.append(handler)\n        await self.chain.ainvoke(text)", True),
        ("await self.chain.ainvoke(text, callbacks=[handler])", False),
        ("self.model.callbacks.append(handler)", False),
        ("self.callbacks.append(handler)\n        await self.chain.ainvoke(text)", False),
        ("self.model.callbacks.append(handler)\n        self.run(text)\n        self.model.callbacks.clear()", False),
    ],
)
def test_a_handler_that_is_handed_over_for_one_run(body: str, *, is_found: bool) -> None:
    source = (
        "class Engine:\n    def __init__(self):\n        self.model = ChatAnthropic(callbacks=[])\n"
        f"    async def draft(self, text, handler):\n        {body}\n"
        f"engine = Engine()\n{APP}@app.post('/x')\nasync def draft(text: str):\n"
        "    await engine.draft(text, Queue())\n"
    )
    if is_found:
        finds(RULE, source, "error", on="append")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("body", "is_found"), [("self.listeners.append(listener)", True), ("return Progress(listener)", False)]
)
def test_a_method_that_keeps_its_listener(body: str, *, is_found: bool) -> None:
    files = {
        "engine.py": f"class Engine:\n    def __init__(self):\n        self.listeners = []\n"
        f"    def on_progress(self, listener):\n        {body}\nengine = Engine()\n",
        "app.py": f"import asyncio\nfrom engine import engine\n{APP}@app.get('/x')\nasync def run(topic: str):\n"
        "    queue = asyncio.Queue()\n    engine.on_progress(queue.put)\n    await engine.run(topic)\n",
    }
    if is_found:
        finds(RULE, files, "error", on="on_progress")
        quiet(RULE, {**files, "app.py": files["app.py"].replace("queue.put", "queue.maxsize")})
    else:
        quiet(RULE, files)


@pytest.mark.parametrize(("decorator", "is_found"), [("@cl.on_chat_start\n", True), ("", False)])
def test_an_entry_point_is_no_set_up_whatever_its_name_is(decorator: str, *, is_found: bool) -> None:
    files = {
        "chain.py": "from langchain_core.callbacks import CallbackManager\nmanager = CallbackManager(handlers=[])\n",
        "app.py": "import chainlit as cl\nfrom chain import manager\nfrom journal import JournalHandler\n"
        f"{decorator}async def start():\n    member = cl.user_session.get('user')\n"
        "    manager.add_handler(JournalHandler(member.identifier))\n",
    }
    if is_found:
        finds(RULE, files, "error", on="add_handler")
    else:
        quiet(RULE, files)


@pytest.mark.parametrize(
    ("made", "hung", "is_found"),
    [
        ("asyncio.Queue()", "Handler(queue)", True),
        ("[]", "Handler(words=queue)", True),
        ("current_level()", "Handler(queue)", False),
        ("asyncio.Queue()", "Handler(LEVEL)", False),
    ],
)
def test_a_handler_that_is_given_a_queue_made_for_the_request(made: str, hung: str, *, is_found: bool) -> None:
    source = (
        "import asyncio\nfrom fastapi import FastAPI\napp = FastAPI()\nexecutor = AgentExecutor(callbacks=[])\n"
        f"@app.post('/ask')\nasync def ask(body: Ask):\n    queue = {made}\n    executor.callbacks.append({hung})\n"
        "    return await executor.ainvoke(body.question)\n"
    )
    if is_found:
        finds(RULE, source, "error", on="callbacks.append")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("kept", "body", "is_found"),
    [
        ("self.listeners[event].append(listener)", "planner.on('delta', forward)", True),
        ("return event, listener", "planner.on('delta', forward)", False),
        ("self.listeners[event].append(listener)", "Planner().on('delta', forward)", False),
        ("self.listeners[event].append(listener)", "planner.on('delta', forward)\n        planner.off(forward)", False),
    ],
)
def test_a_listener_on_one_planner_for_all(kept: str, body: str, *, is_found: bool) -> None:
    files = {
        "planner.py": "class Planner:\n    def __init__(self):\n        self.listeners = {}\n"
        f"    def on(self, event, listener):\n        {kept}\nplanner = Planner()\n",
        "ws.py": "from starlette.endpoints import WebSocketEndpoint\nfrom planner import Planner, planner\n"
        "class Live(WebSocketEndpoint):\n    async def on_connect(self, websocket):\n"
        f"        async def forward(delta):\n            await websocket.send_json(delta)\n        {body}\n",
    }
    if is_found:
        finds(RULE, files, "error", on="planner.on")
    else:
        quiet(RULE, files)


@pytest.mark.parametrize(
    ("hang", "leave", "is_found"),
    [
        ("self.sub = channel.subscribe(hear)", "self.sub.unsubscribe()", False),
        ("return channel.subscribe(hear)", "self.sub.unsubscribe()", False),
        ("self.sub = await channel.subscribe(hear)", "self.sub.unsubscribe()", False),
        ("await channel.subscribe(hear)", "self.sub.unsubscribe()", True),
        ("channel.subscribe(hear)", "self.sub.unsubscribe()", True),
        ("self.sub = channel.subscribe(hear)", "self.sub.count()", True),
        ("self.sub = channel.subscribe(hear)", "channel.detach(self.sub)", False),
        ("self.sub = channel.subscribe(hear)", "channel.detach(self.other)", True),
    ],
)
def test_a_subscription_that_its_own_handle_ends(hang: str, leave: str, *, is_found: bool) -> None:
    source = (
        "class Channel:\n    def subscribe(self, to):\n        self.all.append(to)\nchannel = Channel()\n"
        "class Socket:\n    async def watch(self, user_id):\n        def hear(message):\n"
        "            self.send(user_id, message)\n"
        f"        {hang}\n    def leave(self):\n        {leave}\n"
    )
    if is_found:
        finds(RULE, source, "warning")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("hung", "is_found"),
    [
        ("desk.tap(lambda text: heard.append(text))", True),
        ("desk.tap(print)", False),
        ("desk.submit(lambda text: heard.append(text))", False),
        ("desk.look(lambda text: heard.append(text))", False),
    ],
)
def test_a_function_of_this_call_that_a_shared_object_keeps(hung: str, *, is_found: bool) -> None:
    source = (
        f"{APP}class Desk:\n    def __init__(self):\n        self.taps = []\n    def tap(self, heard):\n"
        "        self.taps.append(heard)\n    submit = tap\n    def look(self, at):\n        at('x')\ndesk = Desk()\n"
        f"@app.post('/x')\nasync def ask(text: str):\n    heard = []\n    {hung}\n    return heard\n"
    )
    if is_found:
        finds(RULE, source, "error", on="desk.tap")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("made", "is_found"),
    [
        ("solver.addHandler(StreamHandler(trace))", True),
        ("Settings.callbacks.add_handler(recorder)", True),
        ("Local().add_handler(recorder)", False),
    ],
)
def test_what_a_module_or_a_library_has_one_of(made: str, *, is_found: bool) -> None:
    source = (
        "import logging\nfrom logging import StreamHandler\nfrom io import StringIO\n"
        "from indexer import Settings, Recorder\n"
        f"{APP}solver = logging.getLogger('solver')\n@app.post('/x')\nasync def ask(text: str):\n"
        f"    trace = StringIO()\n"
        f"    recorder = Recorder()\n    {made}\n    return recorder.events(), trace.getvalue()\n"
    )
    if is_found:
        finds(RULE, source, "error", on="ddHandler" if "solver" in made else "add_handler")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("hung", "is_found"),
    [
        ("def hear(words):\n        heard.append(words)\n    desk.on('words', hear)", True),
        ("@desk.on('words')\n    def hear(words):\n        heard.append(words)", True),
        (
            "def hear(words):\n        heard.append(words)\n    desk.on('words', hear)\n    desk.off('words', hear)",
            False,
        ),
        (
            "def hear(words):\n        pass\n    desk.on('words', hear)\n    def end():\n        desk.off('w', hear)",
            False,
        ),
        ("def hear(words):\n        pass\n    with desk.connected_to(hear):\n        desk.run(text)", False),
        ("@tool.on('words')\n    def hear(words):\n        heard.append(words)", False),
    ],
)
@pytest.mark.parametrize(("base", "emits"), [("pyee.EventEmitter", True), ("Row", False)])
def test_a_desk_that_calls_who_listens_as_its_base_does(hung: str, base: str, *, emits: bool, is_found: bool) -> None:
    source = (
        f"import pyee\nfrom rows import Row\n{APP}class Desk({base}):\n    def run(self, text):\n"
        "        self.emit('words', text)\ndesk = Desk()\n"
        f"@app.post('/x')\nasync def ask(text: str, tool):\n    heard = []\n    {hung}\n"
        "    desk.run(text)\n    return heard\n"
    )
    (finds if is_found and emits else quiet)(RULE, source)


@pytest.mark.parametrize(
    ("used", "severity"), [("recorder.setLevel(1)", "info"), ("return recorder.events()", "error")]
)
def test_an_object_of_a_library_hears_what_is_asked_for_afterwards(used: str, severity: str) -> None:
    source = (
        f"from indexer import Settings, Recorder\n{APP}@app.post('/x')\nasync def ask(text: str):\n"
        f"    recorder = Recorder()\n    Settings.callbacks.add_handler(recorder)\n    {used}\n"
    )
    if severity == "error":
        finds(RULE, source, severity, on="add_handler")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("tap", "is_found"), [("ws.send_text", True), ("ws.state", False), ("print", False)])
def test_the_way_back_to_the_client_that_a_shared_object_keeps(tap: str, *, is_found: bool) -> None:
    source = (
        "from fastapi import FastAPI, WebSocket\napp = FastAPI()\nclass Brain:\n    def __init__(self):\n"
        "        self.taps = set()\n    def observe(self, tap):\n        self.taps.add(tap)\nbrain = Brain()\n"
        f"@app.websocket('/x')\nasync def think(ws: WebSocket):\n    brain.observe({tap})\n"
    )
    if is_found:
        finds(RULE, source, "error", on="brain.observe")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("run", "is_found"), [("executor.invoke(text)", True), ("other.invoke(text)", False), ("text", False)]
)
def test_a_helper_hangs_what_it_is_handed_for_one_run_of_the_modules_object(run: str, *, is_found: bool) -> None:
    source = (
        f"from agents import make, other\n{APP}executor = make(callbacks=[])\n"
        f"def launch(text, handler):\n    executor.callbacks.append(handler)\n    return {run}\n"
        "@app.post('/x')\nasync def ask(text: str):\n    return launch(text, Recorder())\n"
    )
    if is_found:
        finds(RULE, source, "error", on="append")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("base", "is_found"), [("tornado.websocket.WebSocketHandler", True), ("acme.Window", False), ("object", False)]
)
def test_a_log_handler_that_knows_its_connection(base: str, *, is_found: bool) -> None:
    source = (
        "import acme, logging\nimport tornado.websocket\nlog = logging.getLogger('x')\n"
        f"class Socket({base}):\n    def job_log(self):\n        log.addHandler(ToSocket(self))\n"
        "    async def on_message(self, message):\n        self.job_log()\n"
    )
    if is_found:
        finds(RULE, source, "error", on="addHandler")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("hung", "is_found"),
    [
        ("agent.step_callbacks.register(Step, note)", True),
        ("agent.step_callbacks.submit(note)", False),
        ("agent.step_callbacks.register(Step, known)", False),
    ],
)
def test_a_list_of_callbacks_that_registers(hung: str, *, is_found: bool) -> None:
    source = (
        "import gradio as gr\nfrom agents import Agent, known\nagent = Agent()\n"
        "def answer(question, history, request: gr.Request):\n    def note(step):\n        steps.append(step)\n"
        f"    {hung}\n"
        "    return agent.run(question)\ndemo = gr.ChatInterface(answer)\n"
    )
    if is_found:
        finds(RULE, source, "error", on="register")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("name", "is_found"), [("answer", True), ("upgrade", False), ("migrate_all", False)])
def test_a_step_of_maintenance_serves_no_request(name: str, *, is_found: bool) -> None:
    source = (
        "import io, logging\nlogger = logging.getLogger('agent')\n"
        f"def {name}(request, text):\n    handler = logging.StreamHandler(io.StringIO(text))\n"
        "    logger.addHandler(handler)\n    work(text)\n"
    )
    assert bool(findings(RULE, source)) is is_found


@pytest.mark.parametrize(
    ("taken", "is_found"),
    [
        ("agent, journal = request.app['agent'], request.app['journal']", True),
        ("agent, journal = TriageAgent(), request.app['journal']", False),
    ],
)
@pytest.mark.parametrize(
    ("hook", "is_own"), [("partial(journal.add, request['patient'])", True), ("journal.add", False)]
)
def test_a_hook_on_the_agent_of_the_application(taken: str, hook: str, *, is_found: bool, is_own: bool) -> None:
    source = (
        "from functools import partial\nfrom aiohttp import web\nfrom acme import TriageAgent\n"
        f"async def triage(request):\n    {taken}\n    agent.add_hook({hook})\n"
        "    return web.json_response(await agent.run(await request.text()))\n"
        "app = web.Application()\napp['agent'] = TriageAgent()\napp.add_routes([web.post('/triage', triage)])\n"
    )
    if is_found and is_own:
        finds(RULE, source, "error", on="add_hook")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("taken_off", "is_found"),
    [
        ("hub.unregister(connection_id)", False),
        ("hub.unregister(user)", True),
        ("others.unregister(connection_id)", True),
        ("pass", True),
    ],
)
def test_a_callback_that_is_kept_under_a_key_and_taken_off_by_it(taken_off: str, *, is_found: bool) -> None:
    hub = (
        "class Hub:\n    def __init__(self):\n        self.sends = {}\n"
        "    def register(self, key, send):\n        self.sends[key] = send\n"
        "    def unregister(self, key):\n        self.sends.pop(key, None)\nhub = Hub()\nothers = Hub()\n"
    )
    source = (
        f"from uuid import uuid4\nfrom fastapi import FastAPI, WebSocket\napp = FastAPI()\n{hub}"
        "@app.websocket('/ws/{user}')\nasync def listen(websocket: WebSocket, user: str):\n"
        "    connection_id = uuid4().hex\n"
        "    async def send_frame(frame):\n        await websocket.send_json(frame)\n"
        "    hub.register(connection_id, send_frame)\n"
        "    try:\n        while True:\n            await websocket.receive_text()\n"
        f"    finally:\n        {taken_off}\n"
    )
    assert bool(findings(RULE, source)) is is_found
