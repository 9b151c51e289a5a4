"""What requests put on the application, and on the request."""

from __future__ import annotations

import pytest

from carrel.audit.rules.per_user_value_on_app import PerUserValueOnApp
from tests.audit.checking import finds, quiet

RULE = PerUserValueOnApp()


@pytest.mark.parametrize(
    "store",
    [
        "request.app.state.user = request.state.user",
        "request.app.state.profile = {'name': user.id}",
        "request.app['user'] = verify(request.headers['Authorization'])",
        "request.app.state.desk = Desk(user)",
        "app.config['USER'] = user.id",
    ],
)
def test_a_users_value_on_the_application(store: str) -> None:
    finds(RULE, f"async def load(request, user):\n    {store}\n", "error", on=store)


SERVICE = """
from fastapi import Depends, Request
async def scope(user=Depends(current_user)):
    return Rows(user)
async def paging(size: int = 10):
    return size
async def outer(inner=Depends(scope)):
    return inner
async def service(request: Request, given=Depends({})):
    if not hasattr(request.app.state, "reports"):
        request.app.state.reports = Reports(given)
    return request.app.state.reports
"""


def test_a_kept_service_that_caught_a_users_dependency() -> None:
    (found,) = finds(RULE, SERVICE.format("scope"), "error", on="Reports(given)")
    assert [place.note for place in found.related] == ["`scope` gives what belongs to one user"]
    finds(RULE, SERVICE.format("outer"), "error")
    quiet(RULE, SERVICE.format("paging"))


def test_what_no_request_gets_to_is_only_mentioned() -> None:
    finds(RULE, "def start(app, token):\n    app.state.token = token\n", "info")


@pytest.mark.parametrize(
    "store",
    [
        "request.state.user = user",
        "request['user'] = user",
        "request.app.state.users[user.id] = user",
        "request.app.state.level = form.level",
        "request.app.state.models = await load_models(request, user)",
        "request.app.state.service = Service()",
        "request.app.state.count = len(user.items)",
        "cart.state.user = user",
        "app = user",
    ],
)
def test_what_is_the_requests_or_everybodys(store: str) -> None:
    quiet(RULE, f"async def load(request, user, form, cart):\n    {store}\n")


def test_what_an_application_is_started_with_is_everybodys() -> None:
    quiet(RULE, "@asynccontextmanager\nasync def start(app):\n    token = load_token()\n    app.state.token = token\n")


def test_what_was_loaded_for_a_caller_of_whom_another_library_tells() -> None:
    source = (
        "from auth import {0}\nasync def customer(request: Request, given=Depends({0})):\n"
        "    request.{1}.customer = await load(given)\n"
    )
    finds(RULE, source.format("current_user", "app.state"), "error", on="await load(given)")
    quiet(RULE, source.format("current_user", "state"))
    quiet(RULE, source.format("paging", "app.state"))


CONTAINER = """
from dependency_injector import containers, providers
class Container(containers.DeclarativeContainer):
    {0} = providers.{1}({2})
    carts = providers.{3}(Carts, {0}={0})
"""


def test_a_provider_of_one_object_that_caught_the_user() -> None:
    (found,) = finds(RULE, CONTAINER.format("current_user", "Factory", "User.of", "Singleton"), "error", on="carts")
    assert [place.note for place in found.related] == ["made for each request"]


@pytest.mark.parametrize(
    "parts",
    [
        ("current_user", "Factory", "User.of", "Factory"),
        ("prices", "Factory", "Prices", "Singleton"),
        ("user_repository", "Factory", "Users", "Singleton"),
        ("system_user", "Singleton", "User", "Singleton"),
        ("tenant", "Configuration", "'tenant'", "Singleton"),
    ],
)
def test_providers_that_catch_nobody(parts: tuple[str, ...]) -> None:
    quiet(RULE, CONTAINER.format(*parts))


def test_what_was_loaded_for_the_caller() -> None:
    source = "async def load(request):\n    {0} = await load_profile(claims['user_id'])\n"
    finds(RULE, source.replace("{0}", "request.app.state.profile"), "error")
    quiet(RULE, source.replace("{0}", "request.state.profile"))
    quiet(RULE, source.replace("{0}", "request.app.state.plans"))
    quiet(RULE, source.replace("{0}", "app.state.profile"))


@pytest.mark.parametrize(
    ("given", "is_found"), [("return Caller(get_jwt()['uid'])", True), ("return Clock(now())", False)]
)
def test_a_provider_whose_function_asks_who_it_is(given: str, *, is_found: bool) -> None:
    files = {
        "context.py": f"from flask_jwt_extended import get_jwt\ndef current():\n    {given}\n",
        "container.py": "from dependency_injector import containers, providers\nfrom context import current\n"
        "class Container(containers.DeclarativeContainer):\n    caller = providers.Factory(current)\n"
        "    ledger = providers.Singleton(Ledger, caller=caller)\n",
    }
    if is_found:
        finds(RULE, files, "error", on="providers.Singleton")
    else:
        quiet(RULE, files)


KEEPING = """
class Container:
    def __init__(self):
        self.made = {}
    def resolve(self, kind, **context):
        if kind not in self.made:
            self.made[kind] = FACTORIES[kind](**context)
        return self.made[kind]
    def build(self, kind, **context):
        return FACTORIES[kind](**context)
container = Container()
"""


