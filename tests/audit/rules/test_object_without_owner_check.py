"""Objects that are fetched by an id from the request, with and without a look at their owner."""

from __future__ import annotations

import pytest

from carrel.audit.rules.object_without_owner_check import ObjectWithoutOwnerCheck
from tests.audit.checking import findings, finds, quiet

RULE = ObjectWithoutOwnerCheck()
HEAD = """
from fastapi import APIRouter, Depends, HTTPException
from auth import get_current_user, require_admin
router = APIRouter()
"""
MODELS = "class Invoice(Base):\n    id = 1\n    user_id = 2\nclass Country(Base):\n    id = 1\n    name = 2\n"


def route(body: str, *, parameters: str = "invoice_id: int, user=Depends(get_current_user)") -> dict[str, str]:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    text = (
        f"{HEAD}from models import Invoice, Country\n@router.get('/x/{{invoice_id}}')\nasync def read({parameters}):\n"
    )
    return {"models.py": MODELS, "app.py": text + lines}


@pytest.mark.parametrize(
    "body",
    [
        "return db.query(Invoice).filter(Invoice.id == invoice_id).first()",
        "found = (await db.execute(select(Invoice).where(Invoice.id == invoice_id))).scalar()\nreturn found",
        "return await session.get(Invoice, invoice_id)",
        "key = int(invoice_id)\nreturn session.get(Invoice, key)",
        "log.info('%s reads %s', user.id, invoice_id)\nreturn session.get(Invoice, invoice_id)",
        "found = session.get(Invoice, invoice_id)\nreturn page({'invoice': found, 'user': user})",
    ],
)
def test_an_owned_object_is_fetched_by_its_id_alone(body: str) -> None:
    (found,) = finds(RULE, route(f"from db import db, session\n{body}"), "error")
    assert "`invoice_id`" in found.message


def test_the_owner_is_checked_elsewhere_in_the_file() -> None:
    finds(
        RULE,
        HEAD
        + """
from store import notes
@router.get("/notes/{note_id}")
async def read(note_id: str, user=Depends(get_current_user)):
    note = notes.find(note_id)
    if note.owner_id != user.id:
        raise HTTPException(404)
    return note
@router.delete("/notes/{note_id}")
async def remove(note_id: str, user=Depends(get_current_user)):
    return notes.delete(note_id)
""",
        "error",
        on="notes.delete",
    )


def test_a_container_whose_values_name_their_owner() -> None:
    finds(
        RULE,
        """
from flask import Flask, g, request
app = Flask(__name__)
FILES = {}
@app.post("/files/<name>")
def put(name):
    FILES[name] = {"owner": g.user, "text": request.data}
@app.get("/files/<name>")
def get(name):
    return FILES[name]["text"]
""",
        "error",
        on="FILES[name]",
    )


def test_a_personal_thing_is_a_warning_and_another_thing_information() -> None:
    finds(RULE, HEAD + "from store import chats\n@router.get('/c/{chat_id}')\nasync def read(chat_id: str, "
          "user=Depends(get_current_user)):\n    return await chats.get_by_id(chat_id)\n", "warning")  # fmt: skip
    finds(RULE, HEAD + "from store import models\n@router.get('/m/{model_id}')\nasync def read(model_id: str, "
          "user=Depends(get_current_user)):\n    return await models.get_by_id(model_id)\n", "info")  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        "return db.query(Invoice).filter(Invoice.id == invoice_id, Invoice.user_id == user.id).first()",
        "return session.scalar(select(Invoice).where(Invoice.id == invoice_id).where(Invoice.user_id == user.id))",
        "return session.scalar(select(Invoice).filter_by(id=invoice_id, user_id=user.id))",
        "found = session.get(Invoice, invoice_id)\nif found.user_id != user.id: raise HTTPException(404)\nreturn found",
        "found = session.get(Invoice, invoice_id)\ncheck_access(found, user)\nreturn found",
        "found = session.get(Invoice, invoice_id)\nshow(user, found)\nreturn found",
        "return invoices.find(invoice_id, user.id)",
        "found = session.get(Invoice, invoice_id)\nnotify([found.owner], {'about': found, 'by': user})\nreturn {}",
        "return await invoices.get_accessible(invoice_id, user)",
        (
            "found = session.get(Invoice, invoice_id)\nchange = Invoice.model_validate({'id': invoice_id})\n"
            "return await update_invoice(data=change, user=user)"
        ),
        "local = {}\nreturn local.get(invoice_id)",
        "if not user.is_admin: raise HTTPException(403)\nreturn session.get(Invoice, invoice_id)",
        "require_permission(user, 'invoices')\nreturn session.get(Invoice, invoice_id)",
        "return invoice_id",
    ],
)
def test_what_asks_whose_it_is(body: str) -> None:
    quiet(RULE, route(f"from db import db, session, invoices\n{body}"))


