"""Caches of what belongs to a user, with and without the user in the key."""

from __future__ import annotations

import pytest

from carrel.audit.rules.cache_key_omits_user import CacheKeyOmitsUser
from tests.audit.checking import findings, finds, quiet

RULE = CacheKeyOmitsUser()


def ask(key: str, answer: str = "await complete(DOCUMENTS[user.id], text)") -> str:
    return f"""
from fastapi import FastAPI
app = FastAPI()
@app.post("/ask")
async def ask(text: str, user=Depends(current_user)):
    key = {key}
    found = await cache.get(key)
    if found is None:
        found = {answer}
        await cache.set(key, found, ex=60)
    return found
"""


def test_an_answer_from_the_users_documents() -> None:
    finds(RULE, ask("f'answer:{hash(text)}'"), "error", on="cache.set(key, found")


@pytest.mark.parametrize(
    "key", ["f'{user.id}:{text}'", "(user, text)", "make_key(text, user=user)", "f'{tenant_id}:{text}'"]
)
def test_a_key_with_the_user_is_quiet(key: str) -> None:
    quiet(RULE, ask(key))


@pytest.mark.parametrize(
    ("test", "is_found"),
    [
        ("user_id is None", False),
        ("text and user_id is None", False),
        ("not user_id", False),
        ("user_id is None or text", True),
        ("user_id is not None", True),
    ],
)
def test_what_is_stored_where_nobody_was_named(test: str, *, is_found: bool) -> None:
    source = f"""
from fastapi import FastAPI
app = FastAPI()
@app.post("/ask")
async def ask(text: str, user_id: str = Header(None)):
    found = await cache.get(text)
    if found is None:
        found = await complete(DOCUMENTS[user_id], text)
        if {test}:
            await cache.set(text, found, ex=60)
    return found
"""
    assert bool(findings(RULE, source)) is is_found


def test_an_answer_that_is_the_same_for_all_is_quiet() -> None:
    quiet(RULE, ask("text", "await complete(text)"))


def test_a_django_view() -> None:
    view = (
        "from django.core.cache import cache\ndef row(request):\n"
        "    return cache.get_or_set({}, lambda: ROWS[request.user.id])\n"
    )
    finds(RULE, view.format("'row'"), "error")
    quiet(RULE, view.format("f'row:{request.user.id}'"))


def test_a_decorator_that_keeps_responses_by_path() -> None:
    code = """
def cached(handler):
    kept = {}
    async def wrapper(request):
        key = %s
        if key not in kept:
            kept[key] = await handler(request)
        return kept[key]
    return wrapper
"""
    finds(RULE, code % "(request.method, request.url.path)", "error", on="kept[key] =")
    quiet(RULE, code % "(request.url.path, request.state.user.id)")
    quiet(RULE, code % "(request.url.path, request.headers['authorization'])")
    quiet(RULE, code % "make_key(request)")


ONCE = (
    "_tools = None\nasync def tools(user_id, token):\n    global _tools\n    if {}:\n"
    "        _tools = await discover(token)\n    return _tools\n"
)


def test_a_value_that_is_made_for_the_first_caller() -> None:
    finds(RULE, ONCE.format("_tools is None"), "warning", on="_tools = await")
    quiet(RULE, ONCE.format("_tools is None or _owner != user_id"))
    quiet(RULE, ONCE.format("_tools is None").replace("discover(token)", "discover()"))
    quiet(RULE, ONCE.format("_tools is None").replace("return _tools", "return 1"))


def test_a_timed_store_has_its_value_in_the_third_place() -> None:
    code = "def f(text, user_id):\n    if cache.get(text) is None:\n        cache.setex(text, {}, {})\n"
    finds(RULE, code.format("60", "load(user_id)"), "info")
    quiet(RULE, code.format("limit(user_id)", "load(text)"))


