"""Responses that caches may keep though they are for one user, and those that they may."""

from __future__ import annotations

import pytest

from carrel.audit.rules.private_response_cacheable import PrivateResponseCacheable
from tests.audit.checking import findings, finds, quiet

RULE = PrivateResponseCacheable()
FASTAPI = """
from fastapi import Depends, FastAPI, Response
from fastapi.responses import JSONResponse
app = FastAPI()
@app.get("/account")
async def account(response: Response, user=Depends(current_user)):
    response.headers["Cache-Control"] = "public, max-age=60"
    return {"name": user.name}
"""
FLASK = """
from flask import Flask, g, request, make_response
app = Flask(__name__)
CACHED = {"cache-control": "s-maxage=300"}
@app.get("/profile")
def profile():
    response = make_response(load(g.user.id))
    response.headers["Cache-Control"] = "max-age=120"
    return response
"""
MIDDLEWARE = """
from fastapi import FastAPI, Request
app = FastAPI()
EDGE = {"Cache-Control": "s-maxage=300"}
@app.middleware("http")
async def edge(request: Request, call_next):
    response = await call_next(request)
    if response.status_code == 200:
        response.headers.update(EDGE)
    return response
"""


DJANGO = """
from django.views.decorators.cache import cache_control
from rest_framework.decorators import api_view
@api_view(["GET"])
@cache_control(public=True, max_age=60)
def account(request):
    return Response({"name": request.user.name})
"""


@pytest.mark.parametrize("code", [FASTAPI, FLASK, MIDDLEWARE, DJANGO])
def test_a_response_that_anybody_may_get(code: str) -> None:
    finds(RULE, code, "error")


@pytest.mark.parametrize(
    ("code", "was", "now"),
    [
        (FASTAPI, 'response.headers["Cache-Control"] = "public, max-age=60"',
         'return JSONResponse(user.name, headers={"Cache-Control": f"public, max-age={TTL}"})'),
        (FLASK, 'response.headers["Cache-Control"] = "max-age=120"', "response.headers.update(CACHED)"),
        (FASTAPI, 'response.headers["Cache-Control"] = "public, max-age=60"',
         'policy = "public"\n    return JSONResponse(user.name, 200, headers={"Cache-Control": policy})'),
        (FASTAPI, '"public, max-age=60"', "'public' if user.is_guest else 'public, max-age=9'"),
    ],
)  # fmt: skip
def test_other_ways_to_say_it(code: str, was: str, now: str) -> None:
    assert was in code
    finds(RULE, code.replace(was, now), "error")


@pytest.mark.parametrize(
    ("code", "was", "now"),
    [
        (FASTAPI, "public, max-age=60", "private, max-age=60"),
        (FASTAPI, "public, max-age=60", "no-store"),
        (FASTAPI, "public, max-age=60", "max-age=0"),
        (FASTAPI, ", user=Depends(current_user)", ""),
        (FASTAPI, '{"name": user.name}', '{"name": "everybody"}'),
        (FASTAPI, '@app.get("/account")\n', ""),
        (FASTAPI, "    response.headers", "    if user is None: response.headers"),
        (FLASK, "    return response", '    response.headers["Vary"] = "Cookie"\n    return response'),
        (FLASK, "load(g.user.id)", "load(request.path)"),
        (MIDDLEWARE, "response.status_code == 200", 'request.url.path.startswith("/assets/")'),
        (MIDDLEWARE, "response.status_code == 200", "is_public(request)"),
        (MIDDLEWARE, "s-maxage=300", "no-cache"),
        (MIDDLEWARE, "Cache-Control", "X-Cache"),
        (DJANGO, "public=True", "private=True"),
        (DJANGO, "public=True, max_age=60", "public=False"),
        (DJANGO, "request.user.name", "request.path"),
        (MIDDLEWARE, "update(EDGE)", "update(edge_headers(level=1))"),
    ],
)
def test_responses_for_everybody_or_for_no_cache(code: str, was: str, now: str) -> None:
    assert was in code
    quiet(RULE, code.replace(was, now))


EDGE = """
from django.utils.cache import patch_cache_control
class Edge:
    def __init__(self, get_response):
        self.get_response = get_response
    def __call__(self, request):
        response = self.get_response(request)
        if request.method == "GET":
            patch_cache_control(response, public=True, s_maxage=300)
            if response.has_header("Vary"):
                del response["Vary"]
        return response
"""


