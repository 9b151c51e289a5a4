"""Sessions that belong to whoever names them, and those that are bound to a user."""

from __future__ import annotations

import pytest

from carrel.audit.rules.session_id_only_credential import SessionIdOnlyCredential
from tests.audit.checking import finds, quiet

RULE = SessionIdOnlyCredential()
HEAD = """
from fastapi import FastAPI, Depends, Header, WebSocket
from auth import get_current_user, require_admin
from store import stored
app = FastAPI()
SESSIONS = {}
"""


def handler(body: str, parameters: str) -> str:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"{HEAD}@app.post('/message')\nasync def message({parameters}):\n{lines}"


def test_nothing_but_the_id() -> None:
    finds(RULE, handler("return SESSIONS[session_id].messages", "session_id: str"), "warning", on="SESSIONS[")


@pytest.mark.parametrize(("name", "is_found"), [("connection_id", True), ("db_connection_id", False)])
def test_a_connection_to_a_database_is_no_session(name: str, *, is_found: bool) -> None:
    source = handler(f"return SESSIONS[{name}].messages", f"{name}: str")
    if is_found:
        finds(RULE, source, "warning")
    else:
        quiet(RULE, source)


def test_the_user_is_known_and_not_asked() -> None:
    text = handler(
        "return SESSIONS.get(mcp_session_id)", "mcp_session_id: str = Header(), user=Depends(get_current_user)"
    )
    finds(RULE, text, "error")


@pytest.mark.parametrize(
    "helper",
    [
        "def attach(sid, user):\n    s = SESSIONS.get(sid)\n    s = s or S(user)\n    return s\n",
        "def resume(sid, user_id):\n    return SESSIONS[sid]\n",
    ],
)
def test_a_helper_that_looks_at_the_user_only_for_a_new_session(helper: str) -> None:
    finds(RULE, f"SESSIONS = {{}}\n{helper}", "warning")


def test_a_shared_registry_in_another_file() -> None:
    registry = """
        class Registry:
            def __init__(self):
                self.sessions = {}
            async def resume(self, session_id, user_id):
                session = self.sessions.get(session_id)
                if session is not None:
                    return session
                return self.open(user_id)
        registry = Registry()
        """
    finds(RULE, {"registry.py": registry}, "warning", on="self.sessions.get")


@pytest.mark.parametrize(
    ("parameters", "body"),
    [
        ("session_id: str, user=Depends(get_current_user)", "s = SESSIONS[session_id]\nassert s.owner == user.id"),
        ("session_id: str, user=Depends(get_current_user)", "return SESSIONS[(user.id, session_id)]"),
        ("session_id: str, user=Depends(get_current_user)", "return SESSIONS[user.id][session_id]"),
        ("session_id: str, user=Depends(get_current_user)", "check(user, session_id)\nreturn SESSIONS[session_id]"),
        ("session_id: str, user=Depends(require_admin)", "return SESSIONS[session_id]"),
        ("session_id: str", "SESSIONS.pop(session_id, None)"),
        ("session_id: str", "local = {}\nreturn local.get(session_id)"),
        ("page: int", "return SESSIONS[page]"),
        ("session=Depends(get_current_user)", "return SESSIONS[session]"),
    ],
)  # fmt: skip
def test_what_only_looks_like_it(parameters: str, body: str) -> None:
    quiet(RULE, handler(body, parameters))


@pytest.mark.parametrize(
    "helper",
    [
        "def attach(sid, user):\n    s = SESSIONS.get(sid)\n    if s.user == user:\n        return s\n",
        "def attach(session_id, user):\n    return SESSIONS.get((user, session_id))\n",
        "def close(session_id, user):\n    SESSIONS.pop(session_id)\n",
        "def count(session_id, user):\n    found = SESSIONS[session_id]\n    found.touch()\n",
        "def attach(session_id):\n    return SESSIONS[session_id]\n",
    ],
)
def test_helpers_that_only_look_like_it(helper: str) -> None:
    quiet(RULE, f"SESSIONS = {{}}\n{helper}")


@pytest.mark.parametrize(("narrowed", "is_found"), [(", user__isnull=True", False), (", user=user", False), ("", True)])
def test_a_query_that_also_asks_for_the_user(narrowed: str, is_found: bool) -> None:
    text = HEAD + f"LOGS = stored.logs()\ndef attempt(session_id, user):\n    return LOGS.get(session_id{narrowed})\n"
    if is_found:
        finds(RULE, text.replace("stored.logs()", "{}"))
    else:
        quiet(RULE, text.replace("stored.logs()", "{}"))


@pytest.mark.parametrize(
    ("asks", "compares", "is_found"),
    [("", "", True), (", user=Depends(get_current_user)", "or found.owner != user", False)],
)
def test_a_dependency_that_opens_the_session(asks: str, compares: str, *, is_found: bool) -> None:
    source = f"""{HEAD}
def open_session(session_id: str{asks}):
    found = SESSIONS.get(session_id)
    if found is None {compares}:
        raise KeyError
    return found
@app.get("/sessions/{{session_id}}")
async def turns(session=Depends(open_session)):
    return session.messages
"""
    if is_found:
        finds(RULE, source, "warning", on="SESSIONS.get")
    else:
        quiet(RULE, source)


