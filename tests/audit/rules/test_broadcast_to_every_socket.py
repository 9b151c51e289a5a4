"""Messages to everybody, and messages to those whom they are for."""

from __future__ import annotations

import pytest

from carrel.audit.rules.broadcast_to_every_socket import BroadcastToEverySocket
from tests.audit.checking import findings, finds, quiet

RULE = BroadcastToEverySocket()
ROUTE = """
from fastapi import FastAPI, Depends
from hub import hub
app = FastAPI()
@app.post("/ask")
async def ask(text: str, user=Depends(get_user)):
    await hub.tell(SENT)
"""


def hub(body: str, *, shared: bool = True, sent: str = "text") -> dict[str, str]:
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    made = "hub = Hub()\n" if shared else "def hub():\n    return Hub()\n"
    text = (
        "class Hub:\n    def __init__(self):\n        self.connections = []\n        self.rooms = {}\n"
        f"    async def tell(self, message, user_id=None):\n{lines}{made}"
    )
    return {"hub.py": text, "app.py": ROUTE.replace("SENT", sent)}


LOOPS = (
    "for socket in self.connections:\n    await socket.send_json(message)",
    "for one in list(self.connections):\n    try:\n        await one.send(message)\n    finally:\n        pass",
    "await gather(*[one.send_json(message) for one in self.connections])",
    "for queue in self.connections:\n    queue.put_nowait({'text': message})",
    "for owner, socket in self.connections:\n    await socket.send_json(message)",
)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_over_all_connections(loop: str) -> None:
    finds(RULE, hub(loop), "error", on="message")


LEFTOVER = """
from tornado.websocket import WebSocketHandler
class Output(WebSocketHandler):
    clients = set()
    def open(self):
        self.clients.add(self)
    def on_message(self, message):
        self.tell(message)
    @classmethod
    def tell(cls, message):
        for client in cls.clients:
            client.write_message(message)
"""


def test_a_handler_that_nothing_names_is_a_leftover() -> None:
    quiet(RULE, {"output.py": LEFTOVER, "main.py": "import tornado\n"})
    finds(RULE, {"output.py": LEFTOVER, "main.py": "from output import Output\nROUTES = [('/ws', Output)]\n"}, "error")
    finds(RULE, LEFTOVER + "ROUTES = [('/ws', Output)]\n", "error")


def test_what_is_nobodys_is_only_mentioned() -> None:
    finds(RULE, hub(LOOPS[0], sent="'maintenance at noon'"), "info")


@pytest.mark.parametrize(
    "loop",
    [
        "for owner, socket in self.connections:\n    if owner == user_id:\n        await socket.send_json(message)",
        "for owner, one in self.connections:\n    if owner != user_id: continue\n    await one.send(message)",
        "for socket in self.rooms[user_id]:\n    await socket.send_json(message)",
        "for socket in self.rooms.get(user_id, ()):\n    await socket.send_json(message)",
        "for socket in self.connections:\n    await socket.send_json({'type': 'ping'})",
        "for socket in self.connections:\n    await socket.close()",
        "own = [one for one in self.connections if one.user == user_id]\nfor one in own:\n    await one.send(message)",
        "await gather(*[one.send_json(message) for one in self.connections if one.user == user_id])",
        "for handler in self.plugins:\n    await handler.send(message)",
    ],
)
def test_a_loop_that_chooses(loop: str) -> None:
    quiet(RULE, hub(loop))


def test_a_hub_for_one_request() -> None:
    quiet(RULE, hub(LOOPS[0], shared=False))


SOCKET_IO = """
import functools
import socketio
sio = socketio.AsyncServer()
@sio.event
async def ask(sid, data):
    EMIT
class Reporter:
    def __init__(self, user_id):
        EMIT
"""


@pytest.mark.parametrize(
    ("emit", "severities"),
    [
        ("await sio.emit('answer', data)", ("error",)),
        ("self.tell = functools.partial(sio.emit, 'answer')", ("warning",)),
    ],
)
def test_an_emit_without_a_room(emit: str, severities: tuple[str, ...]) -> None:
    finds(RULE, _socket_io(emit), *severities, on="emit")


