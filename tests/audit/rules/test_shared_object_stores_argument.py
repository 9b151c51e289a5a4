"""Stores on objects that requests share, and on objects that they do not."""

from __future__ import annotations

import pytest

from carrel.audit.rules.shared_object_stores_argument import SharedObjectStoresArgument
from carrel.findings import Severity
from tests.audit.checking import findings, finds, quiet

RULE = SharedObjectStoresArgument()
SERVICE = """
class Desk:
    def __init__(self, tickets):
        self.tickets = tickets
    async def answer(self, user, question):
        self.user = user
        return await ask(question)
"""
ROUTE = """
from fastapi import Depends, FastAPI
from desk.deps import get_desk
from desk.service import Desk
app = FastAPI()
@app.post("/ask")
async def ask(text: str, user=Depends(current_user), desk: Desk = Depends(get_desk)):
    return await desk.answer(user, text)
"""


def in_package(**modules: str) -> dict[str, str]:
    return {"desk/__init__.py": "", **{f"desk/{name}.py": text for name, text in modules.items()}}


def test_a_cached_service() -> None:
    deps = (
        "from functools import lru_cache\nfrom .service import Desk\n@lru_cache\ndef get_desk():\n    return Desk({})"
    )
    (found,) = finds(RULE, in_package(service=SERVICE, deps=deps, api=ROUTE), "error", on="self.user = user")
    assert found.reachable_from == ("POST /ask desk.api.ask", "desk.service.Desk.answer")
    assert [(place.path, place.line) for place in found.related] == [("desk/deps.py", 4), ("desk/api.py", 8)]


SHARED = (
    """
    from .service import Desk
    desk = Desk({})
    def get_desk():
        return desk
    """,
    """
    from . import service
    _desk = None
    def get_desk():
        global _desk
        if _desk is None:
            _desk = service.Desk({})
        return _desk
    """,
    """
    from .service import Desk
    class Parts:
        desk = Desk({})
    def get_desk():
        return Parts.desk
    """,
    """
    from .service import Desk
    def start(app):
        app.state.desk = Desk({})
    def get_desk(request):
        return request.app.state.desk
    """,
    """
    from .service import Desk as D
    class Parts:
        def __init__(self):
            self.desk = D({})
    parts = Parts()
    def get_desk():
        return parts.desk
    """,
    """
    from .service import Desk
    class OneDesk(Desk):
        _one = None
        def __new__(cls, *args):
            if cls._one is None:
                cls._one = super().__new__(cls)
            return cls._one
    def get_desk():
        return OneDesk()
    """,
)


@pytest.mark.parametrize("deps", SHARED)
def test_every_way_to_share_one(deps: str) -> None:
    finds(RULE, in_package(service=SERVICE, deps=deps, api=ROUTE), "error", on="self.user = user")


def test_a_store_of_nobodys_data_is_only_mentioned() -> None:
    finds(RULE, "class C:\n    def set(self, level):\n        self.level = level\nc = C()\n", "info")


def test_data_that_a_caller_two_files_away_passes() -> None:
    finds(
        RULE,
        {
            "chain.py": "class Chain:\n    def load(self, text):\n        self.contract = text\n",
            "app.py": """
                import chainlit as cl
                from chain import Chain
                chain = Chain()
                @cl.on_chat_start
                async def start():
                    chain.load(cl.user_session.get("contract"))
                """,
        },
        "error",
    )


OWN = (
    """
    from .service import Desk
    def get_desk():
        return Desk({})
    """,
    """
    from .service import Desk
    async def get_desk():
        desk = Desk({})
        yield desk
    """,
    """
    from functools import lru_cache
    from .service import Desk
    @lru_cache
    def get_desk(user_id):
        return Desk({})
    """,
)


@pytest.mark.parametrize("deps", OWN)
def test_one_for_each_request_is_quiet(deps: str) -> None:
    quiet(RULE, in_package(service=SERVICE, deps=deps, api=ROUTE))


def test_an_object_for_each_thread_is_quiet() -> None:
    quiet(
        RULE,
        "import threading\nclass Active(threading.local):\n    tenant = None\n    def use(self, tenant):\n"
        "        self.tenant = tenant\nactive = Active()\ndef use(tenant):\n    active.tenant = tenant\n",
    )