def test_a_dependency_of_routes_that_ask_who_it_is() -> None:
    source = f"""{HEAD}
def open_session(session_id: str):
    found = SESSIONS.get(session_id)
    return found
@app.get("/sessions/{{session_id}}")
async def turns(session=Depends(open_session), user=Depends(get_current_user)):
    return session.messages if session.owner == user else None
"""
    quiet(RULE, source)


def test_a_header_that_has_a_name_in_the_module() -> None:
    source = "HEADER = 'Mcp-Session-Id'\n" + handler("return SESSIONS.get(request.headers[HEADER])", "request: Request")
    finds(RULE, source, "warning", on="SESSIONS.get")


@pytest.mark.parametrize(
    ("kept", "is_found"), [("'client': client.id", True), ("'at': now()", False), ("'turns': [text]", False)]
)
def test_sessions_that_are_stored_with_who_opened_them(kept: str, *, is_found: bool) -> None:
    source = (
        "from fastapi import Depends, FastAPI\nfrom db import sessions\napp = FastAPI()\n@app.post('/sessions')\n"
        "async def start(text: str, client: Client = Depends(current_client)):\n"
        f"    await sessions.insert_one({{'_id': new_id(), {kept}}})\n@app.get('/sessions/{{session_id}}')\n"
        "async def show(session_id: str):\n    return await sessions.find_one({'_id': session_id})\n"
    )
    if is_found:
        finds(RULE, source, "error", on="find_one")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("opened", "is_found"), [("verify_bearer(request)", True), ("await request.json()", False)])
def test_sessions_of_the_application_that_are_opened_for_somebody(opened: str, *, is_found: bool) -> None:
    source = (
        "from aiohttp import web\nasync def start(request):\n    who = {0}\n"
        "    return request.app['open'].create(who.sub)\nasync def call(request):\n"
        "    return request.app['open'].get(request.headers.get('Mcp-Session-Id'))\n"
        "app = web.Application()\napp.router.add_post('/start', start)\napp.router.add_post('/call', call)\n"
    ).replace("{0}", opened)
    if is_found:
        finds(RULE, source, "error", on="Mcp-Session-Id")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("narrowed", "is_found"), [(", learner_id=me.id", False), ("", True)])
def test_a_dependency_that_finds_the_session_of_who_asks(narrowed: str, *, is_found: bool) -> None:
    source = (
        "from typing import Annotated\nfrom fastapi import Depends, FastAPI\nfrom db import Table\n"
        "app = FastAPI()\ntable = Table()\n"
        "Me = Annotated[Learner, Depends(current_learner)]\nNumber = Annotated[int, Path(gt=0)]\n"
        "async def own_session(session_id: int, me: {0}):\n"
        f"    return await table.find(session_id{narrowed})\n"
        "@app.get('/sessions/{session_id}')\nasync def show(row=Depends(own_session)):\n    return row\n"
    )
    if is_found:
        finds(RULE, source.replace("{0}", "Number"), "warning", on="table.find")
    else:
        quiet(RULE, source.replace("{0}", "Me"))
        quiet(RULE, source.replace("{0}", "Annotated[Learner, Depends(current_learner)]"))


@pytest.mark.parametrize(
    ("store", "found", "is_found"),
    [
        ("request.app['conversations']", "store.get(sid)", True),
        ("request.app.state.conversations", "store.get(sid) if sid else store.open()", True),
        ("request.app['conversations']", "store.resume(sid, customer_of(request))", False),
        ("request.app['conversations']", "store.close(sid)", False),
        ("request['conversations']", "store.get(sid)", False),
        ("request.app['conversations']", "store.get(request.headers['sid'])", False),
    ],
)
def test_a_socket_of_nobody_that_resumes_what_the_query_names(store: str, found: str, *, is_found: bool) -> None:
    source = (
        "from aiohttp import web\nasync def desk(request: web.Request):\n"
        f"    store: Store = {store}\n    ws = web.WebSocketResponse()\n    sid = request.query.get('sid')\n"
        f"    talk = {found}\n    await ws.send_json(talk.transcript)\n    return ws\n"
        "def build():\n    app = web.Application()\n    app.router.add_get('/desk', desk)\n    return app\n"
    )
    if is_found:
        finds(RULE, source, "warning", on="store.get(sid)")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("more", "is_found"), [("", True), ("if who(request) != chat['member']: raise E", False)])
def test_a_helper_of_handlers_that_load_a_session(more: str, *, is_found: bool) -> None:
    source = f"""
import json, jwt, uuid
from redis.asyncio import Redis
from starlette.routing import Route
redis = Redis()
def who(request):
    return jwt.decode(request.headers["authorization"])["sub"]
async def load(request):
    chat = json.loads(await redis.get(f"chat:{{request.headers['chat-session-id']}}"))
    {more}
    return chat
async def start(request):
    chat = {{"member": who(request), "turns": []}}
    await redis.set(f"chat:{{uuid.uuid4()}}", json.dumps(chat))
async def history(request):
    return await load(request)
routes = [Route("/chats", start), Route("/history", history)]
"""
    if is_found:
        finds(RULE, source, "error", on="redis.get")
    else:
        quiet(RULE, source)


