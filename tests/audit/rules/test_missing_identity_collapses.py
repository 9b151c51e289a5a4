"""Keys for callers without an identity."""

from __future__ import annotations

import pytest

from carrel.audit.rules.missing_identity_collapses import MissingIdentityCollapses
from tests.audit.checking import finds, quiet

RULE = MissingIdentityCollapses()


def function(body: str, parameters: str = "user, text") -> str:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"HISTORY = {{}}\nasync def chat({parameters}):\n{lines}"


@pytest.mark.parametrize(
    "body",
    [
        "HISTORY[user.id if user else 'anonymous'] = text",
        "owner = 'guest' if user is None else user.id\nHISTORY.setdefault(owner, []).append(text)",
        "key = user_id or 'default'\nreturn HISTORY[key]",
        "return HISTORY[f\"chat:{user_id or 'anonymous'}\"]",
        "return HISTORY.get(request.headers.get('x-user-id', 'anonymous'))",
        "await redis.rpush('history:' + (session_id or 'default'), text)",
        "who = getattr(user, 'id', 'nobody')\nreturn HISTORY[(who, 'x')]",
    ],
)
def test_one_key_for_everybody_without_an_identity(body: str) -> None:
    finds(RULE, function(body, "request, redis, user, user_id, session_id, text"), "error")


HELD = """
class Permissions:
    def __init__(self):
        self.checkers = {}
    def of(self, user):
        key = user.id if not user.is_anonymous else "anonymous"
        if key not in self.checkers:
            self.checkers[key] = Checker(user)
        return self.checkers[key]
def view(request):
    return %s.of(request.user)
"""


def test_a_dictionary_of_an_object_that_one_request_has() -> None:
    finds(RULE, HELD % "Permissions()", "info")
    finds(RULE, HELD % "ONE" + "ONE = Permissions()\n", "error")


IDENTITY = {
    "identity.py": """
        def user_id(request):
            user = verify(request)
            return user.id if user else None
        def tenant_id(request):
            token = decode(request)
            if token is None:
                raise PermissionError
            return token.tenant
        """
}


def test_an_identity_from_another_file_that_may_be_none() -> None:
    text = (
        "from identity import user_id\nasync def get(request, cache):\n    return cache.get(f'm:{user_id(request)}')\n"
    )
    (found,) = finds(RULE, {**IDENTITY, "app.py": text}, "error", on="cache.get")
    assert [place.path for place in found.related] == ["identity.py"]


@pytest.mark.parametrize(
    "body",
    [
        "return cache.get(f'm:{tenant_id(request)}')",
        "who = user_id(request)\n    if who is None:\n        return None\n    return cache.get(f'm:{who}')",
        "return f'm:{user_id(request)}'",
    ],
)
def test_an_identity_that_is_there_or_is_tested(body: str) -> None:
    text = f"from identity import tenant_id, user_id\nasync def get(request, cache):\n    {body}\n"
    quiet(RULE, {**IDENTITY, "app.py": text})


def test_a_parameter_that_may_be_missing_is_mentioned() -> None:
    finds(RULE, "KEPT = {}\ndef get(user_id=None):\n    return KEPT[f'a:{user_id}']\n", "info")


@pytest.mark.parametrize(
    "body",
    [
        "if user is None:\n    raise PermissionError\nHISTORY[user.id] = text",
        "owner = user.id if user else secrets.token_hex()\nHISTORY[owner] = text",
        "owner = user.id if user else f'guest-{uuid4()}'\nHISTORY[owner] = text",
        "name = user.name if user else 'anonymous'\nlog.info(name)",
        "owner = user.id if user else 'system-scheduler'\nHISTORY[owner] = text",
        "label = user.id if user else 'anonymous'\nreturn {'by': label}",
        "model = text or 'default'\nreturn HISTORY[model]",
        "local = {}\nlocal[user.id if user else 'x'] = text",
        "return HISTORY[user.id]",
    ],
)
def test_what_only_looks_like_it(body: str) -> None:
    quiet(RULE, function(body))


def test_counting_callers_gives_nothing_away() -> None:
    quiet(RULE, "HITS = {}\ndef rate_limit(user):\n    HITS[user.id if user else 'anonymous'] += 1\n")