@pytest.mark.parametrize(
    "parameters",
    [
        "invoice_id: int, user=Depends(require_admin)",
        "invoice_id: int, _=Depends(require_role)",
        "invoice_id: int",
        "invoice_id: int, _: bool = Depends(get_provider_auth)",
        "invoice_id: int, _: None = Depends(get_provider_auth)",
        "invoice_id: int, _=Depends(get_scim_auth)",
    ],
)
def test_where_only_some_get_in_or_nobody_is_known(parameters: str) -> None:
    quiet(RULE, route("from db import session\nreturn session.get(Country, invoice_id)", parameters=parameters))


def test_a_function_that_no_request_reaches_directly() -> None:
    quiet(RULE, "def read(thread_id, user):\n    return threads.get(thread_id)\n")


def test_a_user_is_another_rules() -> None:
    quiet(RULE, HEAD + "from store import rows\n@router.get('/u/{user_id}')\nasync def read(user_id: str, "
          "user=Depends(get_current_user)):\n    return await rows.get_by_id(user_id)\n")  # fmt: skip


VIEW = "from flask import Flask\nfrom flask_login import login_required\n"
VIEW += "from models import Invoice\napp = Flask(__name__)\n"
VIEW += "@app.get('/i/<int:invoice_id>')\n@login_required\ndef read(invoice_id):\n    return FETCH\n"


def test_a_view_that_asks_for_a_sign_in() -> None:
    invoice = VIEW.replace("FETCH", "Invoice.query.get_or_404(invoice_id)")
    finds(RULE, {"models.py": MODELS, "app.py": invoice}, "error")
    country = VIEW.replace("import Invoice", "import Country")
    finds(RULE, {"app.py": country.replace("FETCH", "Country.query.get_or_404(invoice_id)")}, "info")
    own = "Invoice.query.filter_by(id=invoice_id, user_id=current_user.id).one()"
    quiet(RULE, {"models.py": MODELS, "app.py": VIEW.replace("FETCH", own)})


def test_a_statement_by_the_id_alone() -> None:
    sql = "from db import db\nreturn db.fetch_one('SELECT * FROM notes WHERE id = :id{more}', {{'id': invoice_id}})"
    finds(RULE, route(sql.format(more="")), "warning")
    quiet(RULE, route(sql.format(more=" AND user_id = :me")))


TWO = """
from db import session
from models import Country, Invoice
@router.get("/i/{{invoice_id}}")
async def remove(invoice_id: int, user=Depends(get_current_user)):
    invoice = session.get({0}, invoice_id)
    if invoice.order().user != user:
        raise HTTPException(404)
@router.get("/c/{{country_id}}")
async def show(country_id: int, user=Depends(get_current_user)):
    return {1}
"""


@pytest.mark.parametrize("fetched", ["session.get(Country, country_id)", "Country.objects.get(pk=country_id)"])
def test_an_owner_of_another_class_says_nothing(fetched: str) -> None:
    models = {"models.py": MODELS.replace("user_id", "order")}
    finds(RULE, {**models, "app.py": HEAD + TWO.format("Country", fetched)}, "error")
    finds(RULE, {**models, "app.py": HEAD + TWO.format("Invoice", fetched)}, "info")


@pytest.mark.parametrize(
    ("classes", "fetch", "is_found"),
    [
        ("[IsAuthenticated]", "get_object_or_404(Note, pk=pk)", True),
        ("[permissions.IsAuthenticated]", "get_object_or_404(Note, pk=pk)", True),
        ("[IsAuthenticated]", "get_object_or_404(self.get_queryset(), pk=pk)", False),
        ("[IsAuthenticated, IsOwner]", "get_object_or_404(Note, pk=pk)", False),
        ("[IsAuthenticated]", "get_object_or_404(Note, pk=pk, owner=request.user)", False),
    ],
)
def test_an_action_of_a_view_that_asks_for_a_sign_in(classes: str, fetch: str, *, is_found: bool) -> None:
    source = f"""
        from rest_framework import permissions, viewsets
        from rest_framework.decorators import action
        from rest_framework.permissions import IsAuthenticated
        from django.shortcuts import get_object_or_404
        class Note(Model):
            owner = ForeignKey("User")
        class Notes(viewsets.ModelViewSet):
            permission_classes = {classes}
            @action(detail=True)
            def export(self, request, pk=None):
                note = {fetch}
                return note.text
        """
    if is_found:
        finds(RULE, source, "error", on="get_object_or_404(")
    else:
        quiet(RULE, source)