@pytest.mark.parametrize(
    "emit",
    [
        "await sio.emit('answer', data, to=sid)",
        "await sio.emit('answer', data, sid)",
        "await sio.emit('answer', data, room=sid)",
        "await sio.emit('answer', data, **where)",
        "await sio.emit('restarting')",
        "await other.emit('answer', data)",
        "self.tell = functools.partial(sio.emit, 'answer', to=user_id)",
    ],
)
def test_an_emit_to_somebody(emit: str) -> None:
    quiet(RULE, _socket_io(emit))


def _socket_io(emit: str) -> str:
    first, second = (emit, "pass") if "await" in emit else ("pass", emit)
    return SOCKET_IO.replace("EMIT", first, 1).replace("EMIT", second, 1)


QUEUE = """
import asyncio
from fastapi import FastAPI, WebSocket, Depends
class Outbox:
    def __init__(self):
        self.messages = MADE
    async def tell(self, user_id, text):
        await self.messagesKEY.put(text)
    async def next(self, user_id):
        TAKE
outbox = Outbox()
app = FastAPI()
@app.websocket("/ws")
async def ws(socket: WebSocket, user=Depends(get_user)):
    while True:
        await socket.send_text(await outbox.next(user.id))
@app.post("/ask")
async def ask(text: str, user=Depends(get_user)):
    await outbox.tell(user.id, text)
"""


def _queue(made: str, key: str, take: str) -> str:
    return QUEUE.replace("MADE", made).replace("KEY", key).replace("TAKE", take)


def test_one_queue_for_all_connections() -> None:
    finds(RULE, _queue("asyncio.Queue()", "", "return await self.messages.get()"), "error", on=".put(")


def test_a_queue_for_each_user_and_a_queue_of_jobs() -> None:
    quiet(RULE, _queue("{}", "[user_id]", "return await self.messages[user_id].get()"))
    quiet(RULE, _queue("asyncio.Queue()", "", "job = await self.messages.get()"))


FLASK = "from flask_socketio import SocketIO, emit\nsocketio = SocketIO()\n@socketio.on('ask')\ndef ask(data):\n"
CHANNELS = (
    "class Chat(AsyncWebsocketConsumer):\n    async def receive(self, text_data):\n"
    "        await self.channel_layer.group_send(WHOM, {'text': text_data})\n"
)


def test_broadcasts_of_frameworks() -> None:
    finds(RULE, f"{FLASK}    emit('answer', data, broadcast=True)\n", "error")
    quiet(RULE, f"{FLASK}    emit('answer', data)\n")
    finds(RULE, CHANNELS.replace("WHOM", "'all'"), "error")
    quiet(RULE, CHANNELS.replace("WHOM", "self.group"))


def test_a_list_of_everybody_says_the_same_to_all() -> None:
    quiet(RULE, _socket_io("await sio.emit('users', {'ids': list(data.keys())})"))


def test_a_group_that_a_helper_names_without_the_user() -> None:
    source = """
        from asgiref.sync import async_to_sync
        def group(user_id):
            return {group}
        @app.post("/messages")
        def send(request):
            async_to_sync(get_channel_layer().group_send)(group(request.data["to"]), {{"m": request.data["text"]}})
        """
    finds(RULE, source.format(group='"inbox"'), "error", on="group_send")
    quiet(RULE, source.format(group='f"inbox.{user_id}"'))