def test_a_parameter_that_is_tested() -> None:
    quiet(
        RULE, "KEPT = {}\ndef get(user_id=None):\n    if not user_id:\n        return None\n    return KEPT[user_id]\n"
    )
    quiet(RULE, "KEPT = {}\ndef get(user_id=None):\n    assert user_id\n    return KEPT[user_id]\n")


def test_a_handlers_default() -> None:
    head = "from fastapi import FastAPI\napp = FastAPI()\nKEPT = {}\n@app.post('/x')\n"
    finds(RULE, f"{head}def chat(session_id: str = 'default'):\n    return KEPT[session_id]\n", "warning")
    quiet(RULE, f"{head}def chat(session_id: str):\n    return KEPT[session_id]\n")
    quiet(RULE, f"{head}def chat(model: str = 'small'):\n    return KEPT[model]\n")


def test_a_key_function_that_names_nobody() -> None:
    other = "KEPT = {}\ndef identity(s):\n    return s.x if s else None\ndef f(s):\n    return KEPT[identity(s)]\n"
    quiet(RULE, other)


OPENED = "def respond(message, request: Request):\n    user = {0}\n    return {1}\n"


@pytest.mark.parametrize(
    "use", ["RedisChatMessageHistory(session_id=user, url=url)", "load_history(user_id=user)", "Memory(namespace=user)"]
)
def test_a_history_that_is_opened_by_an_id(use: str) -> None:
    finds(RULE, OPENED.format("request.username or 'anonymous'", use), "error", on="or 'anonymous'")
    quiet(RULE, OPENED.format("request.username", use))


def test_what_an_id_is_only_told_to() -> None:
    quiet(RULE, OPENED.format("request.username or 'anonymous'", "render(user_id=user)"))
    quiet(RULE, OPENED.format("request.username or 'anonymous'", "ChatMessageHistory(url=user)"))


def test_an_address_that_is_asked() -> None:
    ask = "import requests\ndef ask(user_id):\n    return {0}.get(f'/users/{{user_id}}' if user_id else {1})\n"
    quiet(RULE, ask.format("requests", "'me'"))
    quiet(RULE, "KEPT = {}\n" + ask.format("KEPT", "'https://a.example/users/me'"))
    finds(RULE, "KEPT = {}\n" + ask.format("KEPT", "'me'"), "error")


ENDED = "KEPT = {}\ndef close(user_id):\n    key = user_id or 'default'\n    "


@pytest.mark.parametrize("use", ["del KEPT[key]", "if KEPT[key] is None:\n        stop()"])
def test_what_nobody_is_given_anything_by(use: str) -> None:
    quiet(RULE, ENDED + use + "\n")
    finds(RULE, ENDED + use + "\n    return KEPT[key]\n", "error")


def test_an_empty_key_under_which_nothing_is_stored() -> None:
    looked = "session = HISTORY.get(request.headers.get('x-session-id', ''))"
    quiet(RULE, function(f"{looked}\nif session is None:\n    raise Missing\nreturn session", "request"))
    kept = "key = request.headers.get('x-session-id', '')\nHISTORY.get(key)\nHISTORY[key] = 1"
    finds(RULE, function(kept, "request"), "error")


CHAT = {
    "identity.py": """
        from aiohttp import web
        @web.middleware
        async def identify(request, handler):
            claims = claims_of(request)
            request["user_id"] = {who}
            return await handler(request)
        """,
    "history.py": """
        class History:
            async def load(self, user_id):
                return await self.redis.lrange(f"history:{user_id}", 0, -1)
        history = History()
        """,
    "app.py": """
        from history import history
        @routes.get("/chat")
        async def chat(request):
            return await history.load(request["user_id"])
        """,
}


def test_what_a_middleware_puts_on_the_request() -> None:
    given = CHAT["identity.py"]
    finds(RULE, {**CHAT, "identity.py": given.format(who="claims.get('sub') or 'anonymous'")}, "error", on="anonymous")
    quiet(RULE, {**CHAT, "identity.py": given.format(who="claims.get('sub') or new_guest()")})
    alone = {"identity.py": given.format(who="claims.get('sub') or 'anonymous'")}
    quiet(RULE, alone)


