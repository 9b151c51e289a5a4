"""Whose data it is: said by the client, or proven by the token."""

from __future__ import annotations

import pytest

from carrel.audit.rules.identity_from_request import IdentityFromRequest
from carrel.findings import Severity
from tests.audit.checking import finds, quiet

RULE = IdentityFromRequest()
HEAD = """
from fastapi import FastAPI, Depends, Header, Query, HTTPException
from auth import get_current_user
from store import store
app = FastAPI()
NOTES = {}
"""


def route(body: str, parameters: str = "user_id: str, user=Depends(get_current_user)", path: str = "/notes") -> str:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"{HEAD}@app.post('{path}')\nasync def notes({parameters}):\n{lines}"


@pytest.mark.parametrize(
    ("parameters", "body"),
    [
        ("user_id: str, user=Depends(get_current_user)", "return NOTES[user_id]"),
        ("body: Note, user=Depends(get_current_user)", "return NOTES.get(body.user_id, [])"),
        ("x_tenant_id: str = Header(), user=Depends(get_current_user)", "return await store.list_notes(x_tenant_id)"),
        (
            "request: Request, user=Depends(get_current_user)",
            "who = request.headers.get('x-user-id')\nreturn NOTES[who]",
        ),
        (
            "request: Request, user=Depends(get_current_user)",
            "data = await request.json()\nreturn NOTES[data['user_id']]",
        ),
    ],
)
def test_what_the_client_says_is_used_though_the_token_is_there(parameters: str, body: str) -> None:
    finds(RULE, route(body, parameters), "error")


def test_a_tools_argument_is_what_the_model_writes() -> None:
    finds(RULE, "from mcp.server.fastmcp import FastMCP\nmcp = FastMCP('x')\nMAIL = {}\n@mcp.tool()\n"
          "def read_mail(user_id: str):\n    return MAIL[user_id]\n", "warning")  # fmt: skip


@pytest.mark.parametrize(("name", "severity"), [("customer_id", "info"), ("linked_account_id", "info"),
                                                ("tenant_id", "warning")])  # fmt: skip
def test_what_a_tool_is_about_is_not_who_asks(name: str, severity: str) -> None:
    text = "import stripe\nmcp = FastMCP('x')\n@mcp.tool()\ndef look_up({0}: str):\n    return stripe.retrieve({0})\n"
    finds(RULE, text.format(name), severity)


@pytest.mark.parametrize(
    ("parameter", "severity"),
    [
        ("organisation_id: int | None = None", "info"),
        ("organisation_id: int = Query(None, alias='organisationId')", "info"),
        ("organisation_id: int = Query(default=None)", "info"),
        ("organisation_id: int", "error"),
        ("organisation_id: int = Query()", "error"),
        ("user_id: int | None = None", "error"),
    ],
)
def test_a_group_that_may_be_left_out_is_a_filter(parameter: str, severity: str) -> None:
    body = f"log(user.id)\nreturn await store.list_tasks({parameter.partition(':')[0]})"
    finds(RULE, route(body, f"{parameter}, user=Depends(get_current_user)"), severity)


def test_without_any_token_it_is_only_mentioned() -> None:
    finds(RULE, route("return NOTES[user_id]", "user_id: str"), "info")


@pytest.mark.parametrize(
    "choice",
    [
        "user_id = request.headers.get('x-user-id') or verify_token(request).id",
        "user_id = request.query_params['user_id'] if 'user_id' in request.query_params else request.state.user.id",
        "who = request.headers.get('x-on-behalf-of') or request.state.user.id\n    return User(who)",
    ],
)
def test_what_is_said_goes_before_what_is_proven(choice: str) -> None:
    finds(RULE, f"def identify(request):\n    {choice}\n    return user_id\n", "error")


@pytest.mark.parametrize(
    "choice",
    [
        "user_id = request.state.user.id",
        "device = request.headers.get('x-user-id') or request.state.user.id",
        "user_id = verify_token(request).id or request.headers.get('x-user-id')",
        "name = request.headers.get('x-request-id') or request.state.user.id",
    ],
)
def test_what_is_proven_wins(choice: str) -> None:
    quiet(RULE, f"def identify(request):\n    {choice}\n    return None\n")


