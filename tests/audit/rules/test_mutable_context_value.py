"""Values that all contexts share, and values of one context."""

from __future__ import annotations

import pytest

from carrel.audit.rules.mutable_context_value import MutableContextValue
from tests.audit.checking import findings, finds, quiet

RULE = MutableContextValue()
HEAD = "from contextvars import ContextVar\n"


@pytest.mark.parametrize(
    ("code", "severity"),
    [
        ("fields = ContextVar('f', default={})\ndef bind(user):\n    fields.get()['user'] = user\n", "error"),
        ("fields = ContextVar('f', default=[])\ndef bind(level):\n    fields.get().append(level)\n", "warning"),
        ("fields = ContextVar('f')\nfields.set({})\ndef bind(**v):\n    fields.get({}).update(v)\n", "warning"),
        (
            (
                "class State: pass\nstate = ContextVar('s')\n"
                "state.set(State())\ndef current():\n    return state.get()\n"
                "def begin(user_id):\n    now = current()\n    now.user, now.id = user_id, user_id\n"
            ),
            "error",
        ),
    ],
)
def test_a_value_that_is_changed_in_place(code: str, severity: str) -> None:
    finds(RULE, HEAD + code, severity)


def test_a_default_that_nobody_here_changes_is_only_mentioned() -> None:
    finds(RULE, HEAD + "fields = ContextVar('f', default={})\ndef get():\n    return fields.get()\n", "info")


def test_what_is_given_in_place_of_a_default_is_nobodys() -> None:
    code = "fields = ContextVar('f', default={})\ndef bind(**v):\n    now = fields.get({})\n    now.update(v)\n"
    finds(RULE, HEAD + code, "info")
    finds(RULE, HEAD + code.replace("get({})", "get()"), "warning")


@pytest.mark.parametrize(
    "code",
    [
        "fields = ContextVar('f')\ndef bind(**values):\n    fields.set({**fields.get({}), **values})\n",
        "fields = ContextVar('f', default=())\ndef bind(v):\n    fields.set((*fields.get(), v))\n",
        "fields = ContextVar('f', default=None)\ndef bind(user):\n    fields.set({'user': user})\n",
        (
            "fields = ContextVar('f')\ndef start():\n    fields.set({})\n"
            "def bind(user):\n    fields.get()['user'] = user\n"
        ),
        "class State: pass\nstate = ContextVar('s', default=State())\ndef read():\n    return state.get().user\n",
        (
            "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass State: pass\n"
            "state = ContextVar('s', default=State())\ndef f(user):\n    state.get().update(user)\n"
        ),
        "level = ContextVar('l', default=Level.LOW)\ndef f(v):\n    level.get().set(v)\n",
        "kept = {}\ndef bind(user):\n    kept.get('x')['user'] = user\n",
    ],
)
def test_values_of_one_context(code: str) -> None:
    quiet(RULE, HEAD + code)


SCOPE = {
    "scope.py": """
        from contextvars import ContextVar
        class Scope: ...
        current = ContextVar("scope")
        def install():
            current.set(Scope())
        def scope():
            return current.get()
        """,
    "web.py": """
        from aiohttp import web
        from scope import install, scope
        @web.middleware
        async def actor(request, handler):
            scope().actor = verify(request.headers["authorization"])
            return await handler(request)
        def main():
            install()
            web.run_app(app)
        """,
}


def test_a_value_that_is_set_before_there_are_requests() -> None:
    found = finds(RULE, SCOPE, "error", on="scope().actor =")
    assert ("scope.py", 6) in [(place.path, place.line) for place in found[0].related]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    scope().actor", "    install()\n            scope().actor"),
        ("            install()\n", ""),
        ("scope().actor", "other().actor"),
        ('verify(request.headers["authorization"])', "1"),
    ],
)
def test_a_value_that_each_request_sets(old: str, new: str) -> None:
    quiet(RULE, {**SCOPE, "web.py": SCOPE["web.py"].replace(old, new)})


def test_a_value_that_is_set_back_is_of_what_runs_meanwhile() -> None:
    meanwhile = "token = current.set(Scope())\n            run()\n            current.reset(token)"
    quiet(RULE, {**SCOPE, "scope.py": SCOPE["scope.py"].replace("current.set(Scope())", meanwhile)})