def test_a_part_of_the_initializer_is_quiet() -> None:
    code = (
        "class C:\n    def __init__(self, user):\n        self._keep(user)\n    def _keep(self, user):\n"
        "        self.user = user\n"
    )
    quiet(RULE, code + "c = C(None)\n")
    finds(RULE, code + "    def again(self, user):\n        self._keep(user)\nc = C(None)\n", "warning")


def test_what_goes_on_from_the_old_value_is_quiet() -> None:
    for store in ("self.users = {*self.users, user}", "self.n += user.n", "self.job = create_task(work(user))"):
        quiet(RULE, f"class C:\n    def f(self, user):\n        {store}\nc = C()\n")


def test_an_attribute_of_an_object_that_a_getter_gives() -> None:
    getter = "from functools import cache\nclass A:\n    pass\n@cache\ndef get_a():\n    return A()\n"
    called = "def begin(user):\n    use(user)\n"
    finds(RULE, getter + "def use(user):\n    get_a().user = user\n" + called, "warning", on="get_a().user")
    quiet(RULE, getter.replace("@cache\n", "") + "def use(user):\n    get_a().user = user\n")


def test_one_object_that_the_framework_or_new_makes() -> None:
    finds(
        RULE,
        "from celery import Task\nclass T(Task):\n    def set(self, user):\n        self.user = user\n"
        "    def begin(self, user):\n        self.set(user)\n",
        "warning",
    )
    made = (
        "class E:\n    _one = None\n    def __new__(cls, *a):\n        if cls._one is None:\n"
        "            cls._one = super().__new__(cls)\n        return cls._one\n"
        "    def __init__(self, user):\n        self.user = user\ndef begin(user):\n    E(user)\n"
    )
    finds(RULE, made, "warning", on="self.user = user")


def test_what_the_initializer_stores_is_quiet() -> None:
    quiet(RULE, "class C:\n    def __init__(self, user):\n        self.user = user\nc = C(None)\n")


ROUTES = (
    "from fastapi import FastAPI\napp = FastAPI()\nclass C:\n    pass\nc = C()\n@app.post('/')\ndef use(text: str):\n"
)


@pytest.mark.parametrize(
    "value", ["text", "text.title", "text[0]", "await text", "text or 1", "text if text else 1", "verify(text)"]
)
def test_what_is_kept_as_it_came_is_an_error(value: str) -> None:
    finds(RULE, ROUTES.replace("def use", "async def use") + f"    c.last = {value}\n", "error")


def test_what_was_worked_out_is_only_mentioned_but_for_its_name() -> None:
    finds(RULE, ROUTES + "    c.size = work_out(text)\n", "info")
    finds(RULE, ROUTES + "    c.user_token = work_out(text)\n", "error")


def test_a_store_in_an_initializer_of_something_else_is_quiet() -> None:
    quiet(RULE, "class A:\n    pass\na = A()\nclass B:\n    def __init__(self, user):\n        a.user = user\n")
    quiet(RULE, "class A:\n    def f(self, user):\n        self.part.user = user\na = A()\n")


def test_who_is_said_to_be_a_user_but_is_never_given_by_a_request() -> None:
    service = "class Desk:\n    def use(self, user):\n        self.user = user\ndesk = Desk()\n"
    route = "from fastapi import FastAPI\nfrom .service import desk\napp = FastAPI()\n"
    served = route + "@app.get('/')\ndef index():\n    desk.use('nobody')\n"
    finds(RULE, in_package(service=service), "info")
    finds(RULE, in_package(service=f"{service}def begin(user):\n    desk.use(user)\n"), "warning")
    finds(RULE, in_package(service=service, api=served), "info")
    finds(
        RULE, in_package(service=service, api=served.replace("index()", "index(q)").replace("'nobody'", "q")), "error"
    )


def test_the_objects_that_store_are_new_though_there_is_a_shared_one() -> None:
    source = """
        class Desk:
            def use(self, request):
                self.user = request.user
            @classmethod
            def serve(cls, request):
                cls().use(request)
        desk = Desk()
    """
    finds(RULE, source, "info")
    finds(RULE, source.replace("cls().use", "desk.use"), "error")