def test_a_repository_of_another_file_that_leaves_the_owner_out() -> None:
    routes = """
        from aiohttp import web
        from repository import Documents
        routes = web.RouteTableDef()
        @routes.get("/documents/{id}")
        async def show(request):
            {0}await require_user(request)
            found = await Documents(request.app["pool"]).by_id(int(request.match_info["id"]))
            {1}
            return web.json_response(dict(found))
        """
    repository = """
        class Documents:
            async def by_id(self, document_id):
                return await self.pool.fetchrow("select id, owner_id from documents where id = $1{0}", document_id)
        """
    plain = {"app.py": routes.replace("{0}", "").replace("{1}", ""), "repository.py": repository.replace("{0}", "")}
    finds(RULE, plain, "error", on="by_id")
    owned = routes.replace("{0}", "user = ").replace("{1}", "if found['owner_id'] != user.id: raise KeyError")
    quiet(RULE, {**plain, "app.py": owned})


def test_a_model_whose_rows_are_selected_by_their_owner() -> None:
    source = """
        from flask_login import current_user, login_required
        from models import Other, Report
        @app.get("/reports/<int:report_id>")
        @login_required
        def report(report_id):
            return Report.query.get_or_404(report_id).text
        @app.get("/reports")
        @login_required
        def reports():
            return {0}.query.filter_by(user_id=current_user.id)
        """
    finds(RULE, source.replace("{0}", "Report"), "error", on="get_or_404")
    finds(RULE, source.replace("{0}", "Other"), "info")


LINKED = {
    "django": "from django.db import models\nclass Scan(models.Model):\n    {0}\n",
    "sqlalchemy": "from sqlalchemy import ForeignKey\nclass Scan(Base):\n    {0}\n",
}


@pytest.mark.parametrize(
    ("home", "field", "severity"),
    [
        ("django", "patient = models.ForeignKey('auth.User', on_delete=models.CASCADE)", "error"),
        ("django", "patient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)", "error"),
        ("django", "checked_by = models.ForeignKey('auth.User', on_delete=models.CASCADE)", "info"),
        ("django", "patient = models.ForeignKey('auth.User', on_delete=models.SET_NULL)", "info"),
        ("django", "shelf = models.ForeignKey('Shelf', on_delete=models.CASCADE)", "info"),
        ("sqlalchemy", "patient_id = mapped_column(ForeignKey('users.id'))", "error"),
        ("sqlalchemy", "shelf_id = mapped_column(ForeignKey('shelves.id'))", "info"),
    ],
)
def test_what_links_an_object_to_a_user(home: str, field: str, severity: str) -> None:
    view = (
        "from django.contrib.auth.decorators import login_required\nfrom django.shortcuts import get_object_or_404\n"
        "from django.views.decorators.http import require_GET\nfrom models import Scan\n"
        "@login_required\n@require_GET\ndef show(request, pk):\n    return get_object_or_404(Scan, pk=pk)\n"
    )
    finds(RULE, {"models.py": LINKED[home].replace("{0}", field), "app.py": view}, severity, on="get_object")


@pytest.mark.parametrize(
    ("fetched", "severity"),
    [
        ("return await self.session.get(Booking, booking_id)", "error"),
        ("return await self.session.get(Flight, booking_id)", "info"),
        ("return (await self.session.execute(select(Booking).where(Booking.id == booking_id))).scalar()", "error"),
    ],
)
def test_a_repository_that_fetches_by_an_id_alone(fetched: str, severity: str) -> None:
    files = {
        "models.py": "class Booking(Base):\n    traveller_id = mapped_column()\nclass Flight(Base):\n    gate = ''\n",
        "repo.py": "from models import Booking, Flight\nclass Repo:\n    def __init__(self, session):\n"
        f"        self.session = session\n    async def by_id(self, booking_id):\n        {fetched}\n",
        "app.py": "from fastapi import Depends, FastAPI\nfrom repo import Repo\napp = FastAPI()\n"
        "@app.get('/bookings/{booking_id}')\n"
        "async def show(booking_id: int, db=Depends(get_db), me: Traveller = Depends(current_traveller)):\n"
        "    return await Repo(db).by_id(booking_id)\n",
    }
    finds(RULE, files, severity, on="by_id")


