"""Responses that caches may keep though they are for one user, and those that they may."""

from __future__ import annotations

import pytest

from carrel.audit.rules.private_response_cacheable import PrivateResponseCacheable
from tests.audit.checking import finds, quiet

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