@pytest.mark.parametrize(
    "code",
    [
        "seen = {}\ndef f(text, user_id):\n    seen[text] = user_id\n",
        (
            "def f(text, user_id):\n    kept = {}\n    if text not in kept:\n"
            "        kept[text] = load(user_id)\n    return kept\n"
        ),
        "POOL = {}\ndef f(sid, user):\n    if sid not in POOL:\n        POOL[sid] = user\n",
        (
            "def outer(kept):\n    def f(text, user_id):\n        if text not in kept:\n"
            "            kept[text] = user_id\n    return f\n"
        ),
        "def f(options, user):\n    if options.get('name') is None:\n        options['name'] = user.name\n",
        "def f(text, user_id):\n    cache.set(text, load(user_id))\n",
        "def f(text, user_id):\n    if settings.get(text) is None:\n        settings.set(text, load(user_id))\n",
    ],
)
def test_what_is_no_cache_of_answers(code: str) -> None:
    quiet(RULE, code)


MADE = """
KEPT = {}
def exchange(config, user_id):
    key = %s
    if key not in KEPT:
        account = load(%s)
        token = account.token
        KEPT[key] = token
    return KEPT[key]
"""


@pytest.mark.parametrize(
    ("key", "made_of", "is_found"),
    [
        ("key_of(config)", "config", False),
        ("key_of(config)", "config, user_id", True),
        ("key_of(config.url)", "config", True),
        ("config", "config", False),
    ],
)
def test_a_result_of_what_the_key_is_made_of_is_no_second_question(key: str, made_of: str, is_found: bool) -> None:
    if is_found:
        finds(RULE, MADE % (key, made_of))
    else:
        quiet(RULE, MADE % (key, made_of))


def test_a_second_part_of_the_key() -> None:
    text = """
async def guarded(request, base_key):
    if await cache.get(NAME) is None:
        await cache.set(NAME, str(await permit(request)){})
"""
    finds(RULE, text.format(""), "error")
    quiet(RULE, text.format(", base_key=base_key"))


def test_whose_credentials_they_are() -> None:
    text = """
class Login:
    async def authenticate(self, conn: HTTPConnection):
        headers = dict(conn.headers)
        key = tuple((name, headers[%s]) for name in self.names)
        found = await self.cache.get(key)
        if found is None:
            data = await ask(headers)
            self.cache.set(key, data["user"])
"""
    text = "from starlette.requests import HTTPConnection\n" + text
    quiet(RULE, text % "name")
    finds(RULE, text % "'accept'", "error")


def test_a_session_under_its_own_key() -> None:
    text = """
class {}:
    def load(self):
        data = self.cache.get(self.place)
        if data is None:
            row = self.row()
            self.cache.set(self.place, row.session_data)
"""
    quiet(RULE, text.format("SessionStore"))
    finds(RULE, text.format("Desk"))


@pytest.mark.parametrize(("test", "is_found"), [("not user.is_authenticated", False), ("user.is_authenticated", True)])
def test_a_view_for_those_who_have_not_signed_in(test: str, is_found: bool) -> None:
    text = f"""
def home(request):
    user = request.user
    if {test}:
        return start(request)
def start(request):
    if cache.get("start") is None:
        cache.set("start", request.user.projects)
"""
    if is_found:
        finds(RULE, text, "error")
    else:
        quiet(RULE, text)


OWN = """
KEPT = {{}}
class Login:
    def token(self, user_id):
        key = {0}
        if key not in KEPT:
            token = self.request_token({1})
            KEPT[key] = token
        return KEPT[key]
"""


def test_a_key_that_the_object_makes_of_itself() -> None:
    quiet(RULE, OWN.format("self.key()", ""))
    finds(RULE, OWN.format("self.key()", "user_id"))
    finds(RULE, OWN.format("self.place", ""))


def test_a_region_of_the_cache() -> None:
    text = "def f(user_id, text):\n    if cache.get({0}) is None:\n        cache.set({1}, load({2}))\n"
    quiet(RULE, text.format("'hash', user_id", "'hash', user_id", "user_id"))
    quiet(RULE, text.format("'hash', text", "'hash', text", "text"))
    finds(RULE, text.format("'hash', text", "'hash', text", "user_id"))
    finds(RULE, text.format("'hash'", "'hash'", "user_id"))


STREAM = """
async def stream(request):
    items = {{}}
    def update(name):
        if name not in items:
            items[name] = read(request)
    {0}
"""