def test_a_service_that_finds_out_who_is_asking() -> None:
    service = (
        "from shop.auth import current_user\nTALKS = {}\ndef open_session(user, session_id):\n"
        "    TALKS[session_id] = user\ndef read_session(session_id):\n"
        "    talk = TALKS.get(session_id)\n    return talk if ASKED else None\n"
    )
    route = (
        "import talks\nfrom flask import Flask\nfrom flask_login import current_user, login_required\n"
        "app = Flask(__name__)\n@app.post('/talks')\n@login_required\n"
        "def begin():\n    talks.open_session(current_user.id, 1)\n"
        "@app.get('/talks/<session_id>')\n@login_required\ndef go_on(session_id):\n"
        "    return talks.read_session(session_id)\n"
    )
    finds(RULE, {"talks.py": service.replace("ASKED", "talk.open"), "app.py": route}, "error")
    quiet(RULE, {"talks.py": service.replace("ASKED", "talk.owner == current_user.id"), "app.py": route})


@pytest.mark.parametrize(
    ("asks", "shown", "is_found"),
    [("", "return found", True), (", user=Depends(get_user)", "return found", False), ("", "return 1", False)],
)
def test_a_helper_that_open_handlers_call_with_the_id(asks: str, shown: str, *, is_found: bool) -> None:
    source = (
        "from fastapi import Depends, FastAPI\nfrom auth import get_user\nfrom acme import Intakes\n"
        "app = FastAPI()\nintakes = Intakes()\n"
        f"def intake_of(session_id: str):\n    found = intakes.find(session_id)\n    {shown}\n"
        f"@app.get('/intake/{{session_id}}')\ndef review(session_id: str{asks}):\n    return intake_of(session_id)\n"
    )
    if is_found:
        finds(RULE, source, "warning", on="intakes.find")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("kept", "key", "is_found"),
    [
        ("Coaching(goal, me())", "session_id", True),
        ("Coaching(goal)", "session_id", False),
        ("Coaching(goal, me())", "(me(), session_id)", False),
    ],
)
def test_a_tool_that_goes_on_in_a_session_that_is_somebodys(kept: str, key: str, *, is_found: bool) -> None:
    source = (
        "from fastmcp import FastMCP\nfrom fastmcp.server.dependencies import get_access_token\n"
        "mcp = FastMCP('coach')\nsessions = {}\n"
        "def me():\n    return get_access_token().client_id\n"
        f"@mcp.tool\ndef begin(session_id: str, goal: str):\n    sessions.setdefault({key}, {kept})\n"
        f"@mcp.tool\ndef say(session_id: str, text: str):\n    return sessions.get({key}).answer(text)\n"
    )
    if is_found:
        finds(RULE, source, "error", on="sessions.get")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("before", "used", "find", "is_found"),
    [
        ("", "current().messages", "self.open.get(sid)", True),
        ("\n    check(request.headers['Agent-Session-Id'])", "current().messages", "self.open.get(sid)", False),
        ("\n    current()", "current().messages", "self.open.get(sid)", False),
        ("", "own(current(), g.engineer)", "self.open.get(sid)", False),
        ("", "current().messages", "self.own(sid, g.user)", False),
    ],
)
def test_a_loader_behind_a_sign_in_that_knows_nothing_of_sessions(
    before: str, used: str, find: str, *, is_found: bool
) -> None:
    files = {
        "app.py": "import jwt\nfrom quart import Quart, g, request\nfrom acme import check, own\n"
        "from sessions import Sessions\napp = Quart(__name__)\nsessions = Sessions()\n"
        "@app.before_request\nasync def identify():\n"
        f"    g.engineer = jwt.decode(request.headers['x'])['sub']{before}\n"
        "def current():\n    return sessions.find(request.headers.get('Agent-Session-Id'))\n"
        "@app.post('/begin')\nasync def begin():\n    return sessions.create(g.engineer)\n"
        f"@app.get('/messages')\nasync def transcript():\n    return {used}\n",
        "sessions.py": "from quart import g\nclass Sessions:\n    def __init__(self):\n        self.open = {}\n"
        "    def create(self, owner):\n        self.open[new()] = Session(owner)\n"
        f"    def find(self, sid):\n        return {find}\n",
    }
    if is_found:
        finds(RULE, files, "error", on="sessions.find")
    else:
        quiet(RULE, files)


@pytest.mark.parametrize(("store", "is_found"), [("sessions", True), ("db", False)])
def test_rows_of_a_database_are_no_sessions_that_go_on(store: str, *, is_found: bool) -> None:
    source = handler(f"return {store}.get_session(session_id)", "session_id: str")
    kept = source.replace("from store import stored", f"from kept import {store}")
    files = {"app.py": kept, "kept.py": f"class Kept:\n    def get_session(self, session_id): ...\n{store} = Kept()\n"}
    if is_found:
        finds(RULE, files, "warning")
    else:
        quiet(RULE, files)
