"""Global names that requests bind, and where a request may keep its user."""

from __future__ import annotations

import pytest

from carrel.audit.rules.global_current_user import GlobalCurrentUser
from tests.audit.checking import findings, finds, quiet

RULE = GlobalCurrentUser()
APP = "from fastapi import FastAPI, Request\napp = FastAPI()\ncurrent_user = None\n"


def test_a_middleware_that_binds_a_global() -> None:
    finds(
        RULE,
        APP
        + "@app.middleware('http')\nasync def who(request: Request, call_next):\n    global current_user\n"
        + "    current_user = verify(request.headers['authorization'])\n    return await call_next(request)\n",
        "error",
        on="current_user = verify",
    )


def test_an_attribute_of_another_module() -> None:
    finds(
        RULE,
        {
            "portal/__init__.py": "",
            "portal/runtime.py": "USER = None\n",
            "portal/views.py": "from . import runtime\nasync def letter(request):\n    runtime.USER = request.user\n",
        },
        "error",
        on="runtime.USER",
    )


def test_an_attribute_of_a_class() -> None:
    finds(
        RULE,
        "class Config:\n    user = None\n    @classmethod\n    def use(cls, user):\n        cls.user = user\n"
        "def begin(user):\n    Config.use(user)\n",
        "warning",
    )


def test_a_setter_without_entry_points_is_a_warning_where_something_calls_it_with_a_user() -> None:
    text = "_active = None\ndef activate(user_id):\n    global _active\n    _active = user_id\n"
    finds(RULE, text + "def begin(user_id):\n    activate(user_id)\n", "warning")
    finds(RULE, text + "def begin(user_id):\n    activate(0)\n", "info")
    finds(RULE, text, "info")


def test_a_credential_may_be_the_process_own() -> None:
    finds(RULE, "_token = None\ndef sign_in(token):\n    global _token\n    _token = token\n", "info")


def test_a_setting_that_a_route_changes_is_only_mentioned() -> None:
    finds(
        RULE,
        APP + "level = 1\n@app.post('/level')\ndef change(value: int):\n    global level\n    level = value\n",
        "info",
    )


@pytest.mark.parametrize(
    "body",
    [
        "request.state.user = verify(request.headers['authorization'])",
        "runtime.seen += [request.user.id]",
        "request.scope['user'] = verify(request.headers['authorization'])",
        "current_user = verify(request.headers['authorization'])\n    return current_user",
        "global current_user\n    current_user = None",
        "global current_user\n    current_user = len(request.headers)",
        (
            "global current_user\n    if current_user is None:\n"
            "        current_user = verify(request.headers['authorization'])"
        ),
        "_user.set(verify(request.headers['authorization']))",
    ],
)
def test_what_is_of_this_request(body: str) -> None:
    source = (
        "from contextvars import ContextVar\n_user = ContextVar('user')\n@app.get('/')\n"
        f"async def home(request: Request):\n    {body}\n"
    )
    quiet(RULE, APP + source)


def test_flasks_own_place_is_quiet() -> None:
    quiet(RULE, "from flask import g, request\ndef load():\n    g.user = verify(request.headers['Authorization'])\n")


def test_a_registry_that_is_replaced_by_one_with_an_element_more() -> None:
    text = "_open = frozenset()\ndef opened(session_id):\n    global _open\n    {change}\n"
    quiet(RULE, text.format(change="_open |= {session_id}"))
    quiet(RULE, text.format(change="_open -= {session_id}"))
    quiet(RULE, text.format(change="_open = _open | {session_id}"))
    finds(RULE, text.format(change="_open = {session_id}"), "info")


def test_a_plugin_of_pytest() -> None:
    text = "current = None\ndef start(session_id):\n    global current\n    current = session_id\n"
    quiet(RULE, {"tool/pytest/session.py": text})
    finds(RULE, {"tool/session.py": text}, "info")


def test_a_class_that_is_being_defined() -> None:
    text = "class Row:\n    user = None\n    @classmethod\n    def {0}(cls, user):\n        cls.user = user\n"
    called = "def begin(user):\n    Row.{0}(user)\n"
    finds(RULE, (text + called).format("allow"), "warning")
    finds(RULE, (text + called).format("__init_subclass__"), "info")


def test_a_token_that_a_request_brings_and_one_of_the_application() -> None:
    route = (
        "@app.get('/')\nasync def home(request: Request):\n    global _session\n    _session = {0}\n    await work()\n"
    )
    finds(RULE, APP + route.format("connect(request.cookies['auth_token'])"), "warning")
    finds(RULE, APP + route.format("connect(get_token())"), "info")
    finds(RULE, APP + route.format("load_account(request.cookies['auth_token'])"), "warning")