def test_what_ends_with_the_request() -> None:
    quiet(RULE, STREAM.format("update('a')"))
    finds(RULE, STREAM.format("return update"), "warning")
    finds(RULE, STREAM.format("hand_on(update)"), "warning")


def test_a_parameter_that_is_the_key_itself() -> None:
    text = """
KEPT = {{}}
def load(name, other):
    if name not in KEPT:
        account = fetch({0})
        KEPT[name] = account.token
    return KEPT[name]
"""
    quiet(RULE, text.format("name"))
    finds(RULE, text.format("other"))


TERMS = """
from django.core.cache import cache
from markup import parse
def terms(request, text):
    found = cache.get(f"terms:{text.pk}")
    if found is None:
        cache.set(f"terms:{text.pk}", found := {})
    return found
"""
PARSE = """
def parse(request, text):
    return Parser(request).run(text, host=request.get_host(), {})
"""


def test_a_request_that_is_only_asked_for_its_host() -> None:
    for made, found in (("parse(request, text)", False), ("parse(request, text) + greeting(request.user.name)", True)):
        files = {"app.py": TERMS.replace("{}", made)}
        assert bool(findings(RULE, {**files, "markup.py": PARSE.format("lang=request.path")})) is found
    files = {"app.py": TERMS.replace("{}", "parse(request, text)")}
    finds(RULE, {**files, "markup.py": PARSE.format("user=request.user")}, "error")
    finds(RULE, {**files, "markup.py": "from other import parse\n"}, "info")


SIGNED_IN = """
KEPT = {{}}
def sign_in(place, user_id):
    if place not in KEPT:
        answer = requests.post({0}).json()
        KEPT[place] = answer{1}
    return KEPT[place]
"""


@pytest.mark.parametrize("part", ["['access_token']", ".get('token')", ".token"])
def test_a_token_that_the_application_got_for_itself(part: str) -> None:
    quiet(RULE, SIGNED_IN.format("URL", part))
    quiet(RULE, SIGNED_IN.format("place", part))
    finds(RULE, SIGNED_IN.format("user_id", part))
    finds(RULE, SIGNED_IN.replace("requests.post({0}).json()", "get_token()").format("", ""))


CHECKED = """
class Client:
    def sign_in(self, token):
        self.token = token
    def header(self, op):
        identity = (self.host, self.token)
        kept = self._header_cache.get(op)
        if {}:
            return kept[1]
        header = json.dumps([op, self.token])
        self._header_cache[op] = (identity, header)
        return header
CLIENT = Client()
"""


def test_an_object_that_has_a_cache_for_each_token_of_its_own() -> None:
    client = """
class Client:
    def __init__(self, token):
        self.token, self._cache = token, {}
    def rows(self, name):
        if name not in self._cache:
            self._cache[name] = fetch(name, self.token)
        return self._cache[name]
CLIENT = Client(read())
"""
    quiet(RULE, client)
    finds(RULE, client.replace("CLIENT =", "    def sign_in(self, token):\n        self.token = token\nCLIENT ="))
    finds(RULE, client.replace("self._cache", "SHARED").replace(", SHARED = token, {}", " = token") + "SHARED = {}\n")


def test_what_is_only_given_back_to_whom_it_was_made_for() -> None:
    finds(RULE, CHECKED.format("kept is not None"))
    finds(RULE, CHECKED.format("kept is not None and kept[0] == op"))
    quiet(RULE, CHECKED.format("kept is not None and kept[0] == identity"))
    quiet(RULE, CHECKED.format("kept and kept[0][1] == self.token"))


def test_the_environment_is_no_cache() -> None:
    text = """
import os
def sign_in(name, answer):
    if name not in {0}:
        {0}[name] = answer.get("token")
"""
    finds(RULE, "KEPT = {}\n" + text.format("KEPT"))
    quiet(RULE, text.format("os.environ"))


BOARD = """
    import streamlit as st
    @st.cache_data(ttl=600)
    def deals(_viewer: Viewer, start):
        return read("select * from deals where seller = :s and day > :d", {"s": _viewer.email, "d": start})
    """