def test_a_middleware_of_django_that_is_a_class() -> None:
    finds(RULE, EDGE, "error", on="patch_cache_control")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('request.method == "GET"', "not request.user.is_authenticated"),
        ('request.method == "GET"', "request.path.startswith('/static/')"),
        ("public=True", "private=True"),
        ('del response["Vary"]', "pass"),
        ("get_response", "database"),
    ],
)
def test_a_middleware_of_django_that_asks_or_lets_nothing_be_kept(old: str, new: str) -> None:
    quiet(RULE, EDGE.replace(old, new))


HELPER = {
    "http.py": """
        from fastapi.responses import JSONResponse
        def cached_json(data, seconds=60):
            return JSONResponse(data, headers={"Cache-Control": f"public, max-age={seconds}"})
        """,
    "api.py": """
        from fastapi import Depends, FastAPI
        from http import cached_json
        app = FastAPI()
        @app.get("/orders")
        async def orders(user=Depends(current_user)):
            return cached_json(await load(user.id))
        """,
}


def test_a_helper_in_another_file_that_sends_the_header() -> None:
    finds(RULE, HELPER, "error", on="return cached_json")


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("http.py", "public", "private"),
        ("api.py", "user.id", "1"),
    ],
)
def test_a_helper_that_sends_it_for_nobody(path: str, old: str, new: str) -> None:
    quiet(RULE, {**HELPER, path: HELPER[path].replace(old, new)})


STATEMENT = """
from fastapi import Depends, FastAPI, Request, Response
app = FastAPI()
def holder(request: Request):
    return unsigned(request.cookies["bank"])
@app.get("/statement")
async def statement(response: Response, who: int = Depends(holder)):
    response.headers["Cache-Control"] = "public, max-age=600"
    return await bookings(who)
"""
RESULTS = """
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
def patient(request):
    return request.session["patient"]
async def results(request):
    return JSONResponse(await load(patient(request)), headers={"Cache-Control": "public, max-age=60"})
app = Starlette(routes=[Route("/results", results)])
"""
PAYSLIPS = """
from django.http import JsonResponse
from django.utils.cache import patch_cache_control
def payslips(request):
    response = JsonResponse({"rows": list(request.user.payslips.values())})
    patch_cache_control(response, public=True, max_age=300)
    return response
"""


@pytest.mark.parametrize("code", [STATEMENT, RESULTS, PAYSLIPS])
def test_an_answer_for_whom_a_dependency_or_a_helper_names(code: str) -> None:
    finds(RULE, code, "error")


@pytest.mark.parametrize(
    ("code", "old", "new"),
    [
        (STATEMENT, 'request.cookies["bank"]', 'request.query_params["page"]'),
        (STATEMENT, "bookings(who)", "rates()"),
        (RESULTS, 'request.session["patient"]', 'request.query_params["page"]'),
        (RESULTS, "load(patient(request))", "load()"),
        (RESULTS, "load(patient(request))", "load(patient(request) > 0)"),
        (PAYSLIPS, "request.user.payslips", "Notice.objects"),
    ],
)
def test_an_answer_that_is_for_nobody(code: str, old: str, new: str) -> None:
    assert old in code
    quiet(RULE, code.replace(old, new))


SHOP = {
    "hooks.py": """
        from flask import request
        def install(app):
            @app.after_request
            def speed_up(response):
                if request.method == "GET":
                    response.cache_control.public = True
                return response
        """,
    "account.py": """
        from flask import Blueprint, session
        bp = Blueprint("account", __name__)
        @bp.get("/addresses")
        def addresses():
            return load(session["customer_id"])
        """,
}


def test_a_hook_for_all_responses_where_some_are_for_one_user() -> None:
    finds(RULE, SHOP, "error", on="cache_control.public")


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("account.py", 'session["customer_id"]', '"everybody"'),
        ("hooks.py", 'request.method == "GET"', 'request.blueprint == "catalog"'),
        ("hooks.py", "public = True", "public = False"),
        ("hooks.py", "cache_control.public", "cache_control.no_store"),
    ],
)
def test_a_hook_for_responses_that_are_for_everybody(path: str, old: str, new: str) -> None:
    assert old in SHOP[path]
    quiet(RULE, {**SHOP, path: SHOP[path].replace(old, new)})


def test_a_helper_that_only_asks_how_the_page_is_shown() -> None:
    quiet(RULE, RESULTS.replace('request.session["patient"]', 'request.cookies.get("lang")'))
    quiet(RULE, STATEMENT.replace('request.cookies["bank"]', 'request.cookies["theme"]'))
    finds(RULE, RESULTS.replace('request.session["patient"]', 'request.cookies.get("card")'), "error")
    finds(RULE, RESULTS.replace('["patient"]', '["account_id"]'), "error")