@pytest.mark.parametrize(
    ("call", "is_found"),
    [
        ("container.resolve(Ledger, principal=principal)", True),
        ("container.resolve('ledger', principal=principal)", True),
        ("container.resolve((Ledger, principal.id), principal=principal)", False),
        ("container.resolve(Ledger, size=10)", False),
        ("container.build(Ledger, principal=principal)", False),
    ],
)
def test_a_container_that_keeps_what_it_made_for_the_first_caller(call: str, *, is_found: bool) -> None:
    app = (
        "from fastapi import Depends, FastAPI\nfrom container import container\napp = FastAPI()\n"
        f"def ledger(principal=Depends(current_principal)):\n    return {call}\n"
        "@app.get('/ledger')\nasync def show(service=Depends(ledger)):\n    return await service.entries()\n"
    )
    if is_found:
        finds(RULE, {"container.py": KEEPING, "app.py": app}, "error", on=call)
    else:
        quiet(RULE, {"container.py": KEEPING, "app.py": app})


@pytest.mark.parametrize(
    ("made", "is_found"), [("Service(Repo(tenant.schema))", True), ("Service(Repo('public'))", False)]
)
def test_a_dependency_that_keeps_what_it_made_for_the_first(made: str, *, is_found: bool) -> None:
    source = (
        "from fastapi import Depends, FastAPI\nfrom auth import current_tenant\napp = FastAPI()\n_one = None\n"
        "def service(tenant=Depends(current_tenant)):\n    global _one\n    if _one is None:\n"
        f"        _one = {made}\n    return _one\n"
        "@app.get('/x')\ndef invoices(service=Depends(service)):\n    return service.all()\n"
    )
    if is_found:
        finds(RULE, source, "error", on="_one = Service")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("made", "is_found"),
    [
        ("await db.fetchrow('…', request.session.get('contract'))", True),
        ("Clinic(**await clinic_of(request.headers['x-key']))", True),
        ("await branch_of(request.token)", True),
        ("await db.fetchrow('…', request.headers['host'])", False),
        ("await load_prices(request.app.config.DSN)", False),
    ],
)
@pytest.mark.parametrize("place", ["request.app.state.found", "request.app.ctx.found", "request.app['found']"])
def test_what_was_fetched_for_who_sent_the_request(place: str, made: str, *, is_found: bool) -> None:
    source = f"async def choose(request):\n    row = {made}\n    {place} = row\n"
    (finds if is_found else quiet)(RULE, source)


@pytest.mark.parametrize(
    ("registered", "is_found"),
    [
        ("container.register(Charts, scope='singleton')", True),
        ("container.register(Base, Charts, scope=Scope.singleton)", True),
        ("services.add_singleton(Charts)", True),
        ("provider.provide(Charts, scope=Scope.APP)", True),
        ("container.register(Charts, scope='request')", False),
        ("container.register(Charts)", False),
        ("container.register(Prices, scope='singleton')", False),
    ],
)
def test_one_object_for_all_that_is_made_with_a_person(registered: str, *, is_found: bool) -> None:
    files = {
        "charts.py": "class Patient: ...\nclass Base: ...\n"
        "class Charts(Base):\n    def __init__(self, db, patient: Patient):\n        self.patient = patient\n"
        "class Prices:\n    def __init__(self, db, user: str):\n        self.user = user\n",
        "app.py": f"from charts import Base, Charts, Prices\n{registered}\n",
    }
    if is_found:
        finds(RULE, files, "error", on="Charts")
    else:
        quiet(RULE, files)


@pytest.mark.parametrize(("made", "is_found"), [("lambda: g.customer", True), ("lambda: Settings()", False)])
def test_a_provider_of_one_object_that_takes_something_of_the_request(made: str, *, is_found: bool) -> None:
    source = (
        "from dependency_injector import containers, providers\nfrom flask import g\n"
        "class Container(containers.DeclarativeContainer):\n"
        f"    customer = providers.Callable({made})\n    wishes = providers.Singleton(Wishes, customer=customer)\n"
    )
    (finds if is_found else quiet)(RULE, source)


@pytest.mark.parametrize(
    ("kept", "is_found"),
    [
        ("context.bot_data['address'] = ' '.join(context.args)", True),
        ("context.user_data['address'] = ' '.join(context.args)", False),
        ("context.bot_data['started'] = True", False),
    ],
)
def test_what_a_bot_keeps_for_all(kept: str, *, is_found: bool) -> None:
    source = (
        f"from telegram.ext import Application, CommandHandler\nasync def address(update, context):\n    {kept}\n"
        "app = Application.builder().build()\napp.add_handler(CommandHandler('address', address))\n"
    )
    if is_found:
        finds(RULE, source, "error", on="bot_data")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("kept", "asked", "is_found"),
    [
        ("use_cache=True", "request.user.mail", True),
        ("use_cache=False", "request.user.mail", False),
        ("use_cache=True", "settings.mail", False),
    ],
)
def test_a_dependency_that_litestar_keeps(kept: str, asked: str, *, is_found: bool) -> None:
    source = (
        "from litestar import Litestar, Request\nfrom litestar.di import Provide\nfrom acme import Mailer, settings\n"
        f"async def mailer(request: Request) -> Mailer:\n    return Mailer(sender={asked})\n"
        f"app = Litestar(route_handlers=[], dependencies={{'mailer': Provide(mailer, {kept})}})\n"
    )
    if is_found:
        finds(RULE, source, "error", on="Provide(mailer")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("asked", "is_found"),
    [("Ledger(keeper_of(request), 1)", True), ("Ledger(request.app.name)", False), ("LEDGER", False)],
)
def test_what_litestar_keeps_is_made_with_the_first_request(asked: str, *, is_found: bool) -> None:
    source = (
        "from litestar import Litestar, Request\nfrom litestar.di import Provide\n"
        "from acme import Ledger, LEDGER, keeper_of\n"
        f"def ledger(request: Request):\n    found = {asked}\n    return found\n"
        "app = Litestar([], dependencies={'ledger': Provide(ledger, use_cache=True)})\n"
    )
    (finds if is_found else quiet)(RULE, source)