@pytest.mark.parametrize(
    ("parameters", "body"),
    [
        ("body: Note, user=Depends(get_current_user)", "return NOTES[user.id]"),
        ("user_id: str, user=Depends(get_current_user)", "if user_id != user.id: raise E\nreturn NOTES[user_id]"),
        ("user_id: str, user=Depends(get_current_user)", "check_access(user, user_id)\nreturn NOTES[user_id]"),
        ("user_id: str, user=Depends(require_admin)", "return NOTES[user_id]"),
        ("user_id: str, user=Depends(get_current_user)", "return user.is_admin and NOTES[user_id]"),
        ("user_id: str, user=Depends(get_current_user)", "require_admin(user)\nreturn await store.list_notes(user_id)"),
        ("user_id: str = Depends(get_current_user)", "return NOTES[user_id]"),
        ("email: str, user=Depends(get_current_user)", "return await store.find_member(email)"),
        ("color: str, user=Depends(get_current_user)", "return NOTES[color]"),
        ("user_id: str, user=Depends(get_current_user)", "return {'user_id': user_id}"),
        ("user_id: str, user=Depends(get_current_user)",
         "rows = Rows(db, user)\nreturn await rows.list_all(user_id=user_id)"),
        ("request: Request, user=Depends(get_current_user)",
         "who = request.query_params.get('customer_id')\nreturn store.list_cases(customer=who, me=user.id)"),
        ("user_id: str, user=Depends(get_current_user)",
         "from models import User\nother = await store.get_one(User, user_id)\nawait Blocks.create(by=user, of=other)"),
    ],
)  # fmt: skip
def test_what_only_looks_like_it(parameters: str, body: str) -> None:
    quiet(RULE, route(body, parameters))


def test_a_user_within_something_that_was_checked() -> None:
    parameters = "chat_id: str, user_id: str, user=Depends(get_current_user)"
    listed = "return store.list_turns(chat_id, user_id)"
    quiet(RULE, route(f"await ensure_owned(chat_id)\n{listed}", parameters))
    finds(RULE, route(listed, parameters), "error")


def test_somebody_who_is_looked_up_is_not_who_asks() -> None:
    find = "from models import User, Note\nother = await store.get_one({0}, user_id)\nreturn page(other)"
    quiet(RULE, route(find.format("User")))
    finds(RULE, route(find.format("Note")), "error")


def test_a_user_in_an_address_is_whom_it_is_about() -> None:
    body = "return NOTES[user_id]"
    finds(RULE, route(body), "error", on="NOTES[user_id]")
    finds(RULE, route(body, path="/users/{user_id}/seen"), "info", on="NOTES[user_id]")


@pytest.mark.parametrize(("checked", "severity"), [("user", "error"), ("auth", "info"), ("_", "info")])
def test_a_key_that_all_have_tells_nobody_from_another(checked: str, severity: Severity) -> None:
    parameters = f"x_tenant_id: str = Header(), {checked}=Depends(require_auth)"
    finds(RULE, route("return await store.list_notes(x_tenant_id)", parameters), severity, on="list_notes")


def test_what_is_shown_to_who_asks_is_not_compared_with_them() -> None:
    finds(RULE, route("notes = await store.list_notes(user_id)\nreturn show(user, notes)"), "error")


FLASK = """
from flask import Flask
from auth import login_required
from store import store
app = Flask(__name__)
@app.route("/files{0}")
@login_required
@with_tenant
def files(tenant_id):
    return store.list_files(tenant_id)
"""


def test_what_the_address_does_not_name_a_decorator_hands_over() -> None:
    quiet(RULE, FLASK.format(""))
    finds(RULE, FLASK.format("/<tenant_id>"))


def test_signing_in_has_to_believe_somebody() -> None:
    quiet(RULE, HEAD + "@app.post('/login')\nasync def login(user_id: str):\n    return NOTES[user_id]\n")


def test_a_socket_whose_path_says_who_it_is() -> None:
    text = "@app.websocket('/w/{user_id}')\nasync def ws(websocket, user_id: str):\n    return NOTES[user_id]\n"
    finds(RULE, HEAD + text, "warning")


