"""Replays of everybody's events, and of one's own."""

from __future__ import annotations

import pytest

from carrel.audit.rules.replay_not_scoped import ReplayNotScoped
from tests.audit.checking import findings, finds, quiet

RULE = ReplayNotScoped()


def store(replay: str, put: str = "self._events.append((user_id, text))", shared: bool = True) -> str:
    return (
        "class Events:\n    def __init__(self):\n        self._events = []\n    def add(self, user_id, text):\n"
        f"        {put}\n    def after(self, user_id, last):\n        {replay}\n"
        + ("events = Events()\n" if shared else "")
    )


@pytest.mark.parametrize(
    "replay",
    [
        "return [one for one in self._events if one[0] > last]",
        "for one in self._events[last:]:\n            yield one",
        "for index, one in enumerate(self._events):\n            yield one",
        "return self._events[last + 1:]",
    ],
)
def test_everybodys_events(replay: str) -> None:
    (found,) = finds(RULE, store(replay), "error")
    assert found.related[0].note == "events of all users are put here"


def test_a_store_that_nobody_shares_is_only_mentioned() -> None:
    finds(RULE, store("return self._events[last:]", shared=False), "info")


def test_a_buffer_of_the_module() -> None:
    code = (
        "from collections import deque\nEVENTS = deque()\ndef publish(channel, text):\n"
        "    EVENTS.append((channel, text))\n"
        "def stream(channel, last_event_id):\n    for one in EVENTS:\n        {}\n"
    )
    finds(RULE, code.format("yield one"), "error")
    quiet(RULE, code.format("if one[0] == channel:\n            yield one"))


@pytest.mark.parametrize(
    "replay",
    [
        "return [one for one in self._events if one[0] == user_id]",
        "me = rider_of(cursor)\n        return [one for one in self._events if one['rider'] == me]",
        "for one in self._events:\n            if one.user_id == user_id:\n                yield one",
        "return [one for one in self._events if one.owner == self.owner]",
        "return [one for one in self._events[user_id] if one[0] > last]",
        "return len(self._events)",
        "return [one for one in self._other]",
    ],
)
def test_ones_own_events(replay: str) -> None:
    quiet(RULE, store(replay))


def test_events_that_are_put_apart_or_belong_to_nobody() -> None:
    replay = "return [one for one in self._events if one[0] > last]"
    quiet(RULE, store(replay, "self._events[user_id].append(text)"))
    quiet(RULE, store(replay).replace("def add(self, user_id, text)", "def add(self, text)"))


def test_a_function_that_does_not_replay_is_quiet() -> None:
    quiet(
        RULE,
        store("return self._events[last:]").replace(
            "def after(self, user_id, last)", "def export(self, user_id, first)"
        ),
    )


STREAM = """
    STREAM = "events"
    async def notify(member, body):
        await redis.xadd({key}, {{"member": member, "body": body}})
    async def catch_up(socket, member, cursor):
        for entry, fields in await redis.xrange({key}, min=cursor):
            {give}
    @app.websocket("/ws")
    async def live(socket, cursor):
        await catch_up(socket, socket.user.id, cursor)
    """


def test_one_stream_of_a_store_for_everybody() -> None:
    finds(RULE, STREAM.format(key="STREAM", give="await socket.send(fields)"), "error", on="xrange")


@pytest.mark.parametrize(
    ("key", "give"),
    [
        ("f'events:{member}'", "await socket.send(fields)"),
        ("STREAM", "if fields['member'] == member: await socket.send(fields)"),
    ],
)
def test_a_stream_for_each_user(key: str, give: str) -> None:
    quiet(RULE, STREAM.format(key=key, give=give))


@pytest.mark.parametrize(
    ("body", "severities"),
    [
        ("for one in await log.since(msg['run'], msg['after']):\n            send(one)", ("warning",)),
        ("await log.open(new_id(), user.id)\n        return await log.since(msg['run'], 0)", ("error",)),
        (
            "if user.id != await owner(msg['run']):\n            return\n        await log.since(msg['run'], 0)",
            (),
        ),
        ("return await log.since(msg['run'], user.id)", ()),
        ("return await log.since(msg['colour'], 0)", ()),
        ("return await log.text(msg['run'], 0)", ()),
    ],
)
def test_a_run_that_the_client_names(body: str, severities: tuple[str, ...]) -> None:
    source = (
        "from starlette.websockets import WebSocket\nfrom deps import log\nasync def session(ws: WebSocket):\n"
        f"    user = await identify(ws)\n    while True:\n        msg = await ws.receive_json()\n        {body}\n"
    )
    if severities:
        finds(RULE, source, *severities, on="log.since")
    else:
        quiet(RULE, source)
    quiet(RULE, source.replace("user = await identify(ws)", "user = None"))