def test_a_default_that_another_file_changes_through_a_getter() -> None:
    files = {
        "scope.py": "from contextvars import ContextVar\nfields = ContextVar('f', default={})\n"
        "def scope():\n    return fields.get()\n",
        "web.py": "from scope import scope\n@app.get('/')\ndef index(request):\n    scope()['user'] = request.user\n",
    }
    found = findings(RULE, files)
    assert [(one.severity, one.location.path) for one in found] == [("info", "scope.py"), ("error", "web.py")]
    fresh = files["scope.py"] + "@app.middleware('http')\ndef begin(request):\n    fields.set({})\n"
    assert [one.severity for one in findings(RULE, {**files, "scope.py": fresh})] == ["info"]


def test_a_value_that_a_third_file_sets_while_it_is_imported() -> None:
    files = {
        "bag.py": "from contextvars import ContextVar\nbag = ContextVar('b')\ndef tags():\n    return bag.get()\n",
        "web.py": "from bag import bag, tags\nbag.set({})\n"
        "@app.get('/')\ndef index(request):\n    tags()['u'] = request.user\n",
    }
    found = finds(RULE, files, "error", on="tags()['u'] =")
    assert ("web.py", 2) in [(place.path, place.line) for place in found[0].related]


KIOSK = {
    "trail.py": """
        from contextvars import ContextVar
        steps = ContextVar("steps")
        def note(text):
            steps.get().append(text)
        """,
    "server.py": """
        import asyncio
        from trail import note, steps
        async def talk(reader, writer):
            note(await reader.readline())
            writer.write(str(steps.get()))
        async def main():
            steps.set([])
            async with await asyncio.start_server(talk, "", 80) as server:
                await server.serve_forever()
        """,
}


def test_a_list_that_is_set_once_before_connections_copy_the_context() -> None:
    finds(RULE, KIOSK, "error", on="append(text)")
    started = "def run():\n            steps.set([])\n            uvicorn.run(app)\n        async def main():\n"
    text = KIOSK["server.py"].replace("async def main():\n            steps.set([])\n", started)
    finds(RULE, {**KIOSK, "server.py": text.replace("import asyncio", "import asyncio, uvicorn")}, "error")
    quiet(RULE, {**KIOSK, "server.py": text.replace("import asyncio", "import asyncio, csv as uvicorn")})
    each = KIOSK["server.py"].replace("note(await", "steps.set([])\n            note(await")
    quiet(RULE, {**KIOSK, "server.py": each})


TRACE = """
from contextvars import ContextVar
from aiohttp import web
class Trace:
    def __init__(self):
        self.steps = []
    def note(self, step, detail):
        self.steps.append(f"{step}: {detail}")
    def text(self, detail):
        return str(self.steps) + detail
trace = ContextVar("trace")
trace.set(Trace())
async def answer(body):
    trace.get().note("drafted", body)
async def handle(request):
    await answer(await request.json())
    return web.json_response(trace.get().steps)
app = web.Application()
app.router.add_post("/answer", handle)
"""


def test_a_method_that_changes_the_value() -> None:
    finds(RULE, TRACE, "error", on="trace.get().note(")
    helper = TRACE.replace("async def answer(body):\n    trace", "def now():\n    return trace.get()\n"
                           "async def answer(body):\n    now().note('d', body)\n    trace").replace(
                           '    trace.get().note("drafted", body)\n', "")  # fmt: skip
    finds(RULE, helper, "error", on="now().note(")


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("    await answer(", "    trace.set(Trace())\n    await answer("),
        ("trace.set(Trace())", "tracing = Trace()"),
        ('note("drafted", body)', "text(body)"),
        ('note("drafted", body)', 'note("drafted", "all")'),
        ('note("drafted", body)', "note"),
        ("await answer(", "print("),
    ],
)
def test_a_method_that_leaves_it_or_a_value_of_one_request(was: str, now: str) -> None:
    assert was in TRACE
    quiet(RULE, TRACE.replace(was, now))


def test_a_value_that_a_hook_of_the_start_sets() -> None:
    code = """
    from contextvars import ContextVar
    from sanic import Sanic
    app = Sanic("x")
    tags = ContextVar("tags")
    @app.{0}
    async def prepare(app, loop):
        tags.set({})
    @app.get("/")
    async def home(request):
        tags.get()["visitor"] = request.args.get("visitor")
    """
    finds(RULE, code.replace("{0}", "before_server_start"), "error")
    quiet(RULE, code.replace("{0}", "middleware"))