SETTER = {
    "app/scope.py": """
        _clinic = None
        def use(clinic):
            global _clinic
            _clinic = clinic
        def clinic():
            return _clinic
        """,
    "app/web.py": """
        import jwt
        from aiohttp import web
        from .scope import use
        @web.middleware
        async def scoped(request: web.Request, handler):
            claims = jwt.decode(request.headers["Authorization"], KEY)
            use(claims["clinic"])
            return await handler(request)
        """,
}


def test_a_setter_in_another_module() -> None:
    found = finds(RULE, SETTER, "error", on="_clinic = clinic")
    assert ("app/web.py", 8) in [(place.path, place.line) for place in found[0].related]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('use(claims["clinic"])', 'use(request.query["theme"])'),
        ("return _clinic", "return None"),
        ('use(claims["clinic"])', "use(settings.clinic)"),
    ],
)
def test_a_setter_that_is_told_nothing_of_a_user(old: str, new: str) -> None:
    quiet(RULE, {path: text.replace(old, new) for path, text in SETTER.items()})


def test_an_object_for_each_thread() -> None:
    text = (
        "from threading import local\nclass Scope(local):\n    user = None\nscope = Scope()\n"
        "{0}def identify(request: Request):\n    scope.user = verify(request.cookies['user'])\n"
    )
    finds(RULE, APP + text.format("async "), "error")
    quiet(RULE, APP + text.format(""))


PUPIL = """
from fastapi import Depends, FastAPI
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
app = FastAPI()
bearer = HTTPBearer()
active_pupil = None
def pupil_from(cred: HTTPAuthorizationCredentials = Depends(bearer)):
    return load(cred.credentials)
@app.post("/ask")
async def ask(question: str, pupil=Depends(pupil_from)):
    global active_pupil
    active_pupil = pupil
    hint = await generate(question)
    return {"pupil": active_pupil.name, "hint": hint}
"""


def test_what_a_dependency_finds_out_is_read_again_after_the_handler_waited() -> None:
    finds(RULE, PUPIL, "error", on="active_pupil = pupil")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("cred: HTTPAuthorizationCredentials = Depends(bearer)", "page: int = 1"),
        ("await generate(question)", "question"),
        ("active_pupil.name", "pupil.name"),
        ("Depends(pupil_from)", "Depends(topics)"),
    ],
)
def test_what_a_dependency_does_not_know_or_nobody_reads_again(old: str, new: str) -> None:
    assert old in PUPIL
    quiet(RULE, PUPIL.replace(old, new))


DISPATCH = {
    "runtime.py": "caller = None\n",
    "server.py": """
        import jwt
        import runtime
        from websockets.asyncio.server import serve
        def verify(ws):
            return jwt.decode(ws.request.headers["Authorization"], KEY)
        def make_handler(pool):
            async def handler(ws):
                claims = verify(ws)
                async for raw in ws:
                    runtime.caller = claims["sub"]
                    await ws.send(await parcels(pool))
            return handler
        async def main(pool):
            async with serve(make_handler(pool), "", 80):
                pass
        """,
}


def test_an_attribute_of_a_module_that_a_handler_made_by_a_function_sets() -> None:
    finds(RULE, DISPATCH, "error", on="runtime.caller = ")
    quiet(RULE, {**DISPATCH, "server.py": DISPATCH["server.py"].replace('claims["sub"]', "pool.size()")})


DIARY = """
import asyncio
import discord
from discord import app_commands
tree = app_commands.CommandTree(discord.Client())
turn = asyncio.Lock()
speaker = None
async def entries():
    return await read("SELECT body FROM entries WHERE member = ?", speaker)
async def summarise():
    return await model(await entries())
@tree.command()
async def diary(interaction: discord.Interaction):
    global speaker
    async with turn:
        speaker = interaction.user.id
        reply = await summarise()
    await interaction.followup.send(reply)
"""


def test_a_lock_around_all_of_the_use() -> None:
    quiet(RULE, DIARY)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("        reply = await", "    reply = await"),
        ("(reply)", "(reply, speaker)"),
        ("async with turn", "async with asyncio.Lock()"),
        ("asyncio.Lock()", "asyncio.Semaphore(9)"),
        (
            "@tree",
            "@tree.command()\nasync def latest(interaction: discord.Interaction):\n    return await entries()\n@tree",
        ),
        (
            "@tree",
            "@tree.command()\nasync def latest(interaction: discord.Interaction):\n    return later(entries)\n@tree",
        ),
    ],
    ids=["a call after it", "a read after it", "its own", "no lock", "a call without it", "handed on"],
)
def test_a_lock_that_does_not_cover_the_use(old: str, new: str) -> None:
    assert old in DIARY
    finds(RULE, DIARY.replace(old, new), "error", on="speaker = interaction")