@pytest.mark.parametrize(
    ("stored", "severity"),
    [
        ("f'slip:{slip_id}', json.dumps({'employee': employee.id})", "error"),
        ("f'slip:{slip_id}', json.dumps({'pages': 3})", "info"),
        ("employee.id, employee.email", "info"),
        ("f'other:{slip_id}', json.dumps({'employee': employee.id})", "info"),
    ],
)
def test_what_is_stored_with_who_stored_it(stored: str, severity: str) -> None:
    source = (
        "import json\nfrom fastapi import Depends, FastAPI\nfrom db import redis\napp = FastAPI()\n"
        "@app.post('/slips/{slip_id}')\nasync def put(slip_id: str, employee=Depends(current_employee)):\n"
        f"    await redis.set({stored})\n"
        "@app.get('/slips/{slip_id}')\nasync def show(slip_id: str, employee=Depends(current_employee)):\n"
        "    return json.loads(await redis.get(f'slip:{slip_id}'))\n"
    )
    finds(RULE, source, severity, on="redis.get")


def test_a_session_in_which_objects_of_all_kinds_are() -> None:
    source = (
        "from flask_login import current_user, login_required\nfrom shop import app, db, basket\n"
        "@app.post('/notes')\n@login_required\ndef add():\n    {0}.add(make(owner=current_user.id))\n"
        "@app.get('/things/<thing_id>')\n@login_required\ndef show(thing_id):\n    return {0}.get(thing_id)\n"
    )
    finds(RULE, source.replace("{0}", "db.session"), "info", on=".get(")
    finds(RULE, source.replace("{0}", "basket"), "error", on=".get(")


ALIAS = (
    HEAD
    + """
from typing import Annotated
from store import get_store
User = Annotated[Person, Depends(get_current_user)]
@router.post("/threads")
async def begin(thread: Thread, user: User):
    store = get_store()
    store.create_thread(thread.text, user)
@router.put("/threads")
async def rename(payload: Rename, current_user: User):
    store = get_store()
    thread_id = payload.threadId
    CHECK
    await store.update_thread(thread_id, name=payload.name)
"""
)


def test_a_part_of_the_caller_is_handed_over_with_the_id() -> None:
    quiet(RULE, ALIAS.replace("CHECK", "await is_author(current_user.identifier, thread_id)"))


def test_the_id_is_named_and_not_what_is_set() -> None:
    (found,) = findings(RULE, ALIAS.replace("CHECK", "pass"))
    assert "`threadId`" in found.message


@pytest.mark.parametrize(
    ("body", "is_found"),
    [
        ("return JSONResponse({'progress': found.percent(), 'status': found.status})", False),
        ("found.cancel()\nreturn {'progress': 0, 'status': found.status}", True),
        ("return {'status': found.status, 'total': found.total}", True),
        ("return {'status': found}", True),
    ],
)
def test_what_only_tells_how_far_something_is(body: str, *, is_found: bool) -> None:
    code = route(f"from db import session\nfound = session.get(Invoice, invoice_id)\n{body}")
    assert bool(findings(RULE, code)) is is_found


FILES = """
from fastapi import APIRouter, Depends
from shop.auth import current_user
router = APIRouter()
@router.get("/files/{file_id}")
async def download(file_id: str, user=Depends(get_current_user)):
    found = FILES.get(file_id)
    if found.owner != user.id:
        raise E
    return found
def get_file(file_id):
    return FILES.get(file_id)
def get_own(file_id):
    found = get_file(file_id)
    return found if may_see(found) else None
def may_see(found):
    return found.owner_id == current_user.id
def is_own(file_id, user_id):
    found = get_file(file_id)
    return found.owner_id == user_id
class Shelf:
    def __init__(self, token):
        self.token = token
    def get_file(self, file_id):
        return FILES.get(file_id)
def shelf_of_caller():
    return Shelf(current_user.token)
def shelf_of_all():
    return Shelf(TOKEN)
"""


@pytest.mark.parametrize(
    ("called", "is_found"),
    [
        ("files.download(file_id=invoice_id)", False),
        ("files.get_own(invoice_id)", False),
        ("files.get_file(invoice_id)", True),
        ("files.shelf_of_caller().get_file(invoice_id)", False),
        ("files.shelf_of_all().get_file(invoice_id)", True),
    ],
)
def test_another_handler_or_a_service_asks_by_itself(called: str, *, is_found: bool) -> None:
    head = f"import files\n{HEAD}@router.get('/n/{{invoice_id}}')\n"
    read = f"async def read(invoice_id: int, user=Depends(get_current_user)):\n    return {called}\n"
    found = findings(RULE, {"files.py": FILES, "app.py": head + read})
    assert any(one.severity in ("error", "warning") for one in found) is is_found