def test_what_a_helper_of_another_file_gives() -> None:
    app = """
        from identity import subject
        from store import save_note
        @app.post("/notes")
        async def add(request, text):
            await save_note(subject(request), text)
        """
    helper = "def subject(request):\n    return request.scope['claims'].get('sub', {})\n"
    finds(RULE, {"app.py": app, "identity.py": helper.replace("{}", "'default'")}, "error", on="save_note")
    quiet(RULE, {"app.py": app, "identity.py": helper.replace("{}", "None")})


BASKET = """
    from django.core.cache import cache
    from django.http import JsonResponse
    def basket_key(request):
        {body}
    {decorator}
    def show(request):
        return JsonResponse(cache.get(basket_key(request)))
    """


@pytest.mark.parametrize(
    ("body", "decorator", "is_found"),
    [
        ("return f'basket:{request.user.pk}'", "@never_cache", True),
        ("return f'basket:{request.user.pk}'", "@login_required", False),
        ("return f'basket:{request.user.pk if request.user.is_authenticated else new(request)}'", "", False),
        ("return f'basket:{request.session.session_key}'", "", False),
    ],
)
def test_a_key_of_the_visitor_who_is_not_signed_in(body: str, decorator: str, *, is_found: bool) -> None:
    source = BASKET.replace("{body}", body).replace("{decorator}", decorator)
    if is_found:
        finds(RULE, source, "warning", on="request.user.pk")
    else:
        quiet(RULE, source)


def test_a_dependency_that_stands_in_for_nobody() -> None:
    source = """
        from fastapi import Depends, FastAPI
        app = FastAPI()
        HISTORY = {}
        def session_key(request):
            return request.cookies.get("sid"{0})
        @app.post("/ask")
        async def ask(text, key=Depends(session_key)):
            HISTORY.setdefault(key, []).append(text)
        """
    finds(RULE, source.replace("{0}", ", 'default'"), "error", on="HISTORY")
    quiet(RULE, source.replace("{0}", ""))


def test_a_guest_that_everybody_is_before_each_request() -> None:
    source = """
        from flask import Flask, g, request
        app = Flask(__name__)
        rds = Redis()
        @app.before_request
        def who():
            token = request.headers.get("Authorization")
            g.user_id = decode(token)["sub"] if token else {0}
        @app.get("/cart")
        def show():
            return rds.lrange(f"cart:{g.user_id}", 0, -1)
        """
    finds(RULE, source.replace("{0}", '"guest"'), "error", on="guest")
    quiet(RULE, source.replace("{0}", "new_guest()"))


def test_a_key_that_is_used_only_where_there_is_one() -> None:
    code = """
        KINDS = {}
        def note(message):
            user_id = message.user_id or ""
            %s
                KINDS[user_id] = message.kind
        """
    quiet(RULE, code % "if user_id and message.kind:")
    finds(RULE, code % "if user_id or message.kind:")
    finds(RULE, code % "if message.kind:")


@pytest.mark.parametrize(
    ("thread", "is_found"), [("thread_id or 'default'", True), ("thread_id", False), ("thread_id or new_id()", False)]
)
def test_a_conversation_that_everybody_continues(thread: str, *, is_found: bool) -> None:
    source = f"""
        async def run(text, thread_id=None):
            config = {{"configurable": {{"thread_id": {thread}}}}}
            return await graph.ainvoke(text, config)
        @app.post("/ask")
        async def ask(text, thread_id=None):
            return await run(text, thread_id)
        """
    if is_found:
        finds(RULE, source, "error", on="thread_id or")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("key", "is_found"),
    [
        ("f\"history:{getattr(member, 'id', None)}\"", True),
        ("f'history:{member.id if member else None}'", True),
        ("'history:%s' % (member and member.id)", True),
        ("f'history:{member.id}'", False),
        ("f\"history:{getattr(member, 'size', None)}\"", False),
    ],
)
def test_a_text_with_none_for_all_without_an_identity(key: str, *, is_found: bool) -> None:
    files = {
        "memory.py": "class Store:\n    def __init__(self, redis):\n        self.redis = redis\n"
        f"    def _key(self, member):\n        {{0}}return {key}\n"
        "    async def load(self, member):\n        return await self.redis.lrange(self._key(member), 0, -1)\n",
        "app.py": "from fastapi import FastAPI\nfrom memory import Store\nfrom settings import redis\n"
        "store = Store(redis)\napp = FastAPI()\n@app.get('/x')\nasync def chat(request):\n"
        "    return await store.load(await optional_member(request))\n",
    }
    if is_found:
        finds(RULE, {**files, "memory.py": files["memory.py"].replace("{0}", "")}, "error", on="lrange")
    else:
        quiet(RULE, {**files, "memory.py": files["memory.py"].replace("{0}", "")})
    asked = "if member is None:\n            raise ValueError\n        "
    quiet(RULE, {**files, "memory.py": files["memory.py"].replace("{0}", asked)})