def test_a_list_of_all_connections_that_is_made_first() -> None:
    source = """
        import asyncio
        class Hub:
            def __init__(self):
                self._sockets = {{}}
            async def publish(self, user_id, event):
                targets = {targets}
                await asyncio.gather(*(ws.send_json(event) for ws in targets))
        hub = Hub()
        @app.post("/ask")
        async def ask(request):
            await hub.publish(request.user.id, await request.json())
        """
    all_of_them = "[ws for group in self._sockets.values() for ws in group if not ws.closed]"
    finds(RULE, source.format(targets=all_of_them), "error", on="send_json")
    quiet(RULE, source.format(targets="[ws for ws in self._sockets.get(user_id, ())]"))
    quiet(RULE, source.format(targets="[ws for key, ws in self._sockets.items() if key == user_id]"))


def test_a_server_of_another_module() -> None:
    files = {
        "server.py": "import socketio\nsio = socketio.AsyncServer()\nother = Other()\n",
        "chat.py": "from server import sio, other\nasync def reply(user_id, text):\n    await {}\n",
        "app.py": "from server import sio\nfrom chat import reply\n@sio.event\nasync def message(sid, data):\n"
        "    await reply(data['user_id'], data['text'])\n",
    }
    chat = files["chat.py"]
    finds(RULE, {**files, "chat.py": chat.format("sio.emit('answer', {'text': text, 'user': user_id})")}, "error")
    quiet(RULE, {**files, "chat.py": chat.format("sio.emit('answer', {'text': text, 'user': user_id}, room=user_id)")})
    quiet(RULE, {**files, "chat.py": chat.format("other.emit('answer', {'text': text, 'user': user_id})")})


@pytest.mark.parametrize(
    ("group", "told", "is_found"),
    [
        ("GradeConsumer.group", "instance.student.name", True),
        ("EVERYBODY", "instance.student.name", True),
        ("f'grades-{instance.student_id}'", "instance.student.name", False),
        ("EVERYBODY", "instance.course.title", False),
    ],
)
@pytest.mark.parametrize("is_connected", [True, False])
def test_a_row_about_a_person_that_goes_to_one_group(
    group: str, told: str, *, is_found: bool, is_connected: bool
) -> None:
    before = "" if is_connected else "@receiver(post_save, sender=Grade)\n"
    after = "post_save.connect(push, sender='school.Grade')\n" if is_connected else ""
    source = (
        "from asgiref.sync import async_to_sync\nfrom channels.layers import get_channel_layer\n"
        "from django.db.models.signals import post_save\nfrom django.dispatch import receiver\n"
        f"from school import EVERYBODY, GradeConsumer\n{before}def push(sender, instance, **kwargs):\n"
        f"    async_to_sync(get_channel_layer().group_send)({group}, {{'type': 'grade', 'text': {told}}})\n{after}"
    )
    found = [one for one in findings(RULE, source) if one.severity == "error"]
    assert bool(found) == is_found


@pytest.mark.parametrize(
    ("joined", "is_found"),
    [
        ("q = asyncio.Queue()\n    feeds[id(q)] = q\n    await ws.send_json(await q.get())", True),
        ("feeds[1] = ws\n    await ws.accept()", True),
        ("feeds[1] = await ws.receive_json()", False),
    ],
)
def test_what_the_handlers_of_connections_put_themselves_into(joined: str, *, is_found: bool) -> None:
    source = (
        "import asyncio\nfrom fastapi import Depends, FastAPI, WebSocket\napp = FastAPI()\nfeeds = {}\n"
        f"@app.websocket('/feed')\nasync def feed(ws: WebSocket):\n    {joined}\n"
        "@app.post('/transfer')\nasync def transfer(amount: int, customer=Depends(current_customer)):\n"
        "    for one in feeds.values():\n        one.put_nowait(customer.iban)\n"
    )
    if is_found:
        finds(RULE, source, "error", on="put_nowait")
    else:
        quiet(RULE, source)


ASIDE = """
import json, websockets
from answers import Answer, handle
clients = set()
async def serve(ws: websockets.WebSocketServerProtocol, path):
    clients.add(ws)
    while True:
        message = json.loads(await ws.recv())
        answer = Answer(ws)
        await handle(answer, message)
        told = SENT
        for one in clients:
            await one.send(told)
websockets.serve(serve)
"""


