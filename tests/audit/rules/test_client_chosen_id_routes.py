"""Answers that are waited for under an id: the client's or the server's."""

from __future__ import annotations

import pytest

from carrel.audit.rules.client_chosen_id_routes import ClientChosenIdRoutes
from tests.audit.checking import finds, quiet

RULE = ClientChosenIdRoutes()
HEAD = """
import asyncio, itertools, uuid
from fastapi import FastAPI, Depends, Header
app = FastAPI()
PENDING = {}
NUMBERS = itertools.count()
"""


def handler(body: str, parameters: str = "request_id: str, user=Depends(get_user)") -> str:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"{HEAD}@app.post('/ask')\nasync def ask({parameters}):\n{lines}"


@pytest.mark.parametrize(
    "body",
    [
        "PENDING[request_id] = asyncio.get_running_loop().create_future()",
        "waiting = asyncio.Event()\nPENDING[request_id] = waiting\nawait waiting.wait()",
        "key = str(request_id)\nPENDING[key] = asyncio.Queue()",
        "PENDING[request_id] = websocket",
    ],
)
def test_a_handler_waits_under_the_clients_id(body: str) -> None:
    finds(RULE, handler(body), "error", on="PENDING[")


def test_a_shared_gateway_waits_under_the_id_in_the_message() -> None:
    finds(
        RULE,
        {
            "gate.py": """
                import asyncio
                class Gate:
                    def __init__(self):
                        self.waiting = {}
                    async def call(self, payload):
                        future = asyncio.Future()
                        self.waiting[payload.get("request_id")] = future
                        return await future
                """,
            "app.py": """
                from fastapi import FastAPI
                from gate import Gate
                app = FastAPI()
                gate = Gate()
                @app.post("/call")
                async def call(payload: dict):
                    return await gate.call(payload)
                """,
        },
        "error",
        on="self.waiting[",
    )


KEYED = """
def result_key(user, job_id):
    return f"result/{PARTS}"
@app.post("/jobs")
async def start(job_id: str, user=Depends(get_user)):
    PENDING[result_key(user, job_id)] = await work()
"""


def test_a_key_that_leaves_the_user_out() -> None:
    finds(RULE, HEAD + KEYED.replace("PARTS", "job_id"), "error", on="PENDING[result_key")


def test_a_key_with_the_user_in_it() -> None:
    quiet(RULE, HEAD + KEYED.replace("PARTS", "user.id}/{job_id"))


@pytest.mark.parametrize(
    "body",
    [
        "number = next(NUMBERS)\nPENDING[number] = asyncio.Future()",
        "request_id = str(uuid.uuid4())\nPENDING[request_id] = asyncio.Future()",
        "PENDING[(user.id, request_id)] = asyncio.Future()",
        "PENDING[user.id][request_id] = asyncio.Future()",
        "local = {}\nlocal[request_id] = asyncio.Future()",
        "PENDING[request_id] = 'done'",
        "PENDING[user.id] = asyncio.Future()",
        "PENDING['only'] = asyncio.Future()",
    ],
)
def test_what_only_looks_like_it(body: str) -> None:
    quiet(RULE, handler(body))


def test_a_gateway_for_one_connection() -> None:
    quiet(
        RULE,
        """
        import asyncio
        class Gate:
            def __init__(self):
                self.waiting = {}
            async def call(self, payload):
                self.waiting[payload["id"]] = asyncio.Future()
        def connect():
            return Gate()
        """,
    )


def test_a_client_library_that_nobody_sends_ids_to() -> None:
    quiet(RULE, "import asyncio\nclass Client:\n    def __init__(self):\n        self.waiting = {}\n"
          "    def call(self, message):\n        self.waiting[message['id']] = asyncio.Future()\n"
          "c = Client()\n")  # fmt: skip


def test_an_id_that_the_server_may_have_made() -> None:
    quiet(RULE, "class Hub:\n    def __init__(self):\n        self.sockets = {}\n    def put(self, run_id, socket):\n"
          "        self.sockets[run_id] = socket\nhub = Hub()\n"
          "def f(request):\n    hub.put(request.state.run, 1)\n")  # fmt: skip


