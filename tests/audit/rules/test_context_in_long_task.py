"""Tasks that the first request starts for all, and tasks of one's own."""

from __future__ import annotations

import re
from textwrap import dedent

import pytest

from carrel.audit.rules.context_in_long_task import ContextInLongTask
from tests.audit.checking import finds, quiet

RULE = ContextInLongTask()
CODE = """
import asyncio
from contextvars import ContextVar, copy_context
token = ContextVar("token")
class Session:
    def __init__(self):
        self._queue = asyncio.Queue()
        self._loop = None
    async def post(self, value, message):
        token.set(value)
        if self._loop is None:
            self._loop = asyncio.create_task(self._receive())
        await self._queue.put(message)
    async def _receive(self):
        while True:
            message = await self._queue.get()
            answer(message)
def answer(message):
    return message, token.get()
"""


def test_a_loop_that_the_first_request_starts() -> None:
    (found,) = finds(RULE, CODE, "error", on="create_task")
    assert [place.note for place in found.related] == [
        "goes on for later requests", "reads the context", "sets the context",
    ]  # fmt: skip


def test_a_label_of_the_request_is_nobodys_identity() -> None:
    quiet(RULE, CODE.replace("token", "correlation_id"))
    finds(RULE, CODE.replace("token", "request_context"), "error")


def test_a_loop_that_calls_what_it_was_given() -> None:
    code = CODE.replace("            answer(message)", "            self._answer(message)")
    told = code.replace("__init__(self):", "__init__(self, use):\n        self._answer = use")
    finds(RULE, told, "warning")
    route = "@app.websocket('/talk')\nasync def talk(websocket, value):\n    await {session}.post(value, 'hello')\n"
    finds(RULE, told + "desk = Session(print)\n" + route.format(session="desk"), "warning")
    quiet(RULE, told + route.format(session="Session(print)"))  # each connection has its own
    # A method of a class above is known: it reads no context.
    quiet(RULE, code.replace("class Session:", "class Base:\n    def _answer(self, m): pass\nclass Session(Base):"))


def test_a_variable_that_a_middleware_sets() -> None:
    code = CODE.replace("        token.set(value)\n", "").replace("class Session:", """
from starlette.middleware.base import BaseHTTPMiddleware
class Middleware(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        token.set(request.headers["authorization"])
        return await call_next(request)
class Session:""")  # fmt: skip
    route = """
from fastapi import FastAPI
api = FastAPI()
@api.post("/")
async def index(body):
    await Session().post(1, 2)
"""
    finds(RULE, code + route, "error", on="create_task")
    quiet(RULE, code + route.replace("Session().post(1, 2)", "answer(1)"))
    # What starts with the application is in nobody's context.
    quiet(RULE, (code + route).replace("def post(", "def start_up(").replace(".post(1", ".start_up(1"))


def test_a_task_in_a_global() -> None:
    finds(
        RULE,
        """
        import asyncio
        from contextvars import ContextVar
        user = ContextVar("user")
        task = None
        def ensure(name):
            global task
            user.set(name)
            if task is None or task.done():
                task = asyncio.ensure_future(work())
        async def work():
            async for job in jobs():
                user.get()
        """,
        "error",
    )


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("create_task(self._receive())", "create_task(self._receive(), context=copy_context())"),
        ("message = await self._queue.get()", "value, message = await self._queue.get(); token.set(value)"),
        ("            answer(message)", "            copy_context().run(answer, message)"),
        ("            answer(message)", "            spawn(answer(message), context=message.context)"),
        ("if self._loop is None:", "if message:"),
        ("__init__(self)", "__init__(self, socket: 'WebSocket')"),
        ('ContextVar("token")', 'ContextVar("sending", default=False)'),
        ("self._loop = asyncio.create_task", "loop = asyncio.create_task"),
        ("        while True:", "        if True:"),
        ("return message, token.get()", "return message"),
        ("asyncio.create_task(self._receive())", "asyncio.create_task(coroutine)"),
        ("asyncio.create_task(self._receive())", "self._receive()"),
        (
            "            self._loop = asyncio.create_task(self._receive())",
            "            asyncio.create_task(self._receive())",
        ),
        ("asyncio.create_task(self._receive())", "asyncio.create_task(elsewhere())"),
    ],
)
def test_what_only_looks_like_it(was: str, now: str) -> None:
    assert was in CODE
    quiet(RULE, CODE.replace(was, now))