@pytest.mark.parametrize(
    ("sent", "is_found"),
    [
        ("str(answer.broadcast)", False),
        ("str(answer)", True),
        ("answer.read().broadcast", True),
        ("Answer(message).broadcast", True),
    ],
)
def test_what_handlers_put_aside_for_everybody(sent: str, *, is_found: bool) -> None:
    assert bool(findings(RULE, ASIDE.replace("SENT", sent))) is is_found


@pytest.mark.parametrize(
    ("data", "is_found"),
    [
        ("{'alert_id': data.id}", False),
        ("json.dumps({'kind': 'new', 'alert_id': data.alert_id})", False),
        ("{'alert_id': data.id, 'title': data.title}", True),
        ("{'user_id': data.user_id}", True),
        ("{'kind': 'new', 'text': data}", True),
    ],
)
def test_a_signal_that_says_only_which_thing_is_new(data: str, *, is_found: bool) -> None:
    for source in (_socket_io(f"await sio.emit('new', {data})"), f"{FLASK}    emit('new', {data}, broadcast=True)\n"):
        if is_found:
            finds(RULE, source, "error")
        else:
            quiet(RULE, source)


@pytest.mark.parametrize(
    ("started", "severity"),
    [("socketio.start_background_task(work, question, current_user.id)", "error"), ("socketio.sleep(1)", "info")],
)
def test_a_background_task_that_emits_to_everybody(started: str, severity: str) -> None:
    source = (
        "from flask import Flask, request\nfrom flask_login import current_user\n"
        "from flask_socketio import SocketIO\napp = Flask(__name__)\nsocketio = SocketIO(app)\n"
        "def work(question, owner_id):\n    for step in research(question):\n"
        "        socketio.emit('progress', {'question': question, 'found': step})\n"
        f"@app.post('/research')\ndef start():\n    question = request.get_json()['question']\n    {started}\n"
    )
    finds(RULE, source, severity, on="socketio.emit")


@pytest.mark.parametrize(
    ("sends", "is_found"),
    [
        ("for ws in self.open:\n            await ws.send_json(payload)", True),
        ("for ws in self.open:\n            if not ws.closed:\n                await ws.send_json(payload)", True),
        (("for ws in self.open:\n            if ws.client_state == State.CONNECTED:\n"
         "                await ws.send_json(payload)"), True),
        (("for ws in self.open:\n            if ws.owner == payload.owner:\n"
         "                await ws.send_json(payload)"), False),
        ("for ws in self.open:\n            ws.open(payload)", False),
        ("await gather(*[ws.send_json(payload) for ws in self.open])", True),
        ("await gather(*[ws.send_json(payload) for ws in self.open if not ws.closed])", True),
        ("await gather(*[ws.send_json(payload) for ws in self.open if ws.name in payload])", False),
        ("websockets.broadcast(self.open, payload)", True),
        (("for group in self.open.values():\n            for one in group:\n"
         "                await one.send_json(payload)"), True),
    ],
)  # fmt: skip
def test_what_is_written_to_is_connected_whatever_it_is_called(sends: str, *, is_found: bool) -> None:
    source = (
        "import websockets\nfrom fastapi import FastAPI\napp = FastAPI()\nclass Desk:\n    def __init__(self):\n"
        f"        self.open = []\n    async def tell(self, payload):\n        {sends}\ndesk = Desk()\n"
        "@app.post('/lab/{patient_id}')\nasync def lab(patient_id: str):\n    await desk.tell(patient_id)\n"
    )
    if is_found:
        finds(RULE, source, "error", on="payload")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("sends", "is_found"),
    [
        ("for ws in chain.from_iterable(app.state.lines.values()):\n        await ws.send_json(note)", True),
        ("await gather(*(ws.send_json(note) for ws in chain(*app.state.lines.values())))", True),
        (
            "all = list(chain.from_iterable(app.state.lines.values()))\n    for ws in all:\n        ws.send_json(note)",
            True,
        ),
        ("await gather(*(ws.send(note) for ws in chain(*app.state.lines.values())))", True),
        ("for ws in app.state.lines[note['ward']]:\n        await ws.send_json(note)", False),
        ("await gather(*(ws.send(note) for ws in app.state.lines.get(note['ward'], ())))", False),
        ("await gather(*(ws.send(note) for ws in app.state.workers))", False),
    ],
)
@pytest.mark.parametrize("place", ["app.state.lines", "app['lines']", "app.ctx.lines"])
def test_the_connections_that_the_application_holds(sends: str, place: str, *, is_found: bool) -> None:
    source = (
        "from itertools import chain\nfrom fastapi import FastAPI\napi = FastAPI()\n"
        f"@api.websocket('/w/{{ward}}')\nasync def line(ws, ward):\n    ws.{place}[ward].add(ws)\n"
        f"async def tell(app, note):\n    {sends.replace('app.state.lines', place)}\n"
        "@api.post('/notes/{user_id}')\nasync def note(request, user_id):\n    await tell(request.app, user_id)\n"
    )
    (finds if is_found else quiet)(RULE, source)