def test_a_parameter_that_streamlit_leaves_out_of_the_key() -> None:
    finds(RULE, BOARD, "error", on="_viewer.email")
    finds(RULE, BOARD.replace("_viewer.email", "_token").replace("_viewer", "_token"), "warning", on="_token")


@pytest.mark.parametrize(
    ("old", "new"),
    [("_viewer", "viewer"), ("_viewer.email", "_viewer.theme"), ("start)", "start, user_id)"), ("st.", "my.")],
)
def test_a_key_that_has_what_counts(old: str, new: str) -> None:
    quiet(RULE, BOARD.replace(old, new))


ANSWERS = """
    import jwt
    from fastapi import Depends, FastAPI, Header
    app = FastAPI()
    def reader(authorization: str = Header()):
        return jwt.decode(authorization, KEY)["sub"]
    @app.post("/ask")
    async def ask(body: Query, reader_id: str = Depends(reader)):
        key = key_of(body.text)
        if hit := await cache.get(key):
            return hit
        rows = await pool.fetch("select * from documents where owner = $1", reader_id)
        await cache.set(key, answer(rows))
    """


def test_a_value_that_depends_on_who_a_dependency_says_is_asking() -> None:
    finds(RULE, ANSWERS, "error", on="cache.set")


@pytest.mark.parametrize(
    ("old", "new"), [("key_of(body.text)", "key_of(body.text, reader_id)"), ("authorization", "lang")]
)
def test_a_dependency_that_is_in_the_key_or_nobodys(old: str, new: str) -> None:
    quiet(RULE, ANSWERS.replace(old, new))


def test_how_sure_it_is_that_requests_get_there() -> None:
    text = "def f(user_id, text):\n    if cache.get(text) is None:\n        cache.set(text, load(user_id))\n"
    finds(RULE, text, "info")
    finds(RULE, "from flask_login import current_user\n" + text.replace("user_id))", "current_user.id))"), "warning")
    finds(RULE, text + "@app.get('/x')\ndef show(): ...\n", "info")
    finds(RULE, text + "@app.get('/x')\ndef show(): f(1, 2)\n", "info")
    finds(RULE, text + "@app.get('/x')\ndef show(user_id): f(user_id, 2)\n", "error")


def test_a_helper_that_puts_the_user_into_the_key_by_itself() -> None:
    files = {
        "keys.py": "from flask import g\ndef key_of(text):\n    return f'{g.user.id}:{text}'\n",
        "answers.py": """
            from flask import g, request
            from keys import key_of
            @app.get("/answer")
            def answer():
                key = key_of(request.args["q"])
                if (hit := cache.get(key)) is None:
                    cache.set(key, hit := load(g.user.id, request.args["q"]))
                return hit
            """,
    }
    quiet(RULE, files)
    finds(RULE, {**files, "keys.py": "def key_of(text):\n    return f'a:{text}'\n"}, "error", on="cache.set")


SERVICE = """
    class Answers:
        def __init__(self):
            self._cache = {}
        def answer(self, user, question):
            if question in self._cache:
                return self._cache[question]
            self._cache[question] = text = complete(search(user.id, question))
            return text
    answers = Answers()
    @app.post("/ask")
    def ask(user, text: str):
        return answers.answer(user, text)
    """


def test_a_cache_that_an_object_for_all_keeps() -> None:
    finds(RULE, SERVICE, "error", on="self._cache[question] =")
    finds(RULE, SERVICE.replace("self._cache", "self._ready"), "error", on="self._ready[question] =")
    tried = SERVICE.replace("if question in self._cache:", "try:").replace(
        "self._cache[question] = text",
        "except KeyError:\n                pass\n            self._cache[question] = text",
    )
    finds(RULE, tried, "error", on="self._cache[question] = text")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("answers = Answers()", ""),
        ("search(user.id, question)", "search(question)"),
        ("if question in self._cache:", "if False:"),
    ],
)
def test_an_object_that_keeps_what_is_nobodys(old: str, new: str) -> None:
    quiet(RULE, SERVICE.replace(old, new))