SESSIONS = {
    "sessions.py": """
        import asyncio
        from tools import TOOLS
        class Session:
            def __init__(self):
                self.inbox = asyncio.Queue()
                self.task = asyncio.create_task(self._serve())
            async def _serve(self):
                while True:
                    name = await self.inbox.get()
                    await TOOLS[name]()
        sessions: dict[str, Session] = {}
        """,
    "tools.py": """
        from contextvars import ContextVar
        principal = ContextVar("principal")
        async def contracts():
            return fetch(principal.get())
        TOOLS = {"contracts": contracts}
        """,
    "server.py": """
        from sessions import Session, sessions
        from tools import principal
        @app.post("/open")
        async def start(request):
            principal.set(verify(request))
            session = Session()
            sessions[session.id] = session
        @app.post("/call")
        async def call(request):
            await sessions[request.headers["session"]].inbox.put("contracts")
        """,
}


def test_a_task_of_a_session_that_later_requests_find() -> None:
    found = finds(RULE, SESSIONS, "error", on="create_task")
    assert ("tools.py", 5) in [(place.path, place.line) for place in found[0].related]


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("sessions.py", "sessions: dict[str, Session] = {}", "sessions = None"),
        ("sessions.py", "_serve())", "_serve(), context=Context())"),
        ("tools.py", "principal.get()", "'all'"),
        ("server.py", '@app.post("/open")', '@app.websocket("/open")'),
    ],
)
def test_a_task_of_a_session_in_nobodys_context(path: str, old: str, new: str) -> None:
    quiet(RULE, {**SESSIONS, path: SESSIONS[path].replace(old, new)})


QUEUE = {
    "auth.py": """
        from contextvars import ContextVar
        artist = ContextVar("artist_id")
        async def sign_in(request):
            artist.set(await verify(request))
        """,
    "work.py": """
        from auth import artist
        async def drain():
            while True:
                save(artist.get(), await jobs.get())
        """,
    "app.py": """
        import asyncio
        from fastapi import Depends, FastAPI
        from auth import sign_in
        from work import drain
        app = FastAPI()
        worker = None
        @app.post("/render", dependencies=[Depends(sign_in)])
        async def render(scene):
            global worker
            if worker is None or worker.done():
                worker = asyncio.create_task(drain())
        """,
}


def test_a_variable_that_a_dependency_sets() -> None:
    finds(RULE, QUEUE, "error", on="create_task")
    joined = "\n".join(dedent(QUEUE[name]) for name in ("auth.py", "work.py", "app.py"))
    finds(RULE, re.sub(r"from (?:auth|work) import .*\n", "", joined), "error", on="create_task")


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("app.py", "Depends(sign_in)", "Depends(log)"),
        # What runs in a thread sets the variable in a copy of the context, which is gone before the task is made.
        (
            "auth.py",
            "async def sign_in(request):\n            artist.set(await",
            "def sign_in(request):\n            artist.set(",
        ),
        ("work.py", "while True", "if True"),
        ("work.py", "async def", "def"),
        ("work.py", "while True:", "while True:\n                artist.set(await names.get())"),
        ("work.py", "artist.get()", "'all'"),
        ("app.py", "from work import", "from library import"),
    ],
)
def test_a_task_that_another_file_defines(path: str, old: str, new: str) -> None:
    assert old in QUEUE[path]
    quiet(RULE, {**QUEUE, path: QUEUE[path].replace(old, new)})


UPSTREAM = {
    "context.py": """
        from contextvars import ContextVar
        token = ContextVar("token")
        def header():
            return {"Authorization": token.get()}
        """,
    "upstream.py": """
        import anyio
        from context import header
        class Upstream:
            def __init__(self):
                self._send, self._receive = anyio.create_memory_object_stream(100)
                self._group = None
            async def ensure_started(self):
                if self._group is None:
                    self._group = await anyio.create_task_group().__aenter__()
                    self._group.start_soon(self._pump)
            async def _pump(self):
                async for item in self._receive:
                    await post(item, header())
        """,
    "app.py": """
        from context import token
        from upstream import Upstream
        upstream = Upstream()
        @app.post("/call")
        async def call(request):
            token.set(verify(request))
            await upstream.ensure_started()
        """,
}