def test_a_socket_under_the_id_of_a_frame() -> None:
    source = (
        "waiting: dict[str, WebSocket] = {{}}\n@app.websocket('/rpc')\nasync def rpc(ws: WebSocket):\n"
        "    frame = await ws.receive_json()\n    waiting[{0}] = ws\n"
    )
    finds(RULE, source.format("frame['id']"), "error", on="waiting[frame")
    quiet(RULE, source.format("next(numbers)"))
    quiet(RULE, source.format("frame['id']").replace("= ws", "= frame['title']"))


def test_an_id_that_is_handed_to_a_broker_of_the_application() -> None:
    broker = """
        import asyncio
        class Broker:
            def __init__(self):
                self.futures = {}
            async def call(self, correlation_id, text):
                self.futures[correlation_id] = future = asyncio.Future()
                return await future
        """
    app = """
        from fastapi import Depends, FastAPI, Header, Request
        from broker import Broker
        app = FastAPI()
        def broker(request: Request) -> Broker:
            return request.app.state.broker
        @app.post("/say")
        async def say(text: str, x_request_id: str = Header(), replies: Broker = Depends(broker)):
            return await replies.call({0}, text)
        """
    finds(RULE, {"broker.py": broker, "app.py": app.replace("{0}", "x_request_id")}, "error", on="self.futures[")
    quiet(RULE, {"broker.py": broker, "app.py": app.replace("{0}", "new_id()")})


LISTS = """
    import uuid
    from flask import Flask, g, request
    app = Flask(__name__)
    def submit(kind, account_id, ticket):
        job = {{"kind": kind, "account": account_id, "reply_to": f"reply:{{ticket}}"}}
        redis.rpush("jobs", job)
        return job["reply_to"]
    @app.post("/statements")
    def statement():
        body = request.get_json()
        given = {given}
        return redis.blpop(submit("statement", g.account_id, given))
    """


@pytest.mark.parametrize("given", ["body['correlation_id']", "body.get('correlation_id') or uuid.uuid4().hex"])
def test_a_reply_list_named_by_the_client(given: str) -> None:
    finds(RULE, LISTS.format(given=given), "error", on="blpop")


@pytest.mark.parametrize("given", ["uuid.uuid4().hex", "g.account_id + body['correlation_id']", "'all'"])
def test_a_reply_list_named_by_the_server(given: str) -> None:
    quiet(RULE, LISTS.format(given=given))


@pytest.mark.parametrize(
    ("name", "asks", "is_found"),
    [
        ("f'result:{job.job_id}'", "await redis.rpush('jobs', channel)", True),
        ("f'result:{job.job_id}'", "", False),
        ("f'result:{user}:{job.job_id}'", "await redis.rpush('jobs', channel)", False),
    ],
)
def test_an_answer_on_a_channel_that_the_client_names(name: str, asks: str, *, is_found: bool) -> None:
    source = f"""
        from fastapi import Depends, FastAPI
        app = FastAPI()
        @app.post("/jobs")
        async def submit(job: Job, user=Depends(current_user)):
            channel = {name}
            await pubsub.subscribe(channel)
            {asks}
            return await pubsub.get_message()
        """
    if is_found:
        finds(RULE, source, "error", on="subscribe")
    else:
        quiet(RULE, source)


LINK = """
import asyncio, uuid
class Link:
    def __init__(self, writer):
        self.open_calls = {}
    async def ask(self, tag, body):
        {0}
        slot = asyncio.get_running_loop().create_future()
        self.open_calls[tag] = slot
        return await slot
"""