@pytest.mark.parametrize(
    ("guard", "is_found"),
    [
        ("pass", True),
        ("if not subject:\n        raise HTTPException(403)", False),
        ("if subject == '' or banned(subject):\n        raise HTTPException(403)", False),
        ("if not subject:\n        log('nobody')", True),
        ("if len(subject) > 80:\n        raise HTTPException(403)", True),
        ("if not claims:\n        raise HTTPException(403)", True),
    ],
)
def test_a_helper_that_refuses_who_has_no_identity(guard: str, *, is_found: bool) -> None:
    source = (
        "import redis\nfrom fastapi import FastAPI, Request\nfrom db import pool\napp = FastAPI()\n"
        "def draft_key(claims):\n    subject = claims.get('sub', '')\n"
        f"    {guard}\n    return f'drafts:{{subject}}'\n"
        "@app.get('/draft')\nasync def load(request: Request):\n"
        "    return await pool.get(draft_key(claims_of(request)))\n"
    )
    if is_found:
        finds(RULE, source, "error", on="pool.get")
    else:
        quiet(RULE, source)
        quiet(RULE, source.replace("claims.get('sub', '')", "claims.get('sub') or ''"))


@pytest.mark.parametrize(
    ("who", "keep", "is_found"),
    [
        ("session.get('traveller_id') or 'default'", "self._kept.setdefault(traveller, [])", True),
        ("session['traveller_id'] if session else 'default'", "self._kept.setdefault(traveller, [])", True),
        ("session.get('traveller_id')", "self._kept.setdefault(traveller, [])", False),
        ("session.get('colour') or 'default'", "self._kept.setdefault(traveller, [])", False),
        ("session.get('traveller_id') or 'default'", "traveller.upper()", False),
        ("(g.tenant_id, session.get('traveller_id') or 'default')", "self._kept.setdefault(traveller, [])", False),
    ],
)
def test_a_store_of_another_file_that_is_handed_a_stand_in(who: str, keep: str, *, is_found: bool) -> None:
    files = {
        "stores.py": "class Store:\n    def __init__(self):\n        self._kept = {}\n"
        f"    def load(self, traveller):\n        return {keep}\nstore = Store()\n",
        "app.py": "from flask import Flask, session\nfrom stores import store\napp = Flask(__name__)\n"
        f"@app.post('/plan')\ndef plan():\n    who = {who}\n    return answer(store.load(who))\n",
    }
    if is_found:
        finds(RULE, files, "error", on="'default'")
    else:
        quiet(RULE, files)


@pytest.mark.parametrize(
    ("helper", "on"),
    [
        ("return f'memo:{user.identifier if user else \"anonymous\"}'", "anonymous"),
        ("if user is None:\n        raise E\n    return f'memo:{user.identifier}'", ""),
    ],
)
def test_a_helper_that_makes_the_key_and_one_that_is_handed_it(helper: str, on: str) -> None:
    source = f"""
import chainlit as cl
from redis.asyncio import Redis
kv = Redis()
def memory_key():
    user = cl.user_session.get("user")
    {helper}
async def notes(key):
    return await kv.get(key)
@cl.on_message
async def answer(message):
    key = memory_key()
    return await notes(key)
"""
    if on:
        finds(RULE, source, "error", on=on)
        quiet(RULE, source.replace("kv.get(key)", "show(key)"))
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("default", "is_found"),
    [("Header(None)", True), ("Header(default=None)", True), ("Header()", False)],
)
def test_a_header_that_may_be_left_out(default: str, *, is_found: bool) -> None:
    source = (
        "from fastapi import FastAPI, Header\nfrom db import store\napp = FastAPI()\n@app.put('/x')\n"
        f"async def save(text: str, x_user: str | None = {default}):\n    await store.set(f'draft:{{x_user}}', text)\n"
    )
    if is_found:
        finds(RULE, source, "warning", on="store.set")
        quiet(RULE, source.replace("    await", "    if x_user is None:\n        raise Refused\n    await"))
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("name", "is_found"), [("email", True), ("pk", True), ("theme", False)])
def test_an_attribute_of_somebody_that_is_empty_for_nobody(name: str, *, is_found: bool) -> None:
    source = (
        "from django.core.cache import cache\nfrom django.http import JsonResponse\ndef cart(request):\n"
        f"    owner = getattr(request.user, '{name}', '')\n    cache.set('cart:' + owner, request.POST['sku'])\n"
        "    return JsonResponse({})\n"
    )
    if is_found:
        finds(RULE, source, "error", on="getattr")
    else:
        quiet(RULE, source)