MEMO = {
    "memo.py": """
        class Memo:
            def __init__(self):
                self._data = {}
            async def once(self, key, make):
                if key not in self._data:
                    self._data[key] = await make()
                return self._data[key]
        memo = Memo()
        """,
    "api.py": """
        from memo import memo
        @app.get("/invoices")
        async def invoices(year: int, user=Depends(current_user)):
            return await memo.once(f"invoices:{year}", lambda: invoices_of(user.id, year))
        """,
}


def test_a_memo_that_is_handed_a_callable() -> None:
    found = finds(RULE, MEMO, "error", on="memo.once")
    assert ("memo.py", 5) in [(place.path, place.line) for place in found[0].related]


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("api.py", "{year}", "{user.id}:{year}"),
        ("api.py", "user.id, year", "year"),
        ("memo.py", "memo = Memo()", "memo = None"),
        ("memo.py", "self._data[key] = await make()", "return await make()"),
    ],
)
def test_a_memo_whose_key_says_whose_or_that_keeps_nothing(path: str, old: str, new: str) -> None:
    quiet(RULE, {**MEMO, path: MEMO[path].replace(old, new)})


def test_a_key_that_is_an_address() -> None:
    code = """
        CACHE = {}
        def settings(provider, user):
            found = CACHE.get(%(key)s)
            if found is None:
                found = CACHE[%(key)s] = load(user.id)
            return found
        """
    finds(RULE, code % {"key": "provider.name"}, "info")
    quiet(RULE, code % {"key": "id(provider)"})


GRADEBOOK = {
    "services.py": """
        from functools import partial
        from django.core.cache import cache
        def averages(pupil, term):
            return load(pupil, term)
        def overview(pupil, term):
            return cache.get_or_set("overview:%s" % term, lambda: averages(pupil, term), 900)
        """,
    "views.py": """
        from django.shortcuts import render
        from services import overview
        def grades(request, term):
            return render(request, "grades.html", {"averages": overview(request.user, term)})
        """,
}
_LAMBDA = "lambda: averages(pupil, term)"


def _gradebook(old: str, new: str) -> dict[str, str]:
    assert any(old in text for text in GRADEBOOK.values())
    return {path: text.replace(old, new) for path, text in GRADEBOOK.items()}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (_LAMBDA, _LAMBDA),
        (_LAMBDA, "partial(averages, pupil, term)"),
        (
            "return cache.get_or_set",
            "def make():\n                return averages(pupil, term)\n            return cache.get_or_set",
        ),
    ],
)
def test_who_asks_is_only_in_what_makes_the_value(old: str, new: str) -> None:
    files = _gradebook(old, new)
    if "def make" in new:
        files["services.py"] = files["services.py"].replace(_LAMBDA, "make")
    finds(RULE, files, "error", on="cache.get_or_set")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("% term", "% (pupil.pk, term)"),
        ("overview(request.user, term)", "overview(request.GET['grade'], term)"),
        (_LAMBDA, "lambda: averages(None, term)"),
    ],
)
def test_a_value_that_is_made_for_everybody_or_kept_for_one(old: str, new: str) -> None:
    quiet(RULE, _gradebook(old, new))


REDIS = """
import json, redis
from fastapi import Depends, FastAPI, Request
app = FastAPI()
r = redis.Redis()
def holder(request: Request):
    return unsigned(request.cookies["holder"])
def summary(holder, year):
    key = f"summary:{year}"
    hit = r.get(key)
    if hit is None:
        hit = json.dumps(compute(holder, year))
        r.setex(key, 300, hit)
    return hit
@app.get("/summary/{year}")
def get(year: int, who: str = Depends(holder)):
    return summary(who, year)
"""


def test_a_cache_that_only_its_maker_names() -> None:
    finds(RULE, REDIS, "error", on="r.setex")
    quiet(RULE, REDIS.replace("summary:{year}", "summary:{holder}:{year}"))
    quiet(RULE, REDIS.replace("redis.Redis()", "counters.Counter()"))