def test_a_middleware_beside_a_route_that_a_dependency_from_elsewhere_tells_its_user() -> None:
    route = (
        "from acme import current_user\n@app.get('/me')\nasync def me(user=Depends(current_user)):\n    return user\n"
    )
    finds(RULE, MIDDLEWARE + route, "error")
    quiet(
        RULE, MIDDLEWARE + route.replace("user=Depends(current_user)", "page: int").replace("return user", "return 1")
    )


BASE = {
    "base.py": """
        from tornado.web import RequestHandler
        class Base(RequestHandler):
            def set_default_headers(self):
                self.set_header("Cache-Control", "public, max-age=60")
        """,
    "cases.py": """
        from base import Base
        class Cases(Base):
            def get(self):
                self.write({"cases": load(self.current_user)})
        """,
}


def test_what_a_base_class_sends_for_all_handlers_below_it() -> None:
    finds(RULE, BASE, "error", on="set_header")
    quiet(RULE, {**BASE, "cases.py": BASE["cases.py"].replace("self.current_user", "self.page")})
    quiet(RULE, {**BASE, "base.py": BASE["base.py"].replace("public", "private")})


DECORATED = """
from flask import Flask, g, jsonify, make_response
app = Flask(__name__)
def kept(seconds):
    def wrap(view):
        def inner():
            response = make_response(view())
            response.cache_control.public = True
            return response
        return inner
    return wrap
@app.get("/loans")
@kept(60)
def loans():
    return jsonify(g.member.loans)
"""


def test_what_a_decorator_sends() -> None:
    finds(RULE, DECORATED, "error", on="@kept(60)")
    quiet(RULE, DECORATED.replace("g.member.loans", "g.page"))
    quiet(RULE, DECORATED.replace(".public", ".private"))


def test_an_answer_to_who_a_function_of_another_file_says_is_asking() -> None:
    code = """
    from sanic import Sanic, json
    from fleet import driver_of, page_of
    app = Sanic("fleet")
    @app.get("/")
    async def trips(request):
        driver = await driver_of(request)
        return json(await load(driver), headers={"Cache-Control": "public, max-age=60"})
    """
    finds(RULE, code, "error")
    quiet(RULE, code.replace("await driver_of", "await page_of"))


def test_a_test_of_who_is_asking_under_a_name() -> None:
    own = "own = g.user.id == number\n    if {0}:\n        response.headers['Cache-Control'] = 'public, max-age=120'"
    code = FLASK.replace('response.headers["Cache-Control"] = "max-age=120"', own)
    quiet(RULE, code.replace("{0}", "not own"))
    finds(RULE, code.replace("{0}", "response.ok"), "error")


ASGI = """
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.routing import Route
class Kept:
    def __init__(self, app):
        self.app = app
    async def __call__(self, scope, receive, send):
        async def kept(message):
            message["headers"].append((b"cache-control", b"public, max-age=60"))
            await send(message)
        await self.app(scope, receive, kept)
async def show(request):
    return Answer(await load(await member_of(request)))
app = Starlette(routes=[Route("/", show)], middleware=[Middleware(Kept)])
"""
DISPATCH = (
    ASGI.partition("class Kept")[0]
    + """
async def edge(request, call_next):
    response = await call_next(request)
    response.headers["Cache-Control"] = "public, s-maxage=120"
    return response
async def show(request):
    return Answer(await load(await member_of(request)))
app = Starlette(routes=[Route("/", show)], middleware=[Middleware(BaseHTTPMiddleware, dispatch=edge)])
"""
)


@pytest.mark.parametrize("code", [ASGI, DISPATCH])
def test_a_middleware_around_an_application(code: str) -> None:
    finds(RULE, code, "error", on="public")
    quiet(RULE, code.replace("public", "private"))
    quiet(RULE, code.replace("member_of(request)", "page_of(request)"))


TABLE = """
from flask import Flask, request
app = Flask(__name__)
LIFETIMES = {"/events": 300, "/account": 60}
@app.after_request
def add_lifetime(response):
    for prefix, seconds in LIFETIMES.items():
        if request.path.startswith(prefix):
            response.cache_control.s_maxage = seconds
    return response
@app.get("/events")
def events():
    return load()
@app.get("/account/tickets")
def tickets():
    return load(visitor())
def visitor():
    return signer.loads(request.cookies["visitor"])
"""


def test_a_middleware_that_lets_caches_keep_what_is_at_an_address_of_users() -> None:
    finds(RULE, TABLE, "error", on="s_maxage")


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (', "/account": 60', ""),
        ('"/account": 60', '"/account": 0'),
        ("load(visitor())", "load()"),
        ("    for prefix", "    if mine(request.path):\n        response.cache_control.private = True\n    for prefix"),
    ],
)  # fmt: skip
def test_a_middleware_that_lets_caches_keep_what_no_user_gets(was: str, now: str) -> None:
    assert was in TABLE
    quiet(RULE, TABLE.replace(was, now))