def test_under_the_objects_own_lock() -> None:
    source = """
        from fastapi import Request
        class Desk:
            def use(self, request: Request):
                with self._lock:
                    self.user = request.state.user
        desk = Desk()
    """
    finds(RULE, source, "info")
    finds(RULE, source.replace("_lock", "_span"), "error")


def test_a_property_puts_it_where_its_setter_says() -> None:
    text = (
        "from contextvars import ContextVar\n"
        "class Manager:\n    def __init__(self):\n        self.seen = ContextVar('seen')\n"
        "    {0}def current(self, user):\n        self.seen.set(user)\nmanager = Manager()\n"
        "def serve(user):\n    manager.{1} = user\ndef begin(user):\n    serve(user)\n"
    )
    finds(RULE, text.format("", "latest"), "warning")
    quiet(RULE, text.format("@property\n    def current(self): ...\n    @current.setter\n    ", "current"))


def test_a_setting_of_the_process_is_only_mentioned() -> None:
    text = (
        "class Tracer: ...\ntracer = Tracer()\n@app.post('/trace')\ndef change(value: int):\n    tracer.{0} = value\n"
    )
    finds(RULE, text.format("trace_level"), "info")
    finds(RULE, text.format("question"), "error")


def test_the_class_that_a_descriptor_is_asked_for() -> None:
    text = "class Key:\n    def {0}(self, it, owner):\n        self.id = name_of(owner)\nkey = Key()\n"
    quiet(RULE, text.format("__get__"))
    finds(RULE, text.format("get") + "def begin(owner):\n    key.get(1, owner)\n", "warning")


ASSISTANT = """
    import jwt
    class Assistant:
        async def load(self, employee):
            row = await self.pool.fetchrow("select * from employees where id = $1", employee)
            self.record = dict(row)
        async def answer(self, question):
            return await ask(question, self.record)
    assistant = Assistant()
    @app.post("/ask")
    async def ask_it(request):
        claims = jwt.decode(request.headers["authorization"], KEY)
        await assistant.load(claims["sub"])
        return await assistant.answer("how many days off?")
    """


def test_what_was_fetched_for_one_user_and_is_read_by_another_method() -> None:
    finds(RULE, ASSISTANT, "error", on="self.record =")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('claims["sub"]', 'request.query["color"]'),
        ("self.record)", "question)"),
        ("employee)\n", "employee.name)\n"),
        ("await assistant.load", "await Assistant().load"),
    ],
)
def test_what_was_fetched_for_nobody_or_is_not_read(old: str, new: str) -> None:
    finds(RULE, ASSISTANT.replace(old, new), "info")


@pytest.mark.parametrize(("name", "severity"), [("settings", "info"), ("app_config", "info"), ("desk", "error")])
def test_what_is_set_for_all_on_purpose(name: str, severity: Severity) -> None:
    code = f"""
        from fastapi import FastAPI, Request
        app = FastAPI()
        class Held:
            owner: str
        {name} = Held()
        @app.post("/owner")
        async def change(request: Request):
            {name}.owner = request.headers["x-user"]
        """
    finds(RULE, code, severity)


@pytest.mark.parametrize(
    ("name", "read", "severity"),
    [
        ("request", "", "info"),
        ("request", "log(self.request.path)", "error"),
        ("request", "log(getattr(self, 'request'))", "error"),
    ],
)
def test_what_a_middleware_keeps_and_never_reads(name: str, read: str, severity: Severity) -> None:
    code = f"""
class Tracking:
    def __init__(self, get_response):
        self.get_response = get_response
    def __call__(self, request):
        self.{name} = request
        {read}
        return self.get_response(request)
"""
    finds(RULE, code, severity)


@pytest.mark.parametrize(("name", "severity"), [("_user", "info"), ("user", "error")])
def test_what_only_the_class_may_read_and_does_not(name: str, severity: Severity) -> None:
    code = f"""
        class Desk:
            def take(self, user):
                self.{name} = user
        desk = Desk()
        @app.post("/take")
        def take(request):
            desk.take(request.user)
        """
    finds(RULE, code, severity)


