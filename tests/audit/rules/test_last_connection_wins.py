"""Slots for one connection, and connections kept apart."""

from __future__ import annotations

import pytest

from carrel.audit.rules.last_connection_wins import LastConnectionWins
from tests.audit.checking import finds, quiet

RULE = LastConnectionWins()
HEAD = """
from fastapi import FastAPI, WebSocket
from state import hub, slots
import state
app = FastAPI()
current = None
SOCKETS = {}
class Desk:
    socket = None
@app.websocket("/ws")
async def ws(websocket: WebSocket):
"""
STATE = """
socket = None
slots = {}
class Hub:
    def __init__(self):
        self.client = None
    def attach(self, send):
        self.client = send
    async def tell(self, text):
        await self.client(text)
class Channel:
    def attach(self, websocket):
        self.websocket = websocket
hub = Hub()
"""


def handler(body: str, state: str = STATE) -> dict[str, str]:
    return {"state.py": state, "app.py": HEAD + "".join(f"    {line}\n" for line in body.splitlines())}


@pytest.mark.parametrize(
    "body",
    [
        "global current\ncurrent = websocket",
        "state.socket = websocket",
        "app.state.socket = websocket",
        "slots['current'] = websocket",
        "websocket.app.state.socket = websocket",
        "Desk.socket = websocket",
        "hub.attach(websocket.send_json)",
        "global current\ncurrent = websocket.send_json",
    ],
)
def test_one_slot_for_all(body: str) -> None:
    finds(RULE, handler(body), "error")


def test_a_shared_manager_with_one_attribute() -> None:
    text = "class Manager:\n    async def connect(self, websocket):\n        self.websocket = websocket\n"
    finds(RULE, f"{text}manager = Manager()\n", "error", on="self.websocket")
    quiet(RULE, f"{text}def make():\n    return Manager()\n")


@pytest.mark.parametrize(
    "body",
    [
        "SOCKETS[websocket.user.id] = websocket",
        "slots[websocket.user.id] = websocket",
        "websocket.state.socket = websocket",
        "current = websocket",
        "state.started = True",
        "state.socket = None",
        "hub.attach(print)",
        "desk = Desk()\ndesk.socket = websocket",
    ],
)
def test_what_only_looks_like_it(body: str) -> None:
    quiet(RULE, handler(body))


def test_an_object_for_each_connection() -> None:
    quiet(RULE, handler("channel = state.Channel()\nchannel.attach(websocket)"))
    quiet(RULE, "class Connection:\n    def attach(self, websocket):\n        self.websocket = websocket\n")
    quiet(
        RULE,
        "class Server:\n    def __init__(self, websocket):\n        self.websocket = websocket\ns = Server(None)\n",
    )


@pytest.mark.parametrize(
    ("before", "severity"),
    [
        ("former = self.socket", "error"),
        ("former = self.socket\n        await former.close()", "info"),
        ("await self.socket.close()", "info"),
        ("await self.log.close()", "error"),
    ],
)
def test_one_that_closes_the_former_has_one_at_a_time_on_purpose(before: str, severity: str) -> None:
    code = f"""
class Relay:
    socket = None
    async def attach(self, websocket):
        {before}
        self.socket = websocket
relay = Relay()
@app.websocket("/ws")
async def connect(websocket):
    await relay.attach(websocket)
"""
    finds(RULE, code, severity)


@pytest.mark.parametrize(
    ("used", "app", "is_found"),
    [
        ("await _out.send(text)", "async def handle(connection):\n    bind(connection)\n", True),
        ("_out.write_message(text)", "class Live(WebSocketHandler):\n    def open(self):\n        bind(self)\n", True),
        ("print(_out)", "async def handle(connection):\n    bind(connection)\n", False),
        ("await _out.send(text)", "def main():\n    bind(connect('redis://'))\n", False),
    ],
)
def test_a_global_that_another_file_sets_to_the_connection(used: str, app: str, *, is_found: bool) -> None:
    files = {
        "sink.py": "_out = None\ndef bind(target):\n    global _out\n    _out = target\n"
        f"async def emit(text):\n    {used}\n",
        "app.py": f"from websockets.asyncio.server import serve\nfrom tornado.websocket import WebSocketHandler\n"
        f"from sink import bind\n{app}server = serve(handle, 'localhost', 8765)\n",
    }
    if is_found:
        finds(RULE, files, "error", on="_out = target")
    else:
        quiet(RULE, files)