OWN = """
from fastapi import APIRouter
router = APIRouter()
@controller(router)
class Plans(UserController):
    @router.post("/plans")
    def create(self, plan: Plan):
        return STORE.create(plan.text, self.user.id)
    @router.get("/plans/{plan_id}")
    def read(self, plan_id: int):
        return STORE.get_one(plan_id)
"""


def test_what_hangs_on_the_handlers_own_object_may_be_the_callers() -> None:
    quiet(RULE, OWN.replace("STORE", "self.plans"))
    finds(RULE, "from db import plans\n" + OWN.replace("STORE", "plans"), "error")


@pytest.mark.parametrize(
    ("columns", "where", "is_found"),
    [
        ("id, note, customer_id", "id = ?", True),
        ("id, note", "id = ?", False),
        ("id, customer_id", "id = ? AND user_id = 1", False),
    ],
)
def test_a_helper_that_fetches_or_aborts(columns: str, where: str, *, is_found: bool) -> None:
    source = (
        "from flask import Flask, abort, g\nfrom flask_login import login_required\napp = Flask(__name__)\n"
        "def connection():\n    if 'connection' not in g:\n        g.connection = connect()\n    return g.connection\n"
        "def booking_or_404(booking_id):\n"
        f"    row = connection().execute('SELECT {columns} FROM bookings WHERE {where}', (booking_id,)).fetchone()\n"
        "    if row is None:\n        abort(404)\n    return row\n"
        "@app.get('/bookings/<int:booking_id>')\n@login_required\ndef detail(booking_id):\n"
        "    return dict(booking_or_404(booking_id))\n"
    )
    if is_found:
        finds(RULE, source, "error", on="booking_or_404(booking_id))")
    else:
        assert all(one.severity == "info" for one in findings(RULE, source))


@pytest.mark.parametrize(("base", "is_found"), [("LoginRequiredMixin, View", True), ("View", False)])
def test_a_view_whose_base_asks_for_a_sign_in(base: str, *, is_found: bool) -> None:
    source = (
        "from django.contrib.auth.mixins import LoginRequiredMixin\nfrom django.shortcuts import get_object_or_404\n"
        "from django.views import View\nfrom shop.models import Invoice\n"
        f"class Base({base}):\n    def get_queryset(self):\n"
        "        return Invoice.objects.filter(account=self.request.user.account)\n"
        "class Detail(Base):\n    def get(self, request, pk):\n"
        "        return answer(get_object_or_404(Invoice, pk=pk))\n"
    )
    if is_found:
        finds(RULE, source, "error", on="get_object_or_404(Invoice")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("used", "is_found"),
    [("cancel(invoice)", False), ("invoice.send()", False), ("show(invoice)", True), ("invoice.draw()", True)],
)
def test_what_is_called_with_the_object_refuses_others(used: str, *, is_found: bool) -> None:
    body = f"from db import db\nfrom logic import cancel, show\ninvoice = db.get(Invoice, invoice_id)\nreturn {used}"
    source = route(body)
    source["logic.py"] = (
        "from errors import Forbidden\ndef cancel(one):\n    _cancel(one)\ndef _cancel(one):\n"
        "    if one.user_id != me():\n        raise Forbidden('no')\ndef show(one):\n    return str(one)\n"
    )
    source["models.py"] = (
        "from errors import ForbiddenError\nclass Invoice(Base):\n    id = 1\n    user_id = 2\n"
        "    def draw(self):\n        return {}\n    def send(self):\n        if me() != self.user_id:\n"
        "            raise ForbiddenError({}, 'no')\nclass Country(Base):\n    id = 1\n"
    )
    source["errors.py"] = "class Forbidden(Exception): ...\nclass ForbiddenError(Exception): ...\n"
    if is_found:
        finds(RULE, source, "error")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("name", "is_found"), [("group_id", True), ("group_name", False), ("file_name", True)])