QUERIES = {
    "queries.py": """
        TEMPLATES = {"open": "select * from tickets where holder = {holder}"}
        class Book:
            def __init__(self):
                self._ready = {}
            def get(self, name, holder):
                if name not in self._ready:
                    self._ready[name] = TEMPLATES[name].format(holder=holder)
                return self._ready[name]
        """,
    "app.py": """
        from flask import Flask, session
        from queries import Book
        app = Flask(__name__)
        book = Book()
        @app.get("/tickets/<name>")
        def tickets(name):
            return run(book.get(name, session["buyer"]))
        """,
}


def test_a_text_that_is_kept_under_its_name_with_what_the_session_says_in_it() -> None:
    finds(RULE, QUERIES, "error", on="self._ready[name] =")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('session["buyer"]', 'session["theme"]'),
        ('session["buyer"]', '"shop"'),
        ("holder=holder)", 'holder="$1")'),
        ("book.get(name", "Book().get(name"),
        ("if name not in self._ready:", "if True:"),
    ],
)
def test_a_text_that_is_kept_without_anybody_in_it(old: str, new: str) -> None:
    assert any(old in text for text in QUERIES.values())
    quiet(RULE, {path: text.replace(old, new) for path, text in QUERIES.items()})


TOKENS = """
        KEPT = {{}}
        def tokens(model, name, {parameter}):
            if model:
                made = load(model)
            elif name in KEPT:
                made = KEPT[name]
            else:
                made = {made}
                KEPT[name] = made
            return made
        @app.post("/ask")
        def ask(request, text):
            return tokens(None, text, {handed})
        """


def test_a_parameter_that_only_chooses_how_the_value_is_made() -> None:
    code = TOKENS.replace("load(model)", "load(model, whose)")
    finds(RULE, code.format(parameter="whose", handed="request.user", made="read(name, whose)"), "error")
    quiet(RULE, code.format(parameter="whose", handed="request.user", made="read(name)"))


def test_a_parameter_that_is_called_like_a_setting_is_not_who_asks() -> None:
    finds(RULE, TOKENS.format(parameter="whose", handed="request.user", made="read(name, whose)"), "error")
    quiet(RULE, TOKENS.format(parameter="alert_level", handed="request.user", made="read(name, alert_level)"))


def test_what_callers_put_into_a_key_that_is_a_parameter() -> None:
    files = {
        "kept.py": """
            from django.core.cache import cache
            def session_of(key, whose):
                found = cache.get(key)
                if found is None:
                    found = load(whose)
                    cache.set(key, found)
                return found
            """,
        "views.py": """
            from django.shortcuts import render
            from kept import session_of
            def page(request, place):
                return render(request, "page.html", session_of(place, request.user))
            """,
    }
    finds(RULE, files, "error")
    files["views.py"] = files["views.py"].replace("session_of(place,", "session_of(request.user.pk,")
    quiet(RULE, files)
    files["kept.py"] = files["kept.py"].replace("key", "api_key")
    finds(RULE, files, "error")


def test_a_cache_of_the_object_that_the_key_leaves_out() -> None:
    code = """
        def domain(event):
            found = event.cache.get("domain")
            if found is None:
                found = load(event)
                event.cache.set("domain", found)
            return found
        @app.get("/go")
        def go(request):
            return domain(request.user.event)
        """
    finds(RULE, code.replace("event.cache", "place.cache"), "error")
    quiet(RULE, code)
    finds(RULE, code.replace("event", "context"), "error")


def test_what_is_made_of_the_settings_of_the_process() -> None:
    code = """
        _config = None
        def config():
            global _config
            if _config is None:
                {settings}
                _config = Config(account={account})
            return _config
        @app.get("/go")
        def go():
            return config()
        """
    finds(RULE, code.format(settings="found = sign_in()", account="found.account_id"), "error")
    quiet(RULE, code.format(settings="found = get_settings()", account="found.CLOUD_ACCOUNT_ID"))
    quiet(RULE, code.format(settings="settings = get()", account="settings.account_id"))


def test_what_is_only_counted_is_given_to_nobody() -> None:
    code = """
        SEEN = {{}}
        def alert(kind, message):
            if kind in SEEN:
                {again}
            else:
                SEEN[kind] = {{"count": 1, "first": message}}
        @app.post("/ask")
        def ask(request, kind):
            alert(kind, request.user)
        """
    finds(RULE, code.format(again='return SEEN[kind]["first"]'), "error")
    quiet(RULE, code.format(again='SEEN[kind]["count"] += 1'))