def test_where_the_reader_left_off_stands_in_a_header() -> None:
    source = (
        "history = []\ndef publish(user_id, text):\n    history.append((user_id, text))\ndef events(request):\n"
        "    start = int(request.headers.get('{0}', 0))\n    return Response(text for _, text in history[start:])\n"
    )
    finds(RULE, source.replace("{0}", "Last-Event-ID"), "error", on="history[start:]")
    quiet(RULE, source.replace("{0}", "Content-Length"))


@pytest.mark.parametrize(
    ("put", "read", "is_found"),
    [
        ("backlog.append(event)", "backlog", True),
        ("backlog[merchant_id].append(event)", "backlog[merchant.id]", False),
        ("backlog.append((merchant_id, event))", "[one for one in backlog if one[0] == merchant.id]", False),
    ],
)
def test_what_is_missed_by_one_of_many_customers(put: str, read: str, *, is_found: bool) -> None:
    source = (
        "from collections import deque\nfrom fastapi import Depends, FastAPI\nbacklog = deque(maxlen=9)\n"
        f"app = FastAPI()\ndef publish(merchant_id, order):\n    event = dumps(order)\n    {put}\n"
        "@app.get('/events')\nasync def events(last_event_id: int, merchant=Depends(current_merchant)):\n"
        f"    async def stream():\n        for one in {read}:\n            yield one\n    return Stream(stream())\n"
    )
    if is_found:
        finds(RULE, source, "error", on="for one in backlog")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("put", "is_found"),
    [("answer(member, raw)", True), ("answer(raw)", False), ("answer(raw, 'a member')", False)],
)
def test_a_stream_of_what_was_made_for_who_signed_in(put: str, *, is_found: bool) -> None:
    source = (
        "import websockets, json\nfrom stores import r\nSTREAM = 'deltas'\n"
        "async def replay(socket, since):\n    for one in await r.xrange(STREAM, min=since):\n"
        "        await socket.send(one)\n"
        "async def chat(socket):\n    hello = json.loads(await socket.recv())\n"
        "    member = await member_from_token(hello['token'])\n    await replay(socket, hello['cursor'])\n"
        f"    async for raw in socket:\n        async for piece in {put}:\n"
        "            await r.xadd(STREAM, {'text': piece})\n"
        "async def main():\n    async with websockets.serve(chat, '', 1) as server:\n        await server.wait()\n"
    )
    if is_found:
        finds(RULE, source, "error", on="r.xrange")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("gives", "is_found"),
    [
        ("return self.streams[number]['events'][after:]", True),
        (("if number not in self.streams:\n            return []\n"
         "        return self.streams[number]['events'][after:]"), True),
        (("if self.streams[number]['owner'] != user:\n            raise KeyError\n"
         "        return self.streams[number]['events'][after:]"), False),
        ("return self.streams[number]['title']", True),
    ],
)  # fmt: skip
def test_a_stream_that_has_its_owner_beside_it(gives: str, *, is_found: bool) -> None:
    source = (
        "from fastapi import FastAPI\napp = FastAPI()\nclass Store:\n    def __init__(self):\n"
        "        self.streams = {}\n"
        "    def open(self, number, user):\n        self.streams[number] = {'owner': user, 'events': []}\n"
        f"    def since(self, number, after, user=None):\n        {gives}\nstore = Store()\n"
        "@app.get('/x')\nasync def resume(number: str, after: int):\n    return store.since(number, after)\n"
    )
    if is_found:
        finds(RULE, source, "error", on="return self.streams")
        quiet(RULE, source.replace("'owner': user, ", ""))
        quiet(RULE, source.replace("(number, after)\n", "(choose(), after)\n"))
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("kept", "is_found"), [("{'tenant': tenant(sid), 'text': data}", True), ("{'text': 'started'}", False)]
)
def test_a_log_of_which_a_part_is_taken_first(kept: str, *, is_found: bool) -> None:
    source = (
        f"import socketio\nsio = socketio.AsyncServer()\nlog = []\n@sio.event\nasync def say(sid, data):\n"
        f"    log.append({kept})\n"
        "@sio.event\nasync def catch_up(sid, data):\n    missed = log[data['since']:]\n"
        "    for one in missed:\n        await send(one)\n"
    )
    if is_found:
        finds(RULE, source, "error", on="in missed")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("name", "is_found"), [("BACKLOG", True), ("f'backlog:{socket.user.id}'", False)])