def test_who_reads_it_in_another_file_holds_no_lock() -> None:
    finds(RULE, {"app.py": DIARY, "other.py": "from app import entries\n"}, "error", on="speaker = interaction")
    finds(RULE, {"app.py": DIARY, "other.py": "from app import speaker\n"}, "error", on="speaker = interaction")


@pytest.mark.parametrize(("indent", "is_found"), [("", True), ("    ", False)])
def test_a_class_that_each_call_makes(indent: str, *, is_found: bool) -> None:
    form = f"{indent}class Form:\n{indent}    user = None\n"
    make = f"def make(request):\n{form if indent else ''}    Form.user = request.state.user\n    return Form\n"
    source = f"from fastapi import FastAPI\napp = FastAPI()\n{'' if indent else form}@app.get('/x')\n{make}"
    if is_found:
        finds(RULE, source, "error")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("body", "is_found"), [("here = threading.local()", False), ("name = 1", True)])
def test_what_a_class_of_another_file_has_for_each_thread(body: str, *, is_found: bool) -> None:
    model = f"import threading\nclass Place: ...\nclass Model:\n    {body}\n"
    source = "from model import Model\ndef middleware(request):\n    Model.here.request = request\n"
    assert bool(findings(RULE, {"app.py": source, "model.py": model})) is is_found


@pytest.mark.parametrize(("test", "is_found"), [(" if row['id'] != user_id", False), ("", True)])
def test_a_list_without_some_of_its_entries(test: str, *, is_found: bool) -> None:
    text = "ROWS = []\ndef drop(request):\n    global ROWS\n    user_id = request.user.id\n"
    rows = "row for row in ROWS" if test else "(row, user_id) for row in read()"
    assert bool(findings(RULE, f"{text}    ROWS = [{rows}{test}]\ndef rows():\n    return ROWS\n")) is is_found


MANY = "".join(f"@app.get('/{number}')\ndef route{number}(): ...\n" for number in range(20))
LOGS = (
    "@app.post('/ask')\ndef ask(request: Request):\n    global current_user\n"
    "    current_user = request.state.user_id\n    return log(current_user)\n"
)


@pytest.mark.parametrize(
    ("reader", "severity"),
    [
        ("", "info"),
        ("def new():\n    global current_user\n    current_user = made()\n    return current_user\n", "info"),
        ("def never():\n    return current_user\n", "info"),
        ("def shown(current_user):\n    return current_user\n@app.get('/me')\ndef me(): return shown(1)\n", "info"),
        ("@app.get('/me')\ndef me(): return current_user\n", "error"),
        ("def of_all():\n    return current_user\n@app.get('/me')\ndef me(): return of_all()\n", "error"),
        (
            "@app.get('/me')\ndef me():\n    global current_user\n    last, current_user = current_user, None\n",
            "error",
        ),
    ],
)
def test_a_name_that_somebody_finds_in_an_application(reader: str, severity: str) -> None:
    finds(RULE, APP + MANY + LOGS + reader, severity, on="= request.state")
    finds(RULE, APP + LOGS + reader, "error", on="= request.state")


def test_a_name_that_another_file_of_an_application_reads() -> None:
    code = {"portal/__init__.py": "", "portal/app.py": APP + MANY + LOGS}
    finds(RULE, code, "info")
    finds(RULE, {**code, "portal/mail.py": "from .app import current_user\n"}, "error")


def test_an_attribute_of_a_model() -> None:
    code = (
        APP + "{0}class Answer{1}:\n    text: str\n@app.post('/')\ndef ask(request: Request):\n    resp = Answer\n"
        "    resp.user_id = request.state.user_id\n"
    )
    finds(RULE, code.format("", ""), "error")
    finds(RULE, code.format("from pydantic import BaseModel\n", "(BaseModel)"), "info")


def test_a_name_that_a_state_lets_in_once() -> None:
    code = (
        APP + "class Service:\n    def begin(self, request: Request):\n        global current_user\n"
        "        if self.state != 'new': raise RuntimeError\n        self.state = {0}\n"
        "        current_user = request.state.user_id\n"
    )
    finds(RULE, code.format("'ready'"), "info")
    finds(RULE, code.replace("self.state =", "state =").format("'ready'"), "error")