def test_a_claim_that_a_token_need_not_have() -> None:
    source = (
        "from fastapi import FastAPI, Request\nfrom db import store\napp = FastAPI()\n@app.get('/x')\n"
        "async def drafts(request: Request):\n    claims = claims_of(request)\n"
        "    return await store.get(f\"drafts:{claims.get('tenant')}\")\n"
    )
    finds(RULE, source, "error", on="store.get")
    quiet(RULE, source.replace("claims.get('tenant')", "claims['tenant']"))


@pytest.mark.parametrize(
    ("filled", "is_found"),
    [
        ("if buyer is None:\n        buyer = 'guest'", True),
        ("if not buyer:\n        buyer = 0", True),
        ("if buyer is None:\n        buyer = uuid4().hex", False),
        ("if buyer is None:\n        abort(401)", False),
        ("if kind is None:\n        buyer = 'guest'", False),
    ],
)
def test_a_name_that_is_filled_in_for_nobody(filled: str, *, is_found: bool) -> None:
    source = (
        "from uuid import uuid4\nimport redis\nfrom flask import Flask, abort, session\napp = Flask(__name__)\n"
        "carts = redis.Redis()\n"
        f"def key(kind):\n    buyer = session.get('buyer')\n    {filled}\n    return f'cart:{{buyer}}'\n"
        "@app.get('/x')\ndef cart():\n    return carts.get(key('x'))\n"
    )
    if is_found:
        finds(RULE, source, "error", on="carts.get")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("given", "is_found"),
    [
        ("sender.id if sender else 0", True),
        ("sender.id", False),
        ("sender.id if sender else uuid4().int", False),
        ("update.lines if sender else 0", False),
    ],
)
def test_a_helper_that_says_whose_conversation_it_is(given: str, *, is_found: bool) -> None:
    source = (
        "from uuid import uuid4\nfrom flow import graph\nfrom telegram.ext import MessageHandler, filters\n"
        f"def of(update):\n    sender = update.effective_user\n    return {given}\n"
        "async def hear(update, context):\n    whose = of(update)\n"
        "    await graph.ainvoke(update.text, {'configurable': {'thread_id': f'chat-{whose}'}})\n"
        "app = make()\napp.add_handler(MessageHandler(filters.TEXT, hear))\n"
    )
    if is_found:
        finds(RULE, source, "error", on="return")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("who", "is_found"),
    [
        ("getattr(request.ctx, 'visitor', '') or request.cookies.get('visitor', '')", True),
        ("request.headers.get('x-patient-token', '')", True),
        ("request.headers.get('x-colour', '')", False),
        ("request.headers.get('authorization', '')", False),
        ("request.headers['x-patient-token']", False),
    ],
)
@pytest.mark.parametrize("key", ["visitor", "sha256(visitor.encode()).hexdigest()", "self.key(visitor)"])
def test_a_header_or_cookie_that_may_be_missing(who: str, key: str, *, is_found: bool) -> None:
    files = {
        "lists.py": "from hashlib import sha256\nclass Lists:\n    def __init__(self):\n        self._kept = {}\n"
        f"    def of(self, visitor):\n        return self._kept.setdefault({key}, [])\nlists = Lists()\n",
        "app.py": "from sanic import Request, Sanic\nfrom lists import lists\napp = Sanic('x')\n"
        f"def visitor(request: Request):\n    known = {who}\n    {{0}}return known\n"
        "@app.post('/wishes')\ndef add(request: Request):\n    lists.of(visitor(request)).append(request.json)\n",
    }
    source = {name: text.replace("{0}", "") for name, text in files.items()}
    if is_found:
        finds(RULE, source, "error")
    else:
        quiet(RULE, source)
    for guard in ("not known", "len(known) < 32"):
        quiet(RULE, {name: text.replace("{0}", f"if {guard}:\n        raise ValueError\n    ")
                     for name, text in files.items()})  # fmt: skip