@pytest.mark.parametrize(("used", "is_found"), [("cls.writer.write_message(text)", True), ("print(cls.writer)", False)])
def test_a_class_that_writes_on_what_it_keeps(used: str, *, is_found: bool) -> None:
    source = (
        "import asyncio\nclass Live:\n    writer = None\n    @classmethod\n    def to(cls, stream):\n"
        f"        cls.writer = stream\n    @classmethod\n    def tell(cls, text):\n        {used}\n"
        "async def handle(reader, writer):\n    Live.to(writer)\nserver = asyncio.start_server(handle, port=9)\n"
    )
    if is_found:
        finds(RULE, source, "error", on="cls.writer = stream")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("handed", "is_found"), [("bridge.attach", True), ("lambda socket: Bridge().attach(socket)", False)]
)
def test_a_method_of_one_object_that_serves_every_connection(handed: str, *, is_found: bool) -> None:
    source = (
        "import websockets\nclass Bridge:\n    async def attach(self, socket):\n        self.peer = socket\n"
        f"async def main():\n    bridge = Bridge()\n    async with websockets.serve({handed}, port=9):\n        pass\n"
    )
    if is_found:
        finds(RULE, source, "error", on="self.peer = socket")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("place", "is_found"),
    [
        ("request.app['links']['display']", True),
        ("request.app['display']", True),
        ("request.app[DISPLAY]", True),
        ("request.app['links'][patient]", False),
        ("request['display']", False),
    ],
)
def test_a_place_on_the_application_with_a_key_that_is_always_the_same(place: str, *, is_found: bool) -> None:
    source = (
        "from aiohttp import web\nDISPLAY = web.AppKey('display')\nasync def display(request: web.Request):\n"
        "    patient = await patient_of(request)\n    ws = web.WebSocketResponse()\n    await ws.prepare(request)\n"
        f"    {place} = ws\n    return ws\napp = web.Application()\napp.router.add_get('/display', display)\n"
    )
    if is_found:
        finds(RULE, source, "error", on="] = ws")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("put", "used", "is_found"),
    [
        ("self.current = peer", "await self.current.send(text)", True),
        ("self.current = peer", "if (one := self.current):\n            await one.send(text)", True),
        ("self.peers['desk'] = peer", "await self.peers.get('desk').send(text)", True),
        ("self.peers['desk'] = peer", "await self.peers['shop'].send(text)", False),
        ("self.peers[peer.id] = peer", "await self.peers['desk'].send(text)", False),
        ("self.current = peer", "print(self.current)", False),
    ],
)
def test_a_shared_object_that_sends_through_what_it_keeps_by_any_name(put: str, used: str, *, is_found: bool) -> None:
    source = (
        "from quart import Quart, websocket\napp = Quart(__name__)\nclass Console:\n    current = None\n"
        f"    def __init__(self):\n        self.peers = {{}}\n    def take(self, peer):\n        {put}\n"
        f"    async def tell(self, text):\n        {used}\nconsole = Console()\n"
        "@app.websocket('/w')\nasync def w():\n    console.take(websocket._get_current_object())\n"
    )
    if is_found:
        finds(RULE, source, "error", on=put)
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("kept", "is_found"), [("Scale.active = self", True), ("self.active = self", False)])
def test_a_handler_that_is_the_connection(kept: str, *, is_found: bool) -> None:
    source = (
        "from tornado.websocket import WebSocketHandler\nclass Scale(WebSocketHandler):\n    active = None\n"
        f"    def open(self):\n        {kept}\n"
    )
    if is_found:
        finds(RULE, source, "error", on=kept)
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("served", "is_found"),
    [
        ("line = Line()\n    await loop.create_server(lambda: line, port=1)", True),
        ("line = Line()\n    def give():\n        return line\n    await loop.create_server(give, port=1)", True),
        ("await loop.create_server(Line, port=1)", False),
        ("await loop.create_server(lambda: Line(), port=1)", False),
    ],
)
def test_a_protocol_that_is_one_object_for_all_connections(served: str, *, is_found: bool) -> None:
    source = (
        "import asyncio\nclass Line(asyncio.Protocol):\n"
        "    def connection_made(self, transport):\n        self.peer = transport\n"
        "    def answer(self, text):\n        self.peer.write(text)\n"
        f"async def main():\n    loop = asyncio.get_running_loop()\n    {served}\n"
    )
    (finds if is_found else quiet)(RULE, source)