def test_what_all_know_by_its_name_is_nobodys(name: str, *, is_found: bool) -> None:
    source = route(
        f"return Invoice.query.filter_by(id={name}).first()", parameters=f"{name}: str, user=Depends(get_current_user)"
    )
    if is_found:
        finds(RULE, source, "error")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("where", "asked", "other", "is_found"),
    [
        ("id = ?", "(number,)", "patient_id = ?", True),
        ("id = ? AND patient_id = ?", "(number, session['patient_id'])", "patient_id = ?", False),
        ("id = ?", "(number,)", "drug = ?", False),
        ("id = ?", "(session['last'],)", "patient_id = ?", False),
    ],
)
@pytest.mark.parametrize(("shown", "is_shown"), [("", False), ("SELECT id, drug FROM prescriptions", True)])
def test_a_row_of_a_table_with_rows_of_persons(
    where: str, asked: str, other: str, shown: str, *, is_found: bool, is_shown: bool
) -> None:
    source = (
        "from functools import wraps\nfrom flask import Flask, abort, session\nfrom acme import db\n"
        "app = Flask(__name__)\ndef patient_required(view):\n    @wraps(view)\n    def wrapper(*args, **kwargs):\n"
        "        if 'patient_id' not in session:\n            abort(401)\n        return view(*args, **kwargs)\n"
        "    return wrapper\n@app.get('/all')\n@patient_required\ndef mine():\n"
        f"    return db().execute('SELECT id FROM prescriptions WHERE {other}', (session['patient_id'],)).fetchall()\n"
        "@app.get('/one/<int:number>')\n@patient_required\ndef one(number):\n"
        f"    return db().execute('SELECT drug FROM prescriptions WHERE {where}', {asked}).fetchone()\n"
        f"@app.get('/drugs')\ndef drugs():\n    return db().execute({shown!r}).fetchall()\n"
    )
    if is_found and not is_shown:
        finds(RULE, source, "error", on="SELECT drug")
    else:
        assert not [one for one in findings(RULE, source) if one.severity != "info"]


@pytest.mark.parametrize(
    ("refuses", "is_found"),
    [("raise Forbidden", False), ("abort(403)", False), ("raise NotSignedIn", True), ("count(user)", True)],
)
def test_a_decorator_that_refuses_others(refuses: str, *, is_found: bool) -> None:
    guards = (
        "def editing(view):\n    @wraps(view)\n    def wrapper(invoice_id, user):\n"
        f"        if user.kind != 'editor':\n            {refuses}\n        return view(invoice_id, user)\n"
        "    return wrapper\n"
    )
    files = route("from db import session\nreturn session.get(Invoice, invoice_id)")
    files["guards.py"] = f"from functools import wraps\n{guards}"
    files["app.py"] = f"from guards import editing\n{files['app.py']}".replace("async def", "@editing\nasync def")
    if is_found:
        finds(RULE, files, "error")
    else:
        quiet(RULE, files)


@pytest.mark.parametrize(
    ("given", "is_found"), [("invoice_id: int", False), ("invoice=Depends(found)", False), ("user=Depends(me)", True)]
)
def test_a_dependency_that_is_handed_the_id_and_refuses(given: str, *, is_found: bool) -> None:
    guards = (
        f"class Reader:\n    def __init__(self, strict=False): ...\n    async def __call__(self, {given}):\n"
        "        raise HTTPException(403)\n"
    )
    files = route(
        "from db import session\nreturn session.get(Invoice, invoice_id)",
        parameters="invoice_id: int, seen=Depends(Reader()), user=Depends(get_current_user)",
    )
    found = "from fastapi import Depends, HTTPException\ndef me(): ...\ndef found(invoice_id: int): ...\n"
    files["guards.py"] = found + guards
    files["app.py"] = f"from guards import Reader\n{files['app.py']}"
    if is_found:
        finds(RULE, files, "error")
    else:
        quiet(RULE, files)


@pytest.mark.parametrize(("kept", "is_found"), [("enqueue", True), ("of", False)])
def test_who_does_something_with_a_store_does_not_own_what_is_in_it(kept: str, *, is_found: bool) -> None:
    source = (
        f"{HEAD}from app2 import captures\n@router.get('/m')\ndef mine(user=Depends(get_current_user)):\n"
        f"    return captures.{kept}('x', user=user)\n"
        "@router.get('/c/{number_id}')\ndef one(number_id: str, user=Depends(get_current_user)):\n"
        "    return captures.find(number_id)\n"
    )
    severe = [one for one in findings(RULE, source) if one.severity != "info"]
    assert bool(severe) is not is_found


@pytest.mark.parametrize(
    ("other", "severity"),
    [("modified_user", "warning"), ("last_user", "warning"), ("user", "error"), ("patient", "error")],
)
def test_who_changed_a_row_last_is_not_its_owner(other: str, severity: str) -> None:
    files = route("from db import session\nreturn session.get(Invoice, invoice_id)")
    link = f"    {other} = ForeignKey('auth.User', on_delete=CASCADE)\n"
    files["models.py"] = f"from django.db.models import CASCADE, ForeignKey\nclass Invoice(Base):\n    id = 1\n{link}"
    finds(RULE, files, severity)