@pytest.mark.parametrize(
    ("asked", "key", "is_found"),
    [
        ("get_object_or_404(Project.visible_for(request.user), slug=slug)", "f'insights:{slug}'", False),
        ("get_object_or_404(Project.visible_for(request.user), slug=slug)", "'insights'", True),
        ("Project.visible_for(request.user).first()", "f'insights:{slug}'", True),
    ],
)
def test_a_user_who_is_only_asked_whether_he_may(asked: str, key: str, *, is_found: bool) -> None:
    source = (
        "from django.core.cache import cache\ndef insights(request, slug):\n"
        f"    project = {asked}\n    key = {key}\n    found = cache.get(key)\n    if not found:\n"
        "        found = count(project)\n        cache.set(key, found, 60)\n    return found\n"
    )
    if is_found:
        finds(RULE, source, "error")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("got", "is_found"), [("tenant_id", False), ("", True), ("name='answers'", True)])
def test_a_cache_that_was_got_for_one_of_them(got: str, *, is_found: bool) -> None:
    source = (
        "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/bill')\ndef bill(tenant_id: str):\n"
        f"    cache = get_cache({got})\n"
        "    found = cache.get('bill')\n    if found is None:\n        found = load(tenant_id)\n"
        "        cache.set('bill', found)\n    return found\n"
    )
    if is_found:
        finds(RULE, source, "error")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("ends", "is_found"), [("return [row(one) for one in rows]", False), ("return kind", True)])
def test_a_memo_of_one_request_that_an_inner_function_uses(ends: str, *, is_found: bool) -> None:
    source = (
        "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/rows')\ndef rows_of(tenant_id: str, rows: str):\n"
        "    kinds = {}\n    def kind(name):\n        if name in kinds:\n            return kinds[name]\n"
        "        kinds[name] = load(name, tenant_id)\n        return kinds[name]\n"
        f"    def row(one):\n        return kind(one)\n    {ends}\n"
    )
    if is_found:
        finds(RULE, source)
    else:
        quiet(RULE, source)


def test_a_key_of_the_function_around() -> None:
    source = (
        "from django.core.cache import cache\ndef digest(source):\n    def finish(text):\n"
        "        key = hash({})\n        found = cache.get(key)\n        if not found:\n"
        "            found = text + stamp()\n            cache.set(key, found, 60)\n        return found\n"
        "    return finish(source)\nfrom fastapi import FastAPI\napp = FastAPI()\n@app.get('/digest')\n"
        "def view(user_id: str):\n    return digest(user_id)\n"
    )
    quiet(RULE, source.format("source"))
    finds(RULE, source.format("'all'"))


WRAPPED = {
    "cache.py": """
        import json, redis
        store = redis.Redis()
        async def read(key): return await store.get(key)
        async def write(key, value): await store.setex(key, 60, json.dumps(value))
        """,
    "api.py": """
        import cache
        @app.get("/ask")
        async def ask(q: str, user=Depends(current_user)):
            key = key_of(q)
            if (hit := await cache.read(key)) is not None:
                return hit
            found = await search(q, owner=user.id)
            result = {"answer": found}
            await cache.write(key, result)
            return result
        """,
}


def test_a_cache_behind_two_functions() -> None:
    finds(RULE, WRAPPED, "error", on="cache.write(key, result)")
    quiet(RULE, {**WRAPPED, "api.py": WRAPPED["api.py"].replace("key_of(q)", "key_of(user.id, q)")})
    quiet(RULE, {**WRAPPED, "api.py": WRAPPED["api.py"].replace("cache.read(key)", "cache.read(q)")})
    quiet(RULE, {**WRAPPED, "cache.py": WRAPPED["cache.py"].replace("store.setex(key, 60,", "print(key,")})


DOMAIN = """
    def domain_of(event):
        domain = event.cache.get("domain")
        if domain is None:
            domain = event.assignment.domain_id
            event.cache.set("domain", domain)
        return domain
    @app.get("/x")
    def show(request: Request):
        return domain_of(request.user.event)
    """