def test_a_list_in_a_store_that_is_read_from_where_the_client_says(name: str, *, is_found: bool) -> None:
    source = (
        "from fastapi import FastAPI, Request, WebSocket\nfrom db import pool\napp = FastAPI()\nBACKLOG = 'said'\n"
        "@app.post('/say')\nasync def say(request: Request, text: str):\n"
        "    await pool.rpush(BACKLOG, f'{request.user.id}: {text}')\n"
        "@app.websocket('/live')\nasync def live(socket: WebSocket):\n    at = int(socket.query_params.get('at', 0))\n"
        f"    for one in await pool.lrange({name}, at, -1):\n        await socket.send_text(one)\n"
    )
    if is_found:
        finds(RULE, source, "error", on="lrange")
    else:
        quiet(RULE, source)


RUNS = """
import json, secrets
from aiohttp import web
from itsdangerous import TimestampSigner
signer = TimestampSigner("key")
RUNS = {}
class Run:
    def __init__(self, speaker):
        self.speaker, self.frames = speaker, []
async def live(request):
    speaker = signer.unsign(request.cookies["speaker"])
    ws = web.WebSocketResponse()
    async for message in ws:
        data = json.loads(message.data)
        if data["kind"] == "start":
            RUNS[secrets.token_hex(4)] = Run({0})
        else:
            run = RUNS.get(data["run"])
            if run is None{1}:
                raise web.HTTPUnauthorized()
            for frame in run.frames[{2}:]:
                await ws.send_str(frame)
app = web.Application()
app.router.add_get("/live", live)
"""


@pytest.mark.parametrize(
    ("whose", "refused", "start", "is_found"),
    [
        ("speaker", "", "data['after']", True),
        ("speaker", " or run.speaker != speaker", "data['after']", False),
        ("speaker", "", "1", False),
        ("data['topic']", "", "data['after']", False),
    ],
)
def test_the_rest_of_what_somebody_else_has_begun(whose: str, refused: str, start: str, *, is_found: bool) -> None:
    source = RUNS.replace("{0}", whose).replace("{1}", refused).replace("{2}", start)
    if is_found:
        finds(RULE, source, "error", on="RUNS.get")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("asked", "is_found"), [("resume", True), ("size", False)])
def test_a_handler_that_is_asked_from_where_to_resume(asked: str, *, is_found: bool) -> None:
    source = (
        "from fastapi import FastAPI, WebSocket\napp = FastAPI()\nframes = []\n@app.websocket('/c/{room}')\n"
        f"async def consult(ws: WebSocket, room: str, {asked}: int = 0):\n    for number, frame in frames:\n"
        f"        if number > {asked}:\n            await ws.send_json(frame)\n    frames.append((1, room))\n"
    )
    if is_found:
        finds(RULE, source, "error", on="in frames")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("key", "leaks"), [("'claims'", True), ("f'claims:{claimant}'", False)])
def test_a_stream_of_a_store_with_events_of_people_by_whatever_word(key: str, *, leaks: bool) -> None:
    code = (
        "from fastapi import FastAPI, Depends\napp = FastAPI()\n"
        "@app.post('/x')\nasync def add(body: dict, claimant=Depends(get_claimant)):\n    await put(claimant, body)\n"
        "@app.get('/x')\nasync def get(after: str, claimant=Depends(get_claimant)):\n"
        "    return await replay(claimant, after)\n"
        "async def put(claimant, event):\n"
        f"    await redis.xadd({key}, {{'claimant': claimant, 'event': event}})\n"
        f"async def replay(claimant, position):\n    return await redis.xrange({key}, min=position)\n"
    )
    if leaks:
        finds(RULE, code, "error", on="xrange")
    else:
        quiet(RULE, code)


PAGES = (
    "from fastapi import FastAPI, Depends\napp = FastAPI()\n"
    "@app.post('/x')\nasync def add(body: dict, merchant=Depends(get_merchant)):\n"
    "    await desk.put(merchant.id, body)\n"
    "@app.get('/x')\nasync def get(after: int, merchant=Depends(get_merchant)):\n"
    "    return await desk.rest(merchant.id, after)\n"
)