def test_fields_of_a_form_on_an_object_of_a_module() -> None:
    files = {
        "state.py": "class Draft:\n    name = ''\nDRAFT = Draft()\n"
        "def fill(form):\n    DRAFT.name = form.get('name')\ndef show():\n    return DRAFT.name\n",
        "web.py": "from fastapi import FastAPI, Request\nimport state\napp = FastAPI()\n"
        "@app.post('/step')\nasync def step(request: Request):\n    state.fill(await request.form())\n",
    }
    finds(RULE, files, "error", on="DRAFT.name = form")
    files["web.py"] = files["web.py"].replace("await request.form()", "defaults")
    assert all(one.severity == "info" for one in findings(RULE, files))


@pytest.mark.parametrize(
    "made",
    [
        "from asgiref.local import Local\nactive = Local()",
        "from werkzeug.local import Local\nactive = Local()",
        "import threading\nactive = threading.local()",
        (
            "try:\n    from asgiref.local import Local\nexcept ImportError:\n"
            "    from threading import local as Local\nactive = Local()"
        ),
        "from asgiref.local import Local\nclass Active(Local):\n    pass\nactive = Active()",
    ],
)
def test_an_object_that_is_another_one_in_each_context(made: str) -> None:
    store = "\n@app.get('/go')\ndef go(request):\n    active.user = request.user\n    return active.user\n"
    finds(RULE, "class Active: pass\nactive = Active()" + store, "error")
    quiet(RULE, made + store)


MERGED = """
        class Texts:
            def __init__(self):
                self._kept = {{}}
            def get(self, text):
                return self._kept[text]
            def _merged(self, found):
                return {{**{old}, **found}}
            def score(self, user):
                {merge}
                return self._kept
        texts = Texts()
        @app.post("/score")
        def score(request):
            return texts.score(request.user)
        """


@pytest.mark.parametrize(
    "merge",
    [
        "self._kept = self._merged(user)",
        "merged = {**self._kept, user.id: user}\n                self._kept = merged",
        "merged = dict([*self._kept.items(), user])\n                self._kept = merged",
    ],
)
def test_what_goes_on_with_the_old_entries_replaces_nothing(merge: str) -> None:
    quiet(RULE, MERGED.format(old="self._kept", merge=merge))
    finds(RULE, MERGED.format(old="self.other", merge=merge.replace("self._kept,", "").replace(
        "*self._kept.items(), ", "").replace("**", "")), "error")  # fmt: skip


@pytest.mark.parametrize(("name", "severity"), [("Desk", "error"), ("TestDesk", "info"), ("Testament", "error")])
def test_what_stands_for_an_object_in_a_test(name: str, severity: Severity) -> None:
    code = f"""
        class {name}:
            def take(self, user):
                self.user = user
        desk = {name}()
        @app.post("/take")
        def take(request):
            desk.take(request.user)
        """
    finds(RULE, code, severity)


def test_the_parameter_in_the_message_is_not_the_address() -> None:
    code = """
        class Provider:
            async def token(self, code, url):
                answer = await send(code, url)
                self.refresh_token = answer["refresh"]
        provider = Provider()
        @app.get("/back")
        async def back(request):
            await provider.token(request.query_params["code"], request.url)
        """
    assert "`code`" in finds(RULE, code)[0].message


@pytest.mark.parametrize(
    ("check", "severity"),
    [
        ("if kept is None or kept.number != number:\n            return None", "info"),
        ("if getattr(self, '_cached').number != number:\n            return None", "info"),
        ("if kept is None:\n            return None", "error"),
    ],
)
def test_a_cache_of_one_entry_that_is_checked(check: str, severity: Severity) -> None:
    source = (
        "from fastapi import FastAPI\napp = FastAPI()\nclass Desk:\n"
        "    def keep(self, session):\n        self._cached = session\n"
        f"    def get(self, number):\n        kept = self._cached\n        {check}\n        return kept\n"
        "desk = Desk()\n@app.post('/')\nasync def page(session: dict):\n    desk.keep(session)\n"
    )
    finds(RULE, source, severity, on="self._cached = session")