CHOSEN = """
org_id = body.org_id if body.org_id is not None else user.org_id
organization = store.organization(org_id)
{check}
return organization
"""


@pytest.mark.parametrize(
    ("check", "is_found"),
    [
        ("if not rules.allowed_for_org(CREATE, org_id):\n    return {'msg': 'no'}, HTTPStatus.UNAUTHORIZED", False),
        ("ok = can_create(user, org_id)\nif not ok:\n    raise HTTPException(403)", False),
        ("if not rules.allowed_for_org(CREATE, org_id):\n    log(org_id)", True),
        ("if not rules.allowed_for_org(CREATE, 1):\n    raise HTTPException(403)", True),
    ],
)
def test_a_chosen_user_that_is_checked(check: str, is_found: bool) -> None:
    text = route(CHOSEN.format(check=check), "body: Order, user=Depends(get_current_user)")
    if is_found:
        finds(RULE, text, "error")
    else:
        quiet(RULE, text)


RECALL = """
from fastapi import Depends, FastAPI
app = FastAPI({0})
@app.post("/recall"{1})
async def recall(body: Recall):
    return await store.search(user_id=body.{2})
"""


def test_a_sign_in_that_the_application_asks_for() -> None:
    asked = "dependencies=[Depends({0})]"
    finds(RULE, RECALL.format(asked.format("require_login"), "", "user_id"), "error", on="store.search")
    finds(RULE, RECALL.format("", ", " + asked.format("auth.get_current_user"), "user_id"), "error")
    finds(RULE, RECALL.format(asked.format("verify_api_key"), "", "user_id"), "info")
    quiet(RULE, RECALL.format(asked.format("require_login"), "", "query"))


def test_what_is_stored_along_with_it_is_not_compared_with_it() -> None:
    body = "await store.add(body.user_id, {'text': body.text, 'by': user.id})"
    finds(RULE, route(body, "body: Note, user=Depends(get_current_user)"), "error")
    quiet(RULE, route("await store.add(body.user_id, user.id)", "body: Note, user=Depends(get_current_user)"))


@pytest.mark.parametrize(
    ("select", "check", "is_found"),
    [
        ("'SELECT net FROM slips WHERE email = $1', email", "'read' not in token.scopes", True),
        ("'SELECT net FROM slips WHERE email = %s', (email,)", "token is None", True),
        ("'SELECT day FROM holidays WHERE year = $1', email", "token is None", False),
        ("'SELECT net FROM slips WHERE email = $1', token.claims['email']", "token is None", False),
        ("'SELECT net FROM slips WHERE email = $1', email", "'admin' not in token.roles", False),
        ("'SELECT net FROM slips WHERE email = $1', email", "token.claims['email'] != email", False),
    ],
)
def test_rows_of_whom_the_model_names(select: str, check: str, *, is_found: bool) -> None:
    source = f"""
        from fastmcp import FastMCP
        from fastmcp.server.dependencies import get_access_token
        mcp = FastMCP("payroll")
        @mcp.tool
        async def slips(email: str):
            token = get_access_token()
            if {check}:
                raise ValueError
            return await connection.fetch({select})
        """
    if is_found:
        finds(RULE, source, "warning", on="fetch")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("name", "is_found"), [("slips", True), ("login", False)])
def test_who_signs_in_is_looked_up_by_what_they_say(name: str, *, is_found: bool) -> None:
    source = f"""
        from flask import Flask, request, session
        app = Flask("payroll")
        @app.post("/x")
        def {name}():
            row = db().execute("SELECT id FROM people WHERE email = ?", (request.form["email"],)).fetchone()
            session["user_id"] = row["id"]
            return {{}}
        """
    if is_found:
        finds(RULE, source, "warning", on="execute")
    else:
        quiet(RULE, source)


def test_a_helper_that_gives_what_a_header_says() -> None:
    view = """
        from flask_jwt_extended import jwt_required
        from deps import tenant_id
        @bp.get("/contracts")
        @jwt_required()
        def contracts():
            return Contract.query.filter_by(tenant_id=tenant_id()).all()
        """
    deps = "from flask import request\nfrom flask_jwt_extended import get_jwt\ndef tenant_id():\n    return {}\n"
    finds(RULE, {"app.py": view, "deps.py": deps.format("request.headers['X-Tenant-Id']")}, "error", on="filter_by")
    quiet(RULE, {"app.py": view, "deps.py": deps.format("get_jwt()['tenant']")})