@pytest.mark.parametrize(
    ("sent", "is_found"),
    [
        ("{'ticket': row['ticket']}", False),
        ("{'name': row['name'], 'allergies': row['allergies']}", True),
        ("{'mail': row.email}", True),
        ("{'phone': '112'}", False),
    ],
)
def test_what_is_told_of_one_person_is_for_nobody_else_whoever_sends_it(sent: str, *, is_found: bool) -> None:
    source = (
        "from flask import Flask, session\nfrom flask_socketio import SocketIO\napp = Flask('a')\n"
        "socketio = SocketIO(app)\ndef staff_only(view):\n    def inner(*args):\n"
        "        if session.get('role') != 'staff':\n            abort(403)\n        return view(*args)\n"
        "    return inner\n@app.post('/next')\n@staff_only\ndef call_next():\n    row = fetch_next()\n"
        f"    data = {sent}\n    socketio.emit('card', data)\n"
    )
    (finds if is_found else quiet)(RULE, source)


@pytest.mark.parametrize(("handler", "is_found"), [("@app.get('/watch')\n", True), ("", False)])
def test_queues_that_streams_put_aside(handler: str, *, is_found: bool) -> None:
    source = (
        f"import asyncio\nfrom fastapi import FastAPI\napp = FastAPI()\nboards = []\n{handler}async def watch():\n"
        "    q = asyncio.Queue()\n    boards.append(q)\n    return stream(q)\n@app.post('/x')\n"
        "async def diagnose(patient: str):\n    for q in boards:\n        await q.put(patient)\n"
    )
    if is_found:
        finds(RULE, source, "error", on="q.put")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("sent", "leaks"),
    [
        ("{'question': job['question']}", True),
        ("{'step': step}", False),
        ("{'question': job['question']}, room=job['editor']", False),
    ],
)
def test_what_a_handler_has_put_aside_for_somebody_and_a_worker_emits(sent: str, *, leaks: bool) -> None:
    found = findings(
        RULE,
        "import socketio\nsio = socketio.AsyncServer()\n"
        "@sio.event\nasync def start(sid, payload):\n    session = await sio.get_session(sid)\n"
        "    await queue.push({'editor': session['editor'], 'question': payload['question']})\n"
        f"async def report(job, step):\n    await sio.emit('progress', {sent})\n",
    )
    assert [one.severity for one in found if one.severity != "info"] == (["error"] if leaks else [])