@pytest.mark.parametrize(
    ("app", "is_found"),
    [
        ("    async for m in ws:\n        await request.app['carrier'].ask(json.loads(m.data)['id'], 1)\n", True),
        ("    number = request.query['order']\n    await request.app['carrier'].ask(number, 1)\n", True),
        ("    await request.app['carrier'].ask(request.headers.get('X-Id') or uuid4().hex, 1)\n", True),
        ("    await request.app['carrier'].ask(uuid4().hex, 1)\n", False),
        ("    who = await authenticate(request)\n    await request.app['carrier'].ask(who.id, 1)\n", False),
    ],
)  # fmt: skip
def test_who_chose_the_argument_that_is_the_key(app: str, *, is_found: bool) -> None:
    source = (
        "import json\nfrom uuid import uuid4\nfrom aiohttp import web\nfrom link import Link\n"
        f"async def quotes(request):\n    ws = web.WebSocketResponse()\n{app}    return ws\n"
        "app = web.Application()\napp['carrier'] = Link(None)\napp.router.add_get('/ws', quotes)\n"
    )
    if is_found:
        finds(RULE, {"link.py": LINK.replace("{0}", "pass"), "app.py": source}, "error", on="self.open_calls[tag]")
    else:
        quiet(RULE, {"link.py": LINK.replace("{0}", "pass"), "app.py": source})
    quiet(RULE, {"link.py": LINK.replace("{0}", "tag = uuid.uuid4().hex"), "app.py": source})


@pytest.mark.parametrize(
    ("key", "kept", "is_found"),
    [
        ("request.call_id", "{'event': asyncio.Event(), 'answer': None}", True),
        ("request.call_id", "[asyncio.Event(), None]", True),
        ("request.call_id", "{'answer': None}", False),
        ("secrets.token_hex(8)", "{'event': asyncio.Event()}", False),
    ],
)
def test_what_is_waited_with_among_other_things(key: str, kept: str, *, is_found: bool) -> None:
    source = (
        "import asyncio, secrets\nfrom v1 import desk_pb2_grpc\nclass Desk(desk_pb2_grpc.DeskServicer):\n"
        "    def __init__(self):\n        self.calls = {}\n    async def Ask(self, request, context):\n"
        f"        slot = {kept}\n        self.calls[{key}] = slot\n        await slot['event'].wait()\n"
    )
    if is_found:
        finds(RULE, source, "error", on="] = slot")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("called", "is_found"),
    [
        ("await request.app['gate'].ask(await request.json())", True),
        ("await request.app['gate'].ask({'seq': next(NUMBERS)})", False),
        ("body = await request.json()\n    await request.app['gate'].ask(body)", True),
    ],
)
@pytest.mark.parametrize("key", ["str(body['seq'])", "body.get('seq')"])
def test_an_answer_finds_its_way_back_by_whatever_the_message_calls_it(
    called: str, key: str, *, is_found: bool
) -> None:
    source = (
        "import asyncio, itertools\nfrom aiohttp import web\nNUMBERS = itertools.count()\n"
        "class Gate:\n    def __init__(self):\n        self.open = {}\n    async def ask(self, body):\n"
        f"        answer = asyncio.get_running_loop().create_future()\n        self.open[{key}] = answer\n"
        "        return await answer\n"
        f"async def page(request):\n    {called}\n"
        "def build():\n    app = web.Application()\n    app['gate'] = Gate()\n    app.router.add_post('/', page)\n"
    )
    (finds if is_found else quiet)(RULE, source)


def test_one_answer_for_all_who_ask_for_the_same_thing() -> None:
    body = (
        "body = await request.json()\nif body['place'] not in PENDING:\n"
        "    PENDING[body['place']] = asyncio.get_running_loop().create_future()\nreturn await PENDING[body['place']]"
    )
    quiet(RULE, handler(body, "request: Request"))


def test_an_id_that_goes_through_a_local_and_a_context_manager() -> None:
    finds(
        RULE,
        "import asyncio\nfrom contextlib import contextmanager\nfrom aiohttp import web\n"
        "class Gate:\n    def __init__(self):\n        self.open = {}\n    @contextmanager\n    def slot(self, mark):\n"
        "        self.open[mark] = answer = asyncio.Future()\n        yield answer\n"
        "    async def call(self, ref):\n        mark = ref\n        with self.slot(mark) as answer:\n"
        "            await answer\n"
        "async def page(request):\n    ref = request.headers.get('X-Request-Id')\n"
        "    await request.app[GATE].call(ref)\n"
        "def build():\n    app = web.Application()\n    app[GATE] = Gate()\n    app.router.add_post('/', page)\n",
        "error",
        on="self.open[mark]",
    )