def test_a_dependency_that_gives_what_a_header_says() -> None:
    source = """
        from fastapi import Depends, FastAPI, Request
        app = FastAPI()
        def tenant_of(request: Request):
            return {0}
        @app.get("/notes")
        async def listed(tenant=Depends(tenant_of){1}):
            return await notes.list_for(tenant)
        """
    known = ", user=Depends(current_user)"
    claimed = "request.headers.get('x-tenant-id', '')"
    finds(RULE, source.replace("{0}", claimed).replace("{1}", known), "error", on="list_for")
    quiet(RULE, source.replace("{0}", claimed).replace("{1}", ""))
    quiet(RULE, source.replace("{0}", "request.state.tenant").replace("{1}", known))


def test_a_field_of_graphql() -> None:
    source = """
        import strawberry
        @strawberry.type
        class Query:
            @strawberry.field
            async def orders(self, info: Info, user_id: str):
                viewer = info.context["user"]
                return await orders_of({0})
        """
    finds(RULE, source.replace("{0}", "user_id"), "error", on="orders_of")
    quiet(RULE, source.replace("{0}", "viewer.id"))


def test_what_stands_in_the_address_of_a_django_view() -> None:
    views = """
        from django.shortcuts import render
        from app.votes import VOTES
        def profile(request, user_id):
            votes = VOTES.get_votes(user_id)
            return render(request, "profile.html", {"votes": votes, "own": request.user.is_authenticated})
        """
    urls = """
        from django.urls import path
        from app import views
        urlpatterns = [path("users/<str:user_id>/", views.profile)]
        """
    finds(RULE, {"app/__init__.py": "", "app/views.py": views, "app/urls.py": urls}, "info")


@pytest.mark.parametrize(
    ("body", "is_found"),
    [
        ("await graph.ainvoke(x, config={'configurable': {'user_id': body.user_id}})", True),
        ("state = {'messages': [body.text], 'rider_id': body.rider_id}\n    await graph.ainvoke(state)", True),
        ("await graph.ainvoke(x, config={'configurable': {'user_id': rider.id}})", False),
        ("await graph.ainvoke({'driver_id': body.driver_id})", False),
        ("send(user_id=body.user_id)", False),
        ("check(rider, body.user_id)\n    await graph.ainvoke({'user_id': body.user_id})", False),
    ],
)
def test_an_agent_that_works_for_whom_the_body_names(body: str, *, is_found: bool) -> None:
    source = (
        "from fastapi import Depends, FastAPI\napp = FastAPI()\n@app.post('/ask')\n"
        f"async def ask(body: Ask, rider=Depends(verified_rider)):\n    {body}\n"
    )
    if is_found:
        finds(RULE, source, "error")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("checked", "is_found"), [("g.auth = jwt.decode(raw, KEY)", True), ("log(raw)", False)])
def test_whoever_signed_in_before_the_request(checked: str, *, is_found: bool) -> None:
    source = (
        "import jwt\nfrom quart import Quart, g, request\napp = Quart(__name__)\n@app.before_request\n"
        f"async def who():\n    raw = request.headers['Authorization']\n    {checked}\n@app.get('/pension')\n"
        "async def pension():\n    person = request.args['person_no']\n    mine = {1}\n"
        "    return await pool.fetchrow('SELECT amount FROM pensions WHERE person_no = $1', person)\n"
    )
    if is_found:
        finds(RULE, source.replace("{1}", "0"), "warning", on="fetchrow")
        quiet(RULE, source.replace("{1}", "person == g.auth['person_no']"))
    else:
        quiet(RULE, source.replace("{1}", "0"))


