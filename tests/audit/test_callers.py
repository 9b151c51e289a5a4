"""What a token proves, and what the client only says."""

from __future__ import annotations

import ast

import pytest

from carrel.audit.admission import is_restricted
from carrel.audit.callers import is_said_of_somebody, names_user, proven, prover
from tests.audit.checking import view
from tests.audit.handlers import PARAMETERS, handler, value


@pytest.mark.parametrize(
    "expression",
    ["user.id", "request.state.user.id", "request.user", "request['user'].id", "request.session['user_id']",
     "request.session.get('user_id')", "get_current_user(request).id", "jwt.decode(token)", "f'x:{user.id}'",
     "getattr(request.state, 'user', None)", "self.user", "member_from_token(body.token)"],
)  # fmt: skip
def test_what_is_proven(expression: str) -> None:
    seen, function, found = value(f"return {expression}")
    assert proven(seen, found, function)


@pytest.mark.parametrize(
    "expression", ["user_id", "body.user_id", "request.headers['x-user-id']", "db.user", "name", "1"]
)
def test_what_is_not(expression: str) -> None:
    seen, function, found = value(f"return {expression}")
    assert not proven(seen, found, function)


def test_whom_the_client_names_and_what_has_registered_the_handler() -> None:
    seen = view(
        "class Server:\n    def add_tools(self, app):\n        @app.post('/f')\n        def f(body: Body):\n"
        "            get_user(body.email)\n            get_user()\n            return self.core.user_id\n"
    )
    function = seen.functions[-1]
    calls = [proven(seen, one, function) for one in function.nodes(ast.Call)]
    (given,) = (one.value for one in function.nodes(ast.Return))
    assert calls == [False, True]
    assert given is not None
    assert not proven(seen, given, function)


@pytest.mark.parametrize(
    ("parameters", "body", "found"),
    [
        (PARAMETERS, "pass", "user"),
        ("request: Request", "return request.state.user.id", "request.state.user.id"),
        ("request: Request", "return verify_token(request)", "verify_token"),
        ("request: Request, name: str", "if name == 'me':\n    return verify_token(request)\nreturn 1", ""),
        ("request: Request, name: str", "if name:\n    return verify_token(request)\nreturn 1", "verify_token"),
        ("request: Request, db=Depends(get_db), users=Depends(get_user_service)", "return db", ""),
    ],
)
def test_what_knows_the_caller(parameters: str, body: str, found: str) -> None:
    seen, function = handler(body, parameters)
    assert prover(seen, function) == found


@pytest.mark.parametrize(
    ("parameters", "body"),
    [
        ("user=Depends(get_admin_user)", "pass"),
        ("user=Depends(get_user)", "if user.role != 'admin': raise E"),
        ("user=Depends(get_user)", "require_admin(user)"),
        ("user=Depends(get_user)", "has_permission(user, 'x')"),
    ],
)
def test_where_only_some_get_in(parameters: str, body: str) -> None:
    seen, function = handler(body, parameters)
    assert is_restricted(seen, function)


def test_where_everybody_does() -> None:
    seen, function = handler("return user", "user=Depends(get_user)")
    assert not is_restricted(seen, function)


def test_names_of_users() -> None:
    assert all(map(names_user, ("user_id", "tenant", "x-on-behalf-of", "owner_id", "current_user", "org_id")))
    assert not any(map(names_user, ("is_user", "session_id", "bot_user", "usage", "id", "target_user")))


KNOWS = """
import itsdangerous, jwt
from flask import Flask, g, request, session
app = Flask(__name__)
tickets = itsdangerous.URLSafeTimedSerializer("key")
def claims_of(token):
    found = jwt.decode(token, KEY)
    return found
def require(scope):
    token = claims_of(request.headers["authorization"])
    if scope not in token["scopes"]:
        raise PermissionError(scope)
    return token
def count(rows):
    return len(rows)
def for_clinicians(handler):
    def inner(*args):
        require("read")
        return handler(*args)
    return inner
def set_up(request, connection):
    request.ctx.clinician, request.ctx.practice = require("read")["sub"], require("read")["practice"]
    connection.coachee = tickets.loads(request.headers["x-ticket"])["coachee"]
    request.ctx.query = request.args["q"]
"""


@pytest.mark.parametrize(
    ("expression", "is_known"),
    [
        ("require('read')", True),
        ("count(require('read')['rows'])", True),
        ("claims_of(token)['practice']", True),
        ("count(rows)", False),
        ("request.ctx.practice", True),
        ("connection.coachee", True),
        ("connection.room", False),
        ("request.ctx.query", False),
        ("settings.practice", False),
        ("tickets.loads(ticket)", True),
        ("json.loads(ticket)", False),
        ("session['pupil']", True),
        ("session['theme']", False),
    ],
)
def test_a_caller_whom_the_file_itself_knows(expression: str, *, is_known: bool) -> None:
    seen = view(f"{KNOWS}\ndef handle(request, connection, rows, token, ticket):\n    return {expression}\n")
    function = next(one for one in seen.functions if one.name == "handle")
    assert bool(prover(seen, function)) is is_known