def test_a_task_of_a_group() -> None:
    finds(RULE, UPSTREAM, "error", on="start_soon")
    early = UPSTREAM["upstream.py"].replace(
        "is None:", "is not None:\n                    return\n                if True:"
    )
    finds(RULE, {**UPSTREAM, "upstream.py": early}, "error", on="start_soon")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("if self._group is None", "if self.is_open"),
        ("self._group = await anyio.create_task_group().__aenter__()", "group = self.group()"),
    ],
)
def test_a_loop_for_what_all_requests_put_in_one_place(old: str, new: str) -> None:
    text = UPSTREAM["upstream.py"].replace(old, new)
    finds(RULE, {**UPSTREAM, "upstream.py": text}, "error", on="start_soon")
    # One that each request makes for itself serves nobody else.
    quiet(
        RULE,
        {
            **UPSTREAM,
            "upstream.py": text,
            "app.py": UPSTREAM["app.py"].replace("upstream.e", "Upstream().e").replace("upstream = ", "u = "),
        },
    )


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("upstream.py", "async for item in self._receive", "if item := await self._receive.receive()"),
        ("upstream.py", "start_soon(self._pump)", "start_soon(pump)"),
        ("context.py", "token.get()", "'all'"),
    ],
)
def test_a_group_without_such_a_task(path: str, old: str, new: str) -> None:
    assert old in UPSTREAM[path]
    quiet(RULE, {**UPSTREAM, path: UPSTREAM[path].replace(old, new)})


KEYED = """
import asyncio
from contextvars import ContextVar
account = ContextVar("account")
tasks = {}
async def poll(symbol, feed):
    while True:
        alert(account.get(), await feed.next(symbol))
@app.post("/watch")
async def watch(symbol, feed, user_id):
    account.set(user_id)
    task = tasks.get(symbol)
    if task is None or task.done():
        tasks[symbol] = asyncio.create_task(poll(symbol, feed))
"""


def test_a_task_that_is_looked_up_first() -> None:
    finds(RULE, KEYED, "error", on="create_task")
    quiet(RULE, KEYED.replace("tasks.get", "others.get"))


BATCHES = """
import asyncio
from contextvars import ContextVar
team = ContextVar("team")
class Batches:
    def __init__(self):
        self.waiting, self.task = [], None
    def add(self, text):
        team.set(text)
        self.waiting.append(text)
        if self.task is None:
            self.task = asyncio.create_task(self.flush())
    async def flush(self):
        await asyncio.sleep(1)
        batch, self.waiting, self.task = self.waiting, [], None
        await embed(team.get(), batch)
"""


def test_a_task_that_takes_over_what_others_have_put_in_one_place() -> None:
    finds(RULE, BATCHES, "error", on="create_task")
    quiet(RULE, BATCHES.replace("self.waiting.append(text)", "pass"))
    quiet(RULE, BATCHES.replace("team.get()", "None"))


PUMP = {
    "session.py": """
        import asyncio
        from scope import principal
        class Session:
            def __init__(self):
                self.inbox = asyncio.Queue()
            def start(self):
                asyncio.create_task(self._run())
            async def _run(self):
                while True:
                    await call(principal.get(), await self.inbox.get())
        """,
    "scope.py": "from contextvars import ContextVar\nprincipal = ContextVar('principal')\n",
    "web.py": """
        from fastapi import FastAPI
        from scope import principal
        from session import Session
        app = FastAPI()
        sessions: dict[str, Session] = {}
        @app.post("/")
        async def ask(sid: str, who: str):
            principal.set(who)
            sessions[sid] = Session()
            sessions[sid].start()
        """,
}


def test_a_queue_of_a_session_that_later_requests_find() -> None:
    finds(RULE, PUMP, "error", on="create_task")
    quiet(
        RULE, {**PUMP, "web.py": PUMP["web.py"].replace("sessions: dict[str, Session] = {}", "sessions = Sessions()")}
    )


def test_what_says_for_whom_it_is_needs_no_context() -> None:
    code = CODE.replace("            answer(message)", "            self._answer(message)")
    code = code.replace("__init__(self):", "__init__(self, use):\n        self._answer = use")
    quiet(RULE, code.replace("message = await", "who, message = await"))