@pytest.mark.parametrize(
    ("parameters", "select", "is_found"),
    [
        ("user_id: str, claims=Depends(bearer)", "select(Row).where(Row.user_id == user_id)", True),
        ("user_id: str, claims=Depends(bearer)", "Row.query.filter_by(user_id=user_id)", True),
        ("body: Ask, claims=Depends(bearer)", "select(Row).where(Row.user_id == body.user_id)", True),
        ("user_id: str, claims=Depends(bearer)", "select(Row).where(Row.user_id == claims['sub'])", False),
        ("user_id: str, claims=Depends(bearer)", "user_id == claims['sub'] and Row.filter_by(user_id=user_id)", False),
        ("user_id: str", "select(Row).where(Row.user_id == user_id)", False),
        ("author: str, claims=Depends(bearer)", "select(Row).where(Row.author == author)", False),
        ("user_id: str, admin=Depends(require_admin)", "select(Row).where(Row.user_id == user_id)", False),
    ],
)
def test_claims_that_nothing_is_done_with(parameters: str, select: str, *, is_found: bool) -> None:
    source = route(f"return await db.scalars({select})", parameters)
    if is_found:
        finds(RULE, source, "warning", on="Row")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("checked", "account", "is_found"),
    [
        ("claims_of(context)", "request.account_id", True),
        ("claims_of(context)", "request.since", False),
        ("log(context)", "request.account_id", False),
        ("claims = claims_of(context)", "claims['account']", False),
        ("claims = claims_of(context)\n        if claims['a'] != request.account_id:\n            raise E",
         "request.account_id", False),
    ],
)  # fmt: skip
def test_a_service_that_checks_the_token_and_believes_the_message(
    checked: str, account: str, *, is_found: bool
) -> None:
    source = (
        "import jwt\nfrom energy.v1 import meter_pb2_grpc\ndef claims_of(context):\n"
        "    return jwt.decode(dict(context.invocation_metadata())['token'], KEY)\n"
        "class Meters(meter_pb2_grpc.MeterServicer):\n    async def GetUsage(self, request, context):\n"
        f"        {checked}\n        return await self._store.usage({account})\n"
    )
    if is_found:
        finds(RULE, source, "warning", on="usage")
    else:
        quiet(RULE, source)


HELPED = """
import jwt
from fastapi import Depends, FastAPI
app = FastAPI()
def verified(authorization):
    return jwt.decode(authorization, KEY)
def account_of(token, asked=None):
    {0}
@app.post("/entries")
def entries(query: Query, token=Depends(verified)):
    return rows(account_of(token, {1}))
"""


@pytest.mark.parametrize(
    ("body", "handed", "is_found"),
    [
        ("return asked or token['sub']", "query.account", True),
        ("if asked:\n        return asked\n    return token['sub']", "query.account", True),
        ("return asked if asked else claims(token)['account']", "query.account", True),
        ("return asked or token['language']", "query.language", False),
        ("return asked or token['sub']", "token['account']", False),
        ("if asked != token['sub']:\n        raise E\n    return asked or token['sub']", "query.account", False),
        ("if asked != token['sub']:\n        return asked\n    return token['sub']", "query.account", False),
    ],
)
def test_a_helper_that_prefers_what_is_said(body: str, handed: str, *, is_found: bool) -> None:
    source = HELPED.format(body, handed)
    if is_found:
        finds(RULE, source, "error", on="asked")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("said", "is_found"), [("clinic", True), ("colour", False)])