@pytest.mark.parametrize(
    ("route", "parameters", "is_found"),
    [("/lessons/<lesson_id>/live", "lesson_id", True), ("/shared/<lesson_id>", "lesson_id", False)],
)
def test_what_is_somebodys_is_given_to_whoever_names_it(route: str, parameters: str, *, is_found: bool) -> None:
    source = f"""
from quart import Quart, request, session
from lessons import store
app = Quart(__name__)
@app.post("/lessons")
async def start():
    return await store.create(session["pupil"], "algebra")
@app.websocket("{route}")
async def live({parameters}):
    lesson = await store.open({parameters})
    return lesson.transcript
"""
    if is_found:
        finds(RULE, source, "error", on="store.open")
        quiet(RULE, source.replace("lesson.transcript", "lesson if lesson.pupil == session['pupil'] else None"))
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("name", "is_found"), [("redirect_uri", False), ("page", True)])
def test_an_application_that_asks_for_consent_is_nobodys(name: str, *, is_found: bool) -> None:
    fetch = f"from db import session\nback = request.query_params['{name}']\nreturn session.get(Invoice, client_id)"
    source = route(fetch, parameters="request: Request, client_id: int, user=Depends(get_current_user)")
    if is_found:
        finds(RULE, source, "error")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("test", "severity"),
    [
        ("current_user.is_anonymous:\n        count()", "info"),
        ("not current_user.is_authenticated:\n        abort(401)", "error"),
    ],
)
def test_what_those_get_too_who_have_not_signed_in(test: str, severity: str) -> None:
    source = (
        "from flask import Flask, abort\nfrom flask_login import current_user\nfrom models import Invoice\n"
        "app = Flask(__name__)\n@app.get('/invoices/<invoice_id>')\ndef read(invoice_id):\n"
        f"    if {test}\n    return Invoice.query.get(invoice_id)\n"
    )
    finds(RULE, {"app.py": source, "models.py": MODELS}, severity)


@pytest.mark.parametrize(
    ("narrowed", "is_found"),
    [
        ("desk__team=request.team", False),
        ("desk__team=request.query_params['team']", True),
        ("desk__open=True", True),
    ],
)
def test_a_fetch_among_what_the_callers_team_has(narrowed: str, *, is_found: bool) -> None:
    source = route(
        f"return Invoice.objects.filter(id=invoice_id, {narrowed}).first()",
        parameters="request: Request, invoice_id: int, user=Depends(get_current_user)",
    )
    if is_found:
        finds(RULE, source, "error")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("own", "is_found"),
    [("Report.objects.of(user)", False), ("Report.objects", True), ("Report.objects.of('x')", True)],
)
def test_what_is_found_only_narrows_down_what_is_the_callers(own: str, *, is_found: bool) -> None:
    source = route(
        "from db import Report\nsheet = Invoice.query.get(invoice_id)\nsheets = [sheet.number]\n"
        f"return {own}.filter(sheet__in=sheets)"
    )
    if is_found:
        finds(RULE, source, "error")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("made", "is_found"), [("Api(token=authorization)", False), ("Api(retries=3)", True), ("Api(user)", False)]
)
def test_a_fetch_from_what_was_made_for_the_caller(made: str, *, is_found: bool) -> None:
    source = route(
        f"from api import Api\napi = {made}\nreturn await api.get_invoice(Invoice, invoice_id)",
        parameters="invoice_id: int, authorization: str = Header(), user=Depends(get_current_user)",
    )
    if is_found:
        finds(RULE, source, "error")
    else:
        quiet(RULE, source)


def test_the_role_of_the_caller_is_asked_for_first() -> None:
    asked = "from db import session, api\nif api.get_user_role(invoice_id) > 2:\n    return None\n"
    quiet(RULE, route(f"{asked}return session.get(Invoice, invoice_id)"))