@pytest.mark.parametrize(("value", "severity"), [('claims["shop"]', "error"), ("rows(claims)", "info")])
def test_a_part_of_what_a_token_proves(value: str, severity: Severity) -> None:
    source = """
        import jwt
        from fastapi import FastAPI
        app = FastAPI()
        class Desk:
            def sign_in(self, token):
                claims = jwt.decode(token, KEY, algorithms=["HS256"])
                self._of = {0}
            def of(self):
                return self._of
        desk = Desk()
        @app.get("/")
        async def home(request):
            desk.sign_in(request.headers["authorization"])
            return desk.of()
        """.replace("{0}", value)
    finds(RULE, source, severity)


OF_ONE = """
{0}
class Desk({1}):
    def close(self, user_id):
        self.closed_by = user_id
EMPTY = Desk()
@app.post("/close")
def close(number, user=Depends(current_user)):
    Desk.find(number).close(user.id)
    return EMPTY.closed_by
"""


@pytest.mark.parametrize(
    ("imports", "base", "is_found"),
    [
        ("", "object", True),
        ("from sqlalchemy.orm import DeclarativeBase", "DeclarativeBase", False),
        ("from sqlalchemy.orm import declarative_base\nBase = declarative_base()", "Base", False),
        ("from flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()", "db.Model", False),
        ("from django.db import models", "models.Model", False),
        ("from keras import Model", "Model", True),
    ],
)
def test_a_stand_in_where_there_is_one_for_each_row(imports: str, base: str, *, is_found: bool) -> None:
    assert bool(findings(RULE, OF_ONE.format(imports, base))) is is_found


FORM = """
from app.forms import {0}
class Choice:
    def fill(self, data):
        self.data = data
class Profile({0}):
    city = Choice()
@app.post("/city")
def city(text: str):
    profile = Profile()
    profile.city.fill(text)
"""


def test_the_fields_of_a_form_are_bound_for_each_request() -> None:
    finds(RULE, FORM.format("Page"), "error", on="self.data = data")
    quiet(RULE, FORM.format("FlaskForm"))


@pytest.mark.parametrize(
    ("attribute", "parameter", "severity"),
    [("_settings", "settings", "info"), ("_settings", "user_settings", "error"), ("_profile", "settings", "error")],
)
def test_settings_that_are_kept_as_such(attribute: str, parameter: str, severity: Severity) -> None:
    text = f"class Desk:\n    def use(self, {parameter}):\n        self.{attribute} = {parameter}\n"
    text += f"    def show(self):\n        return self.{attribute}\ndesk = Desk()\n"
    text += "@app.put('/use')\ndef use(text: str):\n    desk.use(text)\n    return desk.show()\n"
    finds(RULE, text, severity)


@pytest.mark.parametrize(("other", "severity"), [("raise ValueError", "info"), ("pass", "error")])
def test_what_the_first_brings_where_others_are_turned_away(other: str, severity: Severity) -> None:
    text = (
        "class Desk:\n    def use(self, profile):\n        if self.shape is None:\n            self.shape = profile\n"
    )
    text += f"        elif self.shape != profile:\n            {other}\ndesk = Desk()\n"
    finds(RULE, text + "@app.put('/use')\ndef use(profile: str):\n    desk.use(profile)\n", severity)


@pytest.mark.parametrize(
    ("methods", "use", "severity"),
    [
        ("", "", "info"),
        ("    def get_user(self): return self.user\n", "", "info"),
        ("    def get_user(self): return self.user\n", "desk.get_user()", "error"),
        ("    def get_user(self): return self.user\n", "any_desk().get_user()", "error"),
    ],
)
def test_what_is_read_again_in_an_application(methods: str, use: str, severity: str) -> None:
    code = (
        "from fastapi import Depends, FastAPI\napp = FastAPI()\nclass Desk:\n    def take(self, user):\n"
        f"        self.user = user\n{methods}desk = Desk()\n"
        f"@app.post('/ask')\ndef ask(user=Depends(current_user)):\n    desk.take(user)\n    {use or 'pass'}\n"
    )
    many = "".join(f"@app.get('/{number}')\ndef route{number}(): ...\n" for number in range(20))
    finds(RULE, code + many, severity)
    finds(RULE, code, "error")