def test_a_claim_that_the_address_may_say_too(said: str, *, is_found: bool) -> None:
    source = f"""
import jwt
from flask import request
def acting():
    return request.args.get("{said}") or jwt.decode(request.headers["authorization"], KEY)["{said}"]
"""
    if is_found:
        finds(RULE, source, "error", on="or jwt.decode")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("column", "asked", "is_found"),
    [
        ("holder", "require('claims:read')", True),
        ("region", "require('claims:read')", False),
        ("holder", "log()", False),
    ],
)
def test_a_tool_that_is_told_whose_rows_and_asks_for_a_token(column: str, asked: str, *, is_found: bool) -> None:
    source = f"""
from fastmcp import FastMCP
from fastmcp.server.dependencies import get_access_token
mcp = FastMCP("claims")
def require(scope):
    token = get_access_token()
    return token
@mcp.tool
async def list_claims({column}: str):
    {asked}
    return await pool.fetch("SELECT number FROM claims WHERE {column} = $1", {column})
"""
    if is_found:
        finds(RULE, source, "warning", on="pool.fetch")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        ("return await orders.find({'user_id': query.user_id, 'open': True})", "error"),
        ("return await orders.find({'user_id': claims['sub'], 'open': True})", None),
        ("tenant = request.headers.get('X-Tenant-ID', claims['tenant'])\n    return tenant", "error"),
        ("tenant = request.headers.get('X-Tenant-ID', '')\n    return tenant", None),
        ("tenant = request.headers.get('X-Lang', claims['tenant'])\n    return tenant", None),
        ("log(claims)\n    total = app.ledger.total(query.user_id)\n    return total", "error"),
        ("log(claims)\n    app.ledger.total(query.user_id)", None),
        ("log(claims)\n    return events_of(query.user_email)", "error"),
    ],
)  # fmt: skip
def test_what_is_said_among_other_things(body: str, severity: str | None) -> None:
    source = (
        "from fastapi import Depends, FastAPI, Request\nfrom db import orders\nimport app\napi = FastAPI()\n"
        "@api.post('/x')\n"
        f"async def search(request: Request, query: Query, claims=Depends(verified_claims)):\n    {body}\n"
    )
    if severity is not None:
        finds(RULE, source, severity)
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("name", "is_found"), [("patient", True), ("shown", False)])
def test_a_default_that_is_the_number_of_who_is_signed_in(name: str, *, is_found: bool) -> None:
    source = (
        "from django.contrib.auth.decorators import login_required\nfrom django.http import JsonResponse\n"
        "@login_required\n"
        f"def vitals(request):\n    {name} = request.GET.get('patient_id', request.user.pk)\n"
        f"    return JsonResponse(rows({name}))\n"
    )
    if is_found:
        finds(RULE, source, "error", on="request.GET")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("asked", "severity"), [("caller(context)", "error"), ("caller(options)", None)])
def test_a_helper_of_another_file_that_gives_the_caller(asked: str, severity: str | None) -> None:
    source = (
        "from bank.v1 import bank_pb2_grpc\nfrom auth import caller\nclass Bank(bank_pb2_grpc.BankServicer):\n"
        f"    def Balance(self, request, context):\n        who = {asked}\n"
        "        cents = self.ledger.balance(request.customer_id)\n        return Money(cents, who)\n"
    )
    if severity is not None:
        finds(RULE, source, severity, on="self.ledger")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("choice", "is_found"),
    [
        ("employee = query.employee or claims['sub']", True),
        ("month = query.month or claims['sub']", False),
        ("employee = claims['sub'] or query.employee", False),
        ("employee = query.employee or claims['name']", False),
    ],
)
def test_a_person_that_is_said_goes_before_the_subject_of_the_token(choice: str, *, is_found: bool) -> None:
    source = (
        "from fastmcp import FastMCP\nfrom fastmcp.server.dependencies import get_access_token\nmcp = FastMCP('x')\n"
        "@mcp.tool\nasync def payslip(query: Query) -> dict:\n    claims = get_access_token().claims\n"
        f"    {choice}\n    return {{}}\n"
    )
    if is_found:
        finds(RULE, source, "error", on="query.employee")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("choice", "is_found"),
    [
        ("request.query.get('seller') or request['principal'].seller", True),
        ("request.headers.get('X-Seller') or request['principal'].seller.number", True),
        ("request.query.get('colour') or request['principal'].colour", False),
        ("request.query.get('email') or request['principal'].email", False),
        ("request.query.get('seller') or request['principal'].page", False),
        ("request['principal'].seller", False),
    ],
)
def test_what_is_said_goes_before_what_is_proven_under_the_same_name(choice: str, *, is_found: bool) -> None:
    source = f"from aiohttp import web\ndef seller_of(request: web.Request):\n    return {choice}\n"
    if is_found:
        finds(RULE, source, "error", on=choice)
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("said", "is_found"),
    [("self.request.headers.get('X-Household')", True), ("self.get_argument('household')", True),
     ("self.get_secure_cookie('household')", False)],
)  # fmt: skip
def test_what_a_view_takes_from_its_own_request(said: str, *, is_found: bool) -> None:
    source = (
        "class Household(LoginRequiredMixin):\n    def household(self):\n"
        f"        return {said} or self.request.user.household.number\n"
    )
    if is_found:
        finds(RULE, source, "error", on="get_argument" if "argument" in said else "X-Household")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("name", "body", "severity"),
    [
        ("guest_id", "return await stays_of(guest_id)", "error"),
        ("room_id", "return await stays_of(room_id)", None),
        ("patient_id", "return await stays_of(patient_id)", None),
        ("guest_id", "return await stays_of(guest_id, guest.house)", None),
    ],
)
def test_the_number_of_a_person_where_such_a_person_is_calling(name: str, body: str, severity: str | None) -> None:
    source = (
        "from fastapi import Depends, FastAPI\nfrom identity import Guest, current_guest\nfrom stays import stays_of\n"
        "app = FastAPI()\n@app.get('/stays')\n"
        f"async def stays({name}: str, guest: Guest = Depends(current_guest)):\n    {body}\n"
    )
    if severity is not None:
        finds(RULE, source, severity, on="stays_of(")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("default", "is_found"), [("Header(None)", True), ("None", False)])