@pytest.mark.parametrize(("default", "is_found"), [("'guest'", True), ("None", False)])
def test_a_dependency_that_gives_a_stand_in_for_a_key_of_another_file(default: str, *, is_found: bool) -> None:
    files = {
        "chats.py": "class Chats:\n    def __init__(self):\n        self._kept = {}\n"
        "    def of(self, owner):\n        return self._kept.setdefault(owner, [])\nchats = Chats()\n",
        "app.py": "from fastapi import Depends, FastAPI, Request\nfrom chats import chats\napp = FastAPI()\n"
        f"def patient(request: Request):\n    return request.headers.get('x-user-id', {default})\n"
        "@app.post('/x')\ndef say(text: str, owner: str = Depends(patient)):\n    return chats.of(owner)\n",
    }
    if is_found:
        finds(RULE, files, "error", on="x-user-id")
    else:
        quiet(RULE, files)


@pytest.mark.parametrize(("part", "is_found"), [("id", True), ("language", False)])
def test_what_is_only_said_of_somebody(part: str, *, is_found: bool) -> None:
    source = "from flask_login import current_user\n" + function(f"return HISTORY[current_user.{part} or 'en']")
    if is_found:
        finds(RULE, source, "error")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("base", "guard", "key", "is_found"),
    [
        ("tornado.web.RequestHandler", "", "self.key()", True),
        ("tornado.web.RequestHandler", "", "f'plan:{self.current_user}'", True),
        ("tornado.web.RequestHandler", "@tornado.web.authenticated", "self.key()", False),
        ("acme.Job", "", "self.key()", False),
        ("tornado.web.RequestHandler", "", "self.room", False),
    ],
)
def test_the_user_of_a_handler_of_tornado(base: str, guard: str, key: str, *, is_found: bool) -> None:
    source = (
        "import acme\nimport tornado.web\nfrom acme import redis\n"
        f"class Plan({base}):\n    def key(self):\n        return f'plan:{{self.current_user}}'\n"
        f"    {guard}\n    def get(self):\n        self.write(redis.get({key}))\n"
    )
    if is_found:
        finds(RULE, source, "warning", on="current_user")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("default", "one_for_all"), [("'walk-in'", True), ("uuid4().hex", False)])
def test_what_the_session_says_of_somebody(default: str, *, one_for_all: bool) -> None:
    head = "from flask import Flask, session\nfrom uuid import uuid4\napp = Flask('x')\nTRIPS = {}\n@app.get('/')\n"
    text = f"{head}def trips():\n    return TRIPS[session.get('traveller', {default})]\n"
    (finds if one_for_all else quiet)(RULE, text)
    quiet(RULE, text.replace("'traveller'", "'page'"))


KEPT_BY_OBJECT = {
    "shelf.py": """
        import valkey
        link = valkey.Valkey()
        class Shelf:
            def __init__(self, size, holder):
                self.size, self.holder = size, holder
                self.place = holder
            def books(self):
                return link.smembers("shelf:" + self.place)
        """,
    "who.py": """
        def reader_of(request):
            claims = decode(request)
            return f"reader:{%s}"
        """,
    "app.py": """
        from fastapi import FastAPI, Request
        from shelf import Shelf
        from who import reader_of
        app = FastAPI()
        @app.get("/")
        def books(request: Request):
            return Shelf(9, holder=reader_of(request)).books()
        """,
}


def test_an_object_that_is_made_with_the_key_of_another_file() -> None:
    for said, one_for_all in (("claims.get('email')", True), ("claims['email']", False)):
        files = {name: text.replace("%s", said) for name, text in KEPT_BY_OBJECT.items()}
        (finds if one_for_all else quiet)(RULE, files)