@pytest.mark.parametrize("hub", ["{'hub': Hub()}", "dict(hub=Hub())"])
def test_a_hub_that_tornado_hands_to_each_handler(hub: str) -> None:
    source = (
        "from tornado.web import Application\nfrom tornado.websocket import WebSocketHandler\n"
        "class Hub:\n    def join(self, handler: WebSocketHandler):\n        self.one = handler\n"
        "    def tell(self, text):\n        self.one.write_message(text)\n"
        "class Page(WebSocketHandler):\n    def initialize(self, hub: Hub):\n        self.hub = hub\n"
        "    def open(self):\n        self.hub.join(self)\n"
        f"def build():\n    hub = {hub}\n    return Application([('/', Page, hub)])\n"
    )
    finds(RULE, source, "error", on="self.one = handler")


@pytest.mark.parametrize(
    ("kept", "is_found"),
    [("pager.inbox = asyncio.Queue()", True), ("pager.inbox = Settings()", False), ("inbox = asyncio.Queue()", False)],
)
def test_a_queue_of_each_stream_in_one_slot(kept: str, *, is_found: bool) -> None:
    source = (
        "import asyncio\nfrom fastapi import FastAPI\napp = FastAPI()\nclass Pager:\n    inbox = None\n"
        "pager = Pager()\n"
        f"@app.get('/stream')\nasync def stream():\n    {kept}\n    async def lines():\n"
        "        yield await pager.inbox.get()\n    return StreamingResponse(lines())\n"
    )
    if is_found:
        finds(RULE, source, "error", on="pager.inbox =")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("kept", "leaks"), [("scale.on_reading", True), ("scale.readers[counter]", False)])
def test_the_connection_behind_quarts_proxy(kept: str, *, leaks: bool) -> None:
    code = (
        "from quart import Quart, websocket\napp = Quart('x')\n"
        "class Scale:\n    def __init__(self):\n        self.readers = {}\nscale = Scale()\n"
        "@app.websocket('/weigh/<counter>')\nasync def weigh(counter):\n"
        f"    {kept} = websocket._get_current_object().send_json\n    await websocket.receive()\n"
    )
    if leaks:
        finds(RULE, code, "error", on="_get_current_object")
    else:
        quiet(RULE, code)


@pytest.mark.parametrize(
    ("test", "severity"),
    [("self.socket is None", "info"), ("not self.socket or self.socket.closed", "info"), ("self.is_open", "error")],
)
def test_a_slot_that_is_filled_only_where_it_is_empty(test: str, severity: str) -> None:
    body = "        if {0}:\n            self.socket = socket\n"
    source = (
        "from fastapi import FastAPI, WebSocket\napp = FastAPI()\nclass Desk:\n    def __init__(self):\n"
        "        self.socket = None\n    async def attach(self, socket: WebSocket):\n"
        + body.replace("{0}", test)
        + "desk = Desk()\n@app.websocket('/desk')\nasync def live(socket: WebSocket):\n    await desk.attach(socket)\n"
    )
    finds(RULE, source, severity)