@pytest.mark.parametrize(
    ("where", "leaks"),
    [
        ("WHERE id > ? ORDER BY id", True),
        ("WHERE merchant = ? AND id > ?", False),
        ("WHERE id > ? AND merchant = ?", False),
        ("WHERE kind = ?", False),
    ],
)
def test_a_table_with_events_of_all(where: str, *, leaks: bool) -> None:
    code = PAGES + (
        "class Desk:\n    async def put(self, merchant, body):\n"
        "        await self.db.execute('INSERT INTO events (merchant, body) VALUES (?, ?)', (merchant, body))\n"
        f"    async def rest(self, merchant, at):\n"
        f"        return await self.db.fetch('SELECT id, body FROM events {where}', (at,))\n"
        "desk = Desk()\n"
    )
    if leaks:
        finds(RULE, code, "error", on="SELECT")
    else:
        quiet(RULE, code)


@pytest.mark.parametrize(
    ("read", "leaks"),
    [("self.turns[at:]", True), ("[one for one in self.turns if one['merchant'] == merchant][at:]", False)],
)
def test_the_rest_from_where_a_caller_says(read: str, *, leaks: bool) -> None:
    code = PAGES + (
        "class Desk:\n    def __init__(self):\n        self.turns = []\n"
        "    async def put(self, merchant_id, body):\n"
        "        self.turns.append({'merchant_id': merchant_id, 'body': body})\n"
        f"    async def rest(self, merchant, at):\n        for one in {read}:\n            yield one\n"
        "desk = Desk()\n"
    )
    if leaks:
        finds(RULE, code, "error", on="self.turns[at:]")
    else:
        quiet(RULE, code)


@pytest.mark.parametrize(("key", "leaks"), [("STREAM", True), ("f'{STREAM}:{resident}'", False)])
def test_a_stream_that_a_handler_reads_on_from_where_its_client_says(key: str, *, leaks: bool) -> None:
    code = (
        "from quart import Quart, websocket\napp = Quart('x')\nSTREAM = 'alarms'\n"
        "async def put(resident_id, alarm):\n"
        "    await store.xadd(STREAM, {'resident': resident_id, 'alarm': alarm})\n"
        "@app.websocket('/alarms')\nasync def live():\n"
        "    resident = await resident_from(websocket.headers['Authorization'])\n"
        "    if resident is None:\n        return\n"
        "    position = websocket.args.get('after', '$')\n"
        f"    await websocket.send_json(await store.xread({{{key}: position}}))\n"
    )
    if leaks:
        finds(RULE, code, "error", on="xread")
    else:
        quiet(RULE, code)


@pytest.mark.parametrize(("person", "leaks"), [("driver.id", True), ("'left'", False)])
def test_a_word_that_may_be_a_part_of_the_program_is_somebody_by_what_is_handed_over(
    person: str, *, leaks: bool
) -> None:
    code = (
        "from fastapi import FastAPI, Depends\napp = FastAPI()\nclass Log:\n    def __init__(self):\n"
        "        self.rows = []\n    def write(self, driver, body):\n        self.rows.append((driver, body))\n"
        "    def missed(self, number):\n        return [one for one in self.rows if one[2] > number]\nlog = Log()\n"
        "@app.post('/x')\nasync def x(body: dict, driver=Depends(current_driver)):\n"
        f"    log.write({person}, body)\n    return log.missed(1)\n"
    )
    severities = [one.severity for one in findings(RULE, code)]
    assert severities == (["error"] if leaks else ["info"])


@pytest.mark.parametrize(("ask", "leaks"), [("", True), ("merchant = ? AND ", False)])
def test_a_statement_that_has_a_name_of_its_own(ask: str, *, leaks: bool) -> None:
    code = PAGES + (
        'PUT = "INSERT INTO events (merchant, body) VALUES (?, ?)"\n'
        "class Desk:\n    async def put(self, merchant, body):\n        await self.db.execute(PUT, (merchant, body))\n"
        "    async def rest(self, merchant, at):\n"
        f"        asked = 'SELECT id, body FROM events WHERE {ask}id > ?'\n"
        "        return await self.db.fetch(asked, (at,))\n"
        "desk = Desk()\n"
    )
    (finds if leaks else quiet)(RULE, code)