@pytest.mark.parametrize(
    ("body", "is_found"),
    [
        ("desk = Desk.of(user)\nreturn Invoice.objects.filter(id=invoice_id, desk=desk).first()", False),
        ("desk = Desk.of(1)\nreturn Invoice.objects.filter(id=invoice_id, desk=desk).first()", True),
        ("desk = Desk.of(user)\nreturn desk.invoices.get_one(Invoice, invoice_id)", False),
        ("return desks.get_visible_one(Invoice, invoice_id)", False),
        ("return desks.get_one(Invoice, invoice_id)", True),
    ],
)
def test_a_fetch_within_what_is_the_callers(body: str, *, is_found: bool) -> None:
    source = route(f"from db import Desk, desks\n{body}")
    if is_found:
        finds(RULE, source, "error")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("listing", "level"),
    [
        ("return await Invoice.list_all(session)", "info"),
        ("return await Invoice.list_all(session, user.id)", "error"),
        ("return session.scalars(select(Country)).all()", "error"),
    ],
)
def test_objects_that_everybody_sees_in_a_list(listing: str, level: str) -> None:
    source = route("from db import session\nreturn session.get(Invoice, invoice_id)")
    source["app.py"] += (
        f"@router.get('/invoices')\nasync def list_invoices(session, user=Depends(get_current_user)):\n    {listing}\n"
    )
    finds(RULE, source, level)


MEMBER = (
    "team_id = request.path_params.get('team_id', '')\nuser_id = user.id\n"
    "member = await get_team_member(db, team_id, user_id)\n"
)


@pytest.mark.parametrize(
    ("body", "is_found"),
    [
        (
            "found = session.get(Invoice, invoice_id)\nawait _authenticate_agent(found, name, token)\nreturn found",
            False,
        ),
        ("found = session.get(Invoice, invoice_id)\nawait authenticate(name, token)\nreturn found", True),
        (
            f"{MEMBER}return db.scalar(select(Invoice).where(Invoice.id == invoice_id, Invoice.team_id == team_id))",
            False,
        ),
        (f"{MEMBER}return db.scalar(select(Invoice).where(Invoice.id == invoice_id))", True),
    ],
)
def test_who_asks_is_proven_for_what_was_fetched_or_for_its_team(body: str, *, is_found: bool) -> None:
    parameters = "request, invoice_id: int, name: str, token: str, user=Depends(get_current_user)"
    source = route(f"from db import db, session\n{body}", parameters=parameters)
    assert bool(findings(RULE, source)) is is_found


def test_a_key_that_is_the_same_for_all_callers_tells_of_no_user() -> None:
    body = "from db import session\nreturn session.get(Invoice, invoice_id)"
    keyed = "invoice_id: int, {}: str = Depends(verify_apikey)"
    quiet(RULE, route(body, parameters=keyed.format("_")))
    finds(RULE, route(body, parameters=keyed.format("customer")), "error")


@pytest.mark.parametrize(
    ("over", "name", "who", "level"),
    [
        ("", "read", "request.user", "error"),
        ("", "get_public_invoice", "request.user", "info"),
        ("@public_endpoint\n", "read", "request.user", "info"),
        ("@validate_anonymous_user\n", "read", "request.user", "info"),
        ("@require_POST\n", "read", "request.user", "error"),
        ("", "read", "request.user if not request.user.is_anonymous else get_anonymous_user()", "info"),
    ],
)
def test_what_anybody_may_call_who_has_not_signed_in(over: str, name: str, who: str, level: str) -> None:
    source = (
        "from flask import Flask, request\nfrom models import Invoice\napp = Flask('x')\n"
        f"@app.post('/i/<invoice_id>')\n{over}def {name}(invoice_id):\n"
        f"    user = {who}\n    log.info('read', user=user)\n    return Invoice.query.get_or_404(invoice_id)\n"
    )
    finds(RULE, {"models.py": MODELS, "app.py": source}, level)


def test_what_a_decorator_hands_to_a_view_is_not_the_clients() -> None:
    source = (
        "from django.contrib.auth.decorators import login_required\nfrom models import Invoice\n"
        "@login_required\n@token_required\ndef read(request, token, invoice_id):\n"
        "    return Invoice.objects.get(pk={})\n"
    )
    quiet(RULE, {"models.py": MODELS, "app.py": source.format("token.invoice_id")})
    finds(RULE, {"models.py": MODELS, "app.py": source.format("invoice_id")}, "error")


@pytest.mark.parametrize(("name", "is_found"), [("logout", False), ("sign_out", False), ("forget", True)])
def test_who_signs_out_ends_the_session_that_they_name(name: str, *, is_found: bool) -> None:
    source = (
        HEAD + "from store import sessions\n@router.post('/login')\ndef login(user=Depends(get_current_user)):\n"
        "    return sessions.create_session(user.name)\n"
        f"@router.post('/out')\ndef {name}(session_id: str, user=Depends(get_current_user)):\n"
        "    sessions.delete_session(session_id)\n"
    )
    assert bool(findings(RULE, source)) is is_found