@pytest.mark.parametrize(("decorator", "known"), [("@for_clinicians", "for_clinicians"), ("@timed", "")])
def test_a_caller_whom_a_decorator_of_the_file_asks_for(decorator: str, known: str) -> None:
    seen = view(f"{KNOWS}\ndef timed(handler):\n    def inner(*a):\n        return handler(*a)\n    return inner\n"
                f"@app.get('/notes')\n{decorator}\ndef notes():\n    return []\n")  # fmt: skip
    assert prover(seen, next(one for one in seen.functions if one.name == "notes")) == known


@pytest.mark.parametrize(("before", "known"), [("before_request", "sign_in"), ("template_filter", "")])
def test_a_caller_who_is_known_before_each_request(before: str, known: str) -> None:
    seen = view(f"{KNOWS}\n@app.{before}\ndef sign_in():\n    g.who = require('read')['sub']\n"
                "@app.get('/notes')\ndef notes():\n    return []\ndef helper():\n    return []\n")  # fmt: skip
    found = {one.name: prover(seen, one) for one in seen.functions}
    assert (found["notes"], found["helper"]) == (known, "")


def test_functions_that_call_each_other_know_nobody() -> None:
    seen = view("def a(x):\n    return b(x)\ndef b(x):\n    return a(x)\ndef c(x):\n    return a(x)\n")
    assert [prover(seen, one) for one in seen.functions] == ["", "", ""]


def test_a_dependency_of_the_file_that_gives_who_is_calling() -> None:
    seen = view("import jwt\nfrom fastapi import Depends, FastAPI\napp = FastAPI()\n"
                "def addressee(header: str):\n    return jwt.decode(header)['sub']\n"
                "def page(size: int):\n    return size\n"
                "@app.get('/parcels')\ndef parcels(who=Depends(addressee), n=Depends(page)):\n    return []\n"
                "@app.get('/pages')\ndef pages(n=Depends(page)):\n    return []\n")  # fmt: skip
    found = {one.name: prover(seen, one) for one in seen.functions}
    assert (found["parcels"], found["pages"]) == ("who", "")


@pytest.mark.parametrize(
    ("scheme", "dependency", "known"),
    [
        ("HTTPBearer()", "opener", "who"),
        ("pages_of()", "opener", ""),
        ("pages_of()", "doctor", "who"),
        ("pages_of()", "reader", ""),
    ],
)
def test_a_dependency_by_what_it_asks_for_or_by_its_name(scheme: str, dependency: str, known: str) -> None:
    seen = view("from fastapi import Depends, FastAPI\nfrom fastapi.security import HTTPBearer\n"
                f"from acme import pages_of\napp = FastAPI()\nbearer = {scheme}\n"
                f"def {dependency}(told=Depends(bearer)):\n    return open_token(told)\n"
                f"@app.get('/files')\ndef files(who=Depends({dependency})):\n    return []\n")  # fmt: skip
    assert prover(seen, next(one for one in seen.functions if one.name == "files")) == known


def test_the_message_of_a_service_of_grpc_proves_nothing() -> None:
    seen = view("from diary_pb2_grpc import DiaryServicer\nclass Diary(DiaryServicer):\n"
                "    def Read(self, request, context):\n        return rows_of(request.user_id)\n")  # fmt: skip
    assert [prover(seen, one) for one in seen.functions] == [""]


@pytest.mark.parametrize(
    ("base", "method"),
    [("AbstractAuthenticationMiddleware", "authenticate_request"), ("AuthenticationBackend", "authenticate")],
)
def test_a_class_that_signs_everybody_in_before_each_request(base: str, method: str) -> None:
    seen = view(f"import jwt\nclass TokenAuth({base}):\n    def {method}(self, connection):\n"
                "        return jwt.decode(connection.headers['x'])\n"
                "@app.get('/notes')\ndef notes():\n    return []\n")  # fmt: skip
    assert prover(seen, next(one for one in seen.functions if one.name == "notes")) == method


@pytest.mark.parametrize(
    ("value", "said"),
    [("user.language", True), ("user.id", False), ("user.desk", False), ("user.desk.name", True), ("task.text", True),
     ("task.user_id", False), ("request.token", False), ("user", False), ("user.language or 'en'", True)],
)  # fmt: skip
def test_what_is_said_of_somebody(value: str, *, said: bool) -> None:
    assert is_said_of_somebody(ast.parse(value, mode="eval").body) is said


@pytest.mark.parametrize(
    ("name", "is_user"),
    [("uid", True), ("firebase_uid", True), ("patient_uid", True), ("conv_uid", False), ("document_uid", False)],
)
def test_a_number_that_is_a_things(name: str, *, is_user: bool) -> None:
    assert names_user(name) is is_user