def test_a_part_of_the_object_that_has_the_cache() -> None:
    quiet(RULE, DOMAIN)
    finds(RULE, DOMAIN.replace("event.cache", "cache"), "error", on="cache.set")


@pytest.mark.parametrize(
    ("made", "is_found"),
    [
        ("Client(user=account['user'])", True),
        ("Client(user=account['user'], password=account['password'])", False),
        ("Client(user=app.config['TRACKER_USER'])", False),
    ],
)
def test_what_the_program_itself_signs_in_with(made: str, *, is_found: bool) -> None:
    code = f"""
        from fastapi import FastAPI
        app = FastAPI()
        _client = None
        def client(account):
            global _client
            if _client is None:
                _client = {made}
            return _client
        @app.get("/x")
        def ask(account):
            return client(account).ask()
        """
    if is_found:
        finds(RULE, code, "error")
    else:
        quiet(RULE, code)


def test_what_is_said_of_the_rows_is_not_who_asks() -> None:
    quiet(
        RULE,
        """
        class Edges:
            def get(self, request):
                if (kept := cache.get(self.cache_key)) is None:
                    cache.set(self.cache_key, kept := [{"who": row.user_id} for row in self.get_queryset()])
                return kept
        """,
    )


def test_a_backends_account_is_not_who_asks() -> None:
    code = """
        POOLS = {}
        def pool(digest, host, user):
            if digest not in POOLS:
                POOLS[digest] = Pool(host, user)
            return POOLS[digest]
        @app.get("/machines")
        def machines(request):
            return pool(BACKEND.digest, BACKEND.host, %s)
        """
    finds(RULE, code % "BACKEND.username", "info")
    finds(RULE, code % "request.user", "error")


def test_a_map_of_one_user() -> None:
    code = """
        from auth import current
        def preferences(kind, user_id):
            mine = {}
            if kind not in mine:
                mine[kind] = Preference(kind, current.user)
            return mine[kind]
        """
    quiet(RULE, code.replace("{}", "current.user.preferences"))
    finds(RULE, code.replace("{}", "current.preferences"))


def test_a_template_that_is_handed_the_request_may_not_ask_who_it_is_for() -> None:
    code = """
        from django.template.loader import render_to_string
        def tree(request, slug):
            if (kept := cache.get(slug)) is None:
                cache.set(slug, kept := render_to_string("tree.html", request=request, context={{"slug": slug{}}}))
            return HttpResponse(kept)
        """
    assert {one.severity for one in findings(RULE, code.format(""))} <= {"info"}
    assert findings(RULE, code.format(', "name": request.user.name'))


def test_what_is_sifted_again_for_who_asks() -> None:
    code = """
        def trends(request):
            found = cache.get("trends")
            if found is None:
                found = list(Post.objects.visible_to(request.user).values_list("id"))
                cache.set("trends", found, 60)
            return HttpResponse({})
        """
    quiet(RULE, code.format("Post.objects.filter(id__in=found).visible_to(request.user)"))
    finds(RULE, code.format("Post.objects.filter(id__in=found)"), "error")
    finds(RULE, code.format("render(found, request.user)"), "error")


def test_a_token_under_a_key_that_the_object_was_made_with() -> None:
    code = """
        class Tokens:
            def __init__(self, url, client, secret):
                self.cache, self.url, self.client, self.secret = Cache(), url, client, secret
                self.key = {}
            async def token(self, request):
                if (kept := self.cache.get(self.key)) is None:
                    token_data = await fetch(self.url, self.client, self.secret)
                    self.cache.set(self.key, token_data)
                return token_data
        tokens = Tokens(URL, CLIENT, SECRET)
        @app.get("/models")
        async def models(request):
            return await tokens.token(request)
        """
    assert not [one for one in findings(RULE, code.format("f'token:{url}:{client}'")) if one.severity != "info"]
    of_caller = code.replace("fetch(self.url, self.client, self.secret)", "fetch(request.user)")
    finds(RULE, of_caller.format("'token'"), "error")