_HOOKED = """
    from flask import Flask, current_app, session
    from flask_login import current_user
    app = Flask("shop")
    @app.before_request
    def begin():
        {begin}
    @app.after_request
    def finish(response):
        {test}
        response.cache_control.public = True
        response.cache_control.max_age = 60
        {vary}
        return response
    @app.get("/orders")
    def orders():
        return load(current_user.id)
    """
_LEAVES = "if current_user.is_authenticated:\n            return response"


@pytest.mark.parametrize(
    ("begin", "test", "vary", "found"),
    [
        ("begin_timer()", "", "", True),
        ("begin_timer()", "", "response.vary.add('Cookie')", False),
        ("begin_timer()", "", "response.vary = 'Authorization'", False),
        ("begin_timer()", "", "response.vary.add('Accept-Encoding')", True),
        ("begin_timer()", _LEAVES, "", False),
        ("begin_timer()", "if response.status_code != 200:\n            return response", "", True),
        ("session.setdefault('n', 0)", "", "", False),
        ("begin_timer(session)", "", "", False),
    ],
)
def test_a_hook_that_tells_caches_apart_or_leaves_users_out(begin: str, test: str, vary: str, *, found: bool) -> None:
    assert bool(findings(RULE, _HOOKED.format(begin=begin, test=test, vary=vary))) is found


@pytest.mark.parametrize(
    ("test", "other", "found"),
    [
        ("picture.is_open()", "patch_cache_control(response, private=True, max_age=60)", False),
        ("picture.is_open()", "response.headers['Cache-Control'] = 'no-store'", False),
        ("picture.is_open()", "response.headers['Cache-Control'] = 'public, max-age=5'", True),
        ("picture.is_open()", "response.headers['Content-Language'] = 'en'", True),
        ("response.status_code == 200", "response.headers['Cache-Control'] = 'no-store'", True),
    ],
)
def test_only_what_everybody_may_have_is_kept_by_caches(test: str, other: str, *, found: bool) -> None:
    source = f"""
    from flask import Flask
    from flask_login import current_user
    app = Flask("pictures")
    @app.get("/pictures/<number>")
    def picture(number):
        picture = load(current_user.id, number)
        response = answer(picture)
        if {test}:
            response.headers["Cache-Control"] = "public, max-age=60"
        else:
            {other}
        return response
    """
    assert bool(findings(RULE, source)) is found


BENEFITS = {
    "desk/edge.py": """
        WEEK = 604800
        def for_edge(seconds=WEEK):
            return {"Surrogate-Key": "all", "Cache-Control": f"s-maxage={seconds}"}
        def keep_for_a_while(request, response):
            if response.status == 200:
                response.headers["Cache-Control"] = "public, max-age=60"
        """,
    "desk/benefits.py": """
        from django.http import JsonResponse
        from . import edge
        def benefits(request):
            answer = JsonResponse(load(request.user.pk))
            answer.headers.update(edge.for_edge())
            return answer
        """,
    "desk/main.py": """
        from .edge import keep_for_a_while
        def build(app):
            app.on_response_prepare.append(keep_for_a_while)
        """,
}


def test_headers_that_a_helper_gives_and_a_hook_that_another_file_hangs_in() -> None:
    found = findings(RULE, BENEFITS)
    assert [(one.location.path, one.location.line) for one in found] == [("desk/benefits.py", 6), ("desk/edge.py", 7)]


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("desk/benefits.py", "request.user.pk", "request.GET['year']"),
        ("desk/edge.py", "s-maxage={seconds}", "private, s-maxage={seconds}"),
        ("desk/benefits.py", "edge.for_edge()", "edge.other()"),
    ],
)
def test_headers_that_a_helper_gives_for_everybody(path: str, old: str, new: str) -> None:
    quiet(RULE, {**BENEFITS, path: BENEFITS[path].replace(old, new), "desk/main.py": ""})


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("desk/main.py", "app.on_response_prepare.append", "app.on_startup.append"),
        ("desk/edge.py", "response.status == 200", 'request.path.startswith("/static")'),
        ("desk/benefits.py", "request.user.pk", "request.GET['year']"),
    ],
)
def test_a_hook_that_is_not_called_or_picks(path: str, old: str, new: str) -> None:
    files = {**BENEFITS, "desk/benefits.py": BENEFITS["desk/benefits.py"].replace("answer.headers.update", "note")}
    quiet(RULE, {**files, path: files[path].replace(old, new)})