def test_a_dependency_that_lets_a_header_go_first(default: str, *, is_found: bool) -> None:
    source = (
        "from fastapi import Depends, Header\nfrom identity import current_user\n"
        f"def acting(tenant_id: str = {default}, user=Depends(current_user)):\n"
        "    if tenant_id is not None:\n        return tenant_id\n    return user.tenant_id\n"
    )
    if is_found:
        finds(RULE, source, "error", on="return tenant_id")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("items", "is_found"),
    [('"user_id": user_id, **options', True), ('**options, "user_id": user_id', False)],
)
@pytest.mark.parametrize(("called", "runs"), [("graph.ainvoke(text, config=config)", True), ("show(config)", False)])
def test_a_run_whose_settings_the_client_puts_over_the_user(
    items: str, called: str, *, is_found: bool, runs: bool
) -> None:
    source = (
        "from fastapi import Depends, FastAPI\nfrom auth import current_user\nfrom acme import graph, show\n"
        "app = FastAPI()\n@app.post('/ask')\n"
        "async def ask(text: str, options: dict[str, str], user_id: str = Depends(current_user)):\n"
        f"    config = {{'configurable': {{{items}}}}}\n    return await {called}\n"
    )
    if is_found and runs:
        finds(RULE, source, "error", on="**options")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("compares", "is_found"), [("if row.user_id != user.id:\n    raise E", False), ("if not row:\n    raise E", True)]
)
def test_what_is_found_is_compared_with_who_is_asking(compares: str, *, is_found: bool) -> None:
    source = route(
        f"row = await store.get_row(body.user_id)\n{compares}\nreturn row", "body: Note, user=Depends(get_current_user)"
    )
    if is_found:
        finds(RULE, source, "error")
    else:
        quiet(RULE, source)


def test_an_owner_is_whose_the_thing_is_to_be() -> None:
    chosen = "owner = body.get('{0}') or request.user\nreturn publish(request.user, owner)"
    source = route(chosen, "request: Request, body: dict")
    quiet(RULE, source.replace("{0}", "owner"))
    finds(RULE, source.replace("{0}", "user_id"), "error")


def test_an_object_that_is_made_with_what_one_signs_in_with_asks_by_itself() -> None:
    change = "api = Api({0})\nreturn api.get_member(user_id=body.user_id)"
    source = route(change, "body: Note, user=Depends(get_current_user), authorization: str = Header()")
    quiet(RULE, source.replace("{0}", "token=authorization"))
    finds(RULE, source.replace("{0}", "retries=3"), "error")


@pytest.mark.parametrize(("last", "severity"), [("self.user_id", "info"), ("get_current_user().id", "error")])
def test_what_the_object_of_a_method_was_made_with(last: str, severity: str) -> None:
    files = {
        "app.py": "from fastapi import FastAPI\nfrom core import Core\napp = FastAPI()\ncore = Core()\n"
        "@app.post('/x')\ndef clear(user_id: str):\n    core.clear(user_id)\n",
        "core.py": "class Core:\n    user_id = 'me'\n    def clear(self, user_id=None):\n"
        f"        user_id = user_id or {last}\n        self.drop(user_id)\n",
    }
    finds(RULE, files, "info", severity)