@pytest.mark.parametrize(("key", "leaks"), [("number", True), ("uuid.uuid4().hex", False)])
def test_a_name_of_the_clients_goes_through_a_method_into_the_name_of_a_list(key: str, *, leaks: bool) -> None:
    source = {
        "bus.py": "import uuid\nclass Bus:\n    @staticmethod\n    def _key(name):\n        return f'reply:{name}'\n"
        f"    def ask(self, number, body):\n        key = self._key({key})\n"
        "        self.redis.rpush('jobs', body)\n        return self.redis.blpop(key)\n",
        "app.py": "from flask import Flask, request\nfrom bus import Bus\napp = Flask('x')\nbus = Bus()\n"
        "@app.post('/x')\ndef x():\n    order = request.get_json()\n    return bus.ask(order['job'], order)\n",
    }
    if leaks:
        finds(RULE, source, "error", on="blpop")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("name", "leaks"), [("request.query_params['stream']", True), ("str(uuid.uuid4())", False)])
def test_a_queue_that_its_handler_takes_from_stands_under_a_name_of_the_clients(name: str, *, leaks: bool) -> None:
    code = HEAD + (
        "from fastapi import Request\nsinks = {}\n@app.get('/stream')\nasync def stream(request: Request):\n"
        f"    name = {name}\n    sink = asyncio.Queue()\n    sinks[name] = sink\n"
        "    async def events():\n        while True:\n            yield await sink.get()\n"
        "    return answer(events())\n"
    )
    if leaks:
        finds(RULE, code, on="sinks[name]")
    else:
        quiet(RULE, code)


@pytest.mark.parametrize(("tag", "leaks"), [("message['tag']", True), ("next(numbers)", False)])
def test_a_handler_of_tornado_waits_at_its_application(tag: str, *, leaks: bool) -> None:
    code = (
        "import itertools, json, tornado.web, tornado.websocket\nnumbers = itertools.count()\n"
        "class Quotes(tornado.websocket.WebSocketHandler):\n    def on_message(self, raw):\n"
        f"        message = json.loads(raw)\n        tag = {tag}\n"
        "        self.application.waiting[tag] = self, message['tag']\n"
        "class Desk(tornado.web.Application):\n    def deliver(self, tag, result):\n"
        "        handler, said = self.waiting.pop(tag)\n        handler.write_message(result)\n"
    )
    if leaks:
        finds(RULE, code, "error", on="waiting[tag]")
    else:
        quiet(RULE, code)


@pytest.mark.parametrize(
    "body",
    [
        "PENDING[f'{request_id}:{id(websocket)}'] = websocket",
        "PENDING[f'{request_id}:{account_user.id}'] = websocket",
        "one = PENDING.get(request_id)\nif not one:\n    one = PENDING[request_id] = asyncio.Event()\none.set()",
    ],
)
def test_an_entry_that_no_other_client_replaces(body: str) -> None:
    quiet(RULE, handler(body))


@pytest.mark.parametrize(
    ("key", "said"), [("frame['nr']", "answer['nr']"), ("frame['nr']", "nr"), ("next(self.numbers)", "answer['nr']")]
)
def test_answers_that_look_their_asker_up(key: str, said: str) -> None:
    text = f"""
import itertools, json
from aiohttp import web
class Line:
    def __init__(self):
        self.askers = {{}}
        self.numbers = itertools.count()
    async def ask(self, socket, frame):
        self.askers[{key}] = socket
    async def listen(self, pipe, nr=0):
        async for text in pipe:
            answer = json.loads(text)
            await self.askers.get({said}).send_str(text)
line = Line()
async def chat(request):
    socket = web.WebSocketResponse()
    async for text in socket:
        await line.ask(socket, json.loads(text.data))
app = web.Application()
app.router.add_get("/chat", chat)
"""
    (finds if "frame" in key and "answer" in said else quiet)(RULE, text)