BUS = """
class Bus:
    def __init__(self):
        self._listeners = []
    async def publish(self, event):
        for one in self._listeners:
            await one.put(event)
    async def listen(self):
        inbox = asyncio.Queue()
        self._listeners.append(inbox)
        while True:
            yield await inbox.get()
bus = Bus()
"""
READERS = """
import asyncio
from bus import bus
from fastapi import FastAPI, Depends
app = FastAPI()
@app.post("/x")
async def add(text: str, user=Depends(get_user)):
    await bus.publish({"text": text})
"""
ADMIN = "@app.get('/admin')\n@require_permission('admin.events')\nasync def admin():\n    return answer(bus.listen())\n"
OPEN = "@app.get('/events')\nasync def events(user=Depends(get_user)):\n    return answer(bus.listen())\n"
SIFTED = (
    "async def mine(user):\n    async for event in bus.listen():\n        if event['owner'] == user.id:\n"
    "            yield event\n"
) + OPEN.replace("bus.listen()", "mine(user)")


@pytest.mark.parametrize(
    ("readers", "leaks"), [(OPEN, True), (ADMIN + OPEN, True), (ADMIN, False), ("", False), (SIFTED, False)]
)
def test_queues_of_a_bus_are_read_by_users_who_are_handed_all(readers: str, *, leaks: bool) -> None:
    source = {"bus.py": "import asyncio\n" + BUS, "app.py": READERS + readers}
    if leaks:
        finds(RULE, source, "error", on="put(event)")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("parameters", "sent", "severity"),
    [
        ("patient, event", "event", "error"),
        ("patient, event", "{'by': patient, 'text': event}", "info"),
        ("topic, event", "event", "info"),
    ],
)
def test_a_function_that_is_told_whom_it_is_for(parameters: str, sent: str, severity: str) -> None:
    code = (
        "class Hub:\n    def __init__(self):\n        self.sockets = {}\n"
        f"    async def publish(self, {parameters}):\n"
        f"        for one in self.sockets.values():\n            await one.send_json({sent})\nhub = Hub()\n"
    )
    finds(RULE, code, severity)


def test_a_namespace_emits_to_all_who_are_connected_to_it() -> None:
    code = (
        "import socketio\nclass Tutor(socketio.AsyncNamespace):\n    async def on_ask(self, sid, data):\n"
        "        await self.emit('answer', {'text': data['text']}TO)\n"
    )
    finds(RULE, code.replace("TO", ""), "error", on="emit")
    quiet(RULE, code.replace("TO", ", to=sid"))


@pytest.mark.parametrize(("given", "leaks"), [("set()", True), ("fill()", False)])
def test_a_set_into_which_a_function_puts_a_queue_for_each_who_asks(given: str, *, leaks: bool) -> None:
    code = (
        "import asyncio\nfrom fastapi import FastAPI\napp = FastAPI()\n"
        f"class Feed:\n    def __init__(self):\n        self._rows = {given}\n"
        "    def reader(self):\n        queue = asyncio.Queue()\n"
        + ("        self._rows.add(queue)\n" if leaks else "")
        + "        return queue\n    def push(self, position):\n        for one in tuple(self._rows):\n"
        "            one.put_nowait(position)\nfeed = Feed()\n"
        "@app.get('/live')\nasync def live():\n    return stream(feed.reader())\n"
        "@app.post('/x')\nasync def x(body: dict):\n    feed.push(body['at'])\n"
    )
    if leaks:
        finds(RULE, code, "error", on="put_nowait")
    else:
        quiet(RULE, code)


@pytest.mark.parametrize(
    ("name", "to", "leaks"), [("sio", "", True), ("sio", ", room=who", False), ("feed", "", False)]
)
def test_a_server_that_a_function_is_handed(name: str, to: str, *, leaks: bool) -> None:
    emit = f"{name}.emit('done', {{'dish': dish}}{to})"
    jobs = f"def start({name}, who, dish):\n    def cook():\n        {emit}\n    cook()\n"
    app = (
        "from flask import Flask, request, session\nfrom flask_socketio import SocketIO\nfrom jobs import start\n"
        "app = Flask('x')\nserver = SocketIO(app)\n"
        "@app.post('/')\ndef order():\n    start(server, session['user'], request.json['dish'])\n    return ''\n"
    )
    (finds if leaks else quiet)(RULE, {"jobs.py": jobs, "app.py": app})
