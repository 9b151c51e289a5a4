"""Containers of a class that its objects fill, and those that each object has for itself."""

from __future__ import annotations

import pytest

from carrel.audit.rules.mutable_class_attribute import MutableClassAttribute
from carrel.findings import Severity
from tests.audit.checking import findings, finds, quiet

RULE = MutableClassAttribute()
ROUTE = """
from fastapi import FastAPI
app = FastAPI()
@app.post("/chat")
def chat(text: str, user=Depends(current_user)):
    return Bot(user).say(text)
"""


@pytest.mark.parametrize(
    "change",
    [
        "self.turns.append(text)",
        "self.turns += [text]",
        "cls = type(self)\n        cls.turns.append(text)",
        "Bot.turns.append(text)",
    ],
)
def test_a_list_of_the_class(change: str) -> None:
    bot = (
        "class Bot:\n    turns = []\n    def __init__(self, user):\n        self.user = user\n"
        f"    def say(self, text):\n        {change}\n"
    )
    finds(RULE, bot + ROUTE, "info")
    (found,) = finds(RULE, bot + "        return complete(self.turns)\n" + ROUTE, "error")
    assert [place.note for place in found.related if place.note.startswith("made")] == ["made once, with the class"]


def test_what_the_object_knows_of_its_user() -> None:
    body = "class Bot:\n    turns = []\n    {0}def say(self):\n        self.turns.append(self.user.id)\n"
    body += "        return self.turns\n"
    finds(RULE, body.format(""), "info")
    finds(RULE, body.format("@app.get('/')\n    "), "error")


def test_a_list_of_a_base_class_in_another_file() -> None:
    finds(
        RULE,
        {
            "crew/__init__.py": "",
            "crew/base.py": "class Base:\n    notes = []\n",
            "crew/bot.py": (
                "from .base import Base\nclass Bot(Base):\n    def say(self, user_id):\n"
                "        self.notes.append(user_id)\n        return self.notes\n"
                "def begin(user_id):\n    Bot().say(user_id)\n"
            ),
        },
        "warning",
        on="self.notes.append",
    )


def test_a_key_that_is_not_the_users_is_only_mentioned() -> None:
    finds(
        RULE, "class Bot:\n    notes = {}\n    def note(self, topic, user):\n        self.notes[topic] = user\n", "info"
    )


@pytest.mark.parametrize(
    "code",
    [
        (
            "class Bot:\n    def __init__(self):\n        self.turns = []\n    def say(self, user):\n"
            "        self.turns.append(user)\n"
        ),
        (
            "class Bot:\n    turns = []\n    def __init__(self):\n        self.turns = []\n"
            "    def say(self, user):\n        self.turns.append(user)\n"
        ),
        (
            "from pydantic import BaseModel\nclass Bot(BaseModel):\n    turns: list = []\n"
            "    def say(self, user):\n        self.turns.append(user)\n"
        ),
        (
            "from dataclasses import dataclass, field\n@dataclass\nclass Bot:\n"
            "    turns: list = field(default_factory=list)\n"
            "    def say(self, user):\n        self.turns.append(user)\n"
        ),
        "class Bot:\n    turns = {}\n    def say(self, user_id, text):\n        self.turns[user_id] = text\n",
        "class Bot:\n    turns = ()\n    def say(self, user):\n        self.turns += (user,)\n",
        "class Bot:\n    turns = []\n    def say(self, user):\n        return [*self.turns, user]\n",
        "class Bot:\n    turns = []\n    def forget(self):\n        self.turns.clear()\n",
        "class Bot:\n    turns: list\n    def say(self, user):\n        self.turns.append(user)\n",
    ],
)
def test_what_each_object_has_for_itself(code: str) -> None:
    quiet(RULE, code)


REGISTER = """
class Bot:
    turns = []
    def __init__(self, user):
        self.user = user
    @classmethod
    def keep(cls, text):
        cls.turns.append(text)
    @classmethod
    def drop(cls, text):
        if text in cls.turns:
            cls.turns.remove(text)
    def say(self, text):
        self.keep(text)
"""


@pytest.mark.parametrize(
    ("old", "new", "is_found"),
    [
        ("", "", False),
        ("        if text in cls.turns:\n            ", "        ", True),
        ("        self.keep(text)", "        self.keep(text)\n        return self.turns", True),
        ("        self.keep(text)", "        self.keep(text)\n        return [one for one in Bot.turns]", True),
    ],
)
def test_a_register_that_is_only_asked_what_is_in_it(old: str, new: str, *, is_found: bool) -> None:
    assert bool(findings(RULE, REGISTER.replace(old, new, 1) + ROUTE)) is is_found


def test_a_base_that_copies_its_defaults_in_another_file() -> None:
    quiet(
        RULE,
        {
            "base.py": "from pydantic import BaseModel\nclass Base(BaseModel):\n    notes: list = []\n",
            "bot.py": (
                "from base import Base\nclass Bot(Base):\n    def say(self, user_id):\n"
                "        self.notes.append(user_id)\ndef begin(user_id):\n    Bot().say(user_id)\n"
            ),
        },
    )


@pytest.mark.parametrize(
    "body",
    [
        "self.turns().append(user)",
        "self[0].append(user)",
        "self.turns[user.id].append(user)",
        "self.turns.sort()",
        "self.turns = [user]",
        "TURNS.append(user)",
    ],
)
def test_what_is_not_the_classs_own(body: str) -> None:
    quiet(RULE, f"TURNS = []\nclass Bot:\n    turns = []\n    def say(self, user):\n        {body}\n")


def test_an_attribute_is_named_once() -> None:
    finds(
        RULE,
        ("class Bot:\n    t = []\n    def a(self, user):\n        self.t.append(user)\n        self.t.append(user)\n"),
    )


@pytest.mark.parametrize(
    ("other", "severity"),
    [
        ("start.py", "error"),
        ("tests/test_start.py", "info"),
    ],
)
def test_a_class_that_only_tests_name(other: str, severity: str) -> None:
    sent = "class Capturing:\n    sent = []\n    def tell_all(self, text, user_id):\n        self.sent.append(text)\n"
    sent += "        return self.sent\n"
    route = f"{ROUTE.replace('Bot(user).say(text)', 'make().tell_all(text, user)')}"
    finds(RULE, {"sending.py": sent, "app.py": route, other: "from sending import Capturing\n"}, severity)


@pytest.mark.parametrize(("anew", "severity"), [("Bot.turns = []", "info"), ("Bot.turns.sort()", "error")])
def test_what_the_class_starts_anew_is_of_one_run(anew: str, severity: str) -> None:
    says = "    turns = []\n    def say(self, text):\n        self.turns.append(text)\n        return self.turns\n"
    finds(RULE, f"{ROUTE}class Bot:\n{says}    def reset(self):\n        {anew}\n", severity)


BASKET = {
    "basket.py": """
        class Basket:
            lines = {}
            vouchers = set()
            def __init__(self, shopper):
                self.shopper = shopper
            def put(self, sku, count):
                self.lines[sku] = self.lines.get(sku, 0) + count
            @classmethod
            def redeem(cls, code):
                cls.vouchers.add(code)
        """,
    "web.py": """
        from fastapi import FastAPI, Request
        from basket import Basket
        app = FastAPI()
        @app.post("/checkout")
        async def checkout(request: Request):
            basket = Basket(request.cookies["shopper"])
            payload = await request.json()
            basket.put(payload["sku"], payload["count"])
            basket.redeem(payload["voucher"])
            return basket.lines
        """,
}


def test_a_dictionary_and_a_set_of_a_class_whose_objects_are_made_for_one_request() -> None:
    given = BASKET["basket.py"].replace(
        "cls.vouchers.add(code)", "cls.vouchers.add(code)\n                return cls.vouchers"
    )
    finds(RULE, {**BASKET, "basket.py": given}, "error", "error", on="self.lines[sku]")
    finds(RULE, BASKET, "error", on="self.lines[sku]")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('request.cookies["shopper"]', '"shop"'),
        ("lines", "counts"),
    ],
)
def test_a_dictionary_that_is_meant_for_all(old: str, new: str) -> None:
    files = {path: text.replace(old, new) for path, text in BASKET.items()}
    finds(RULE, files, "info")


def test_a_set_that_something_registers_in() -> None:
    text = "class Plugins:\n    known = set()\n    @classmethod\n    def add(cls, one):\n        cls.known.add(one)\n"
    quiet(RULE, text)


def test_a_dictionary_of_a_dataclass_whose_objects_are_made_for_one_request() -> None:
    cart = """
        @dataclass
        class Cart:
            buyer: str
            lines: ClassVar[dict[str, int]] = {}
            def put(self, sku): self.lines[sku] = 1
        @app.post("/cart")
        def put(sku, buyer): Cart(buyer).put(sku)
        """
    finds(RULE, cart, "error", on="self.lines[sku]")
    finds(RULE, cart.replace("Cart(buyer)", "Cart('x')"), "info")


def test_a_set_of_the_tasks_that_run() -> None:
    work = BASKET["basket.py"].replace(
        "cls.vouchers.add(code)", "work = asyncio.create_task(check(code))\n                cls.vouchers.add(work)"
    )
    assert "create_task" in work
    finds(RULE, {**BASKET, "basket.py": work}, "error", on="self.lines[sku]")


def test_a_key_that_is_the_same_for_all_users() -> None:
    code = """
    from django.views.generic import ListView
    class Search(ListView):
        criteria = {"archived": False}
        searchable = {"number": "number__iexact"}
        def setup(self, request):
            for name, lookup in self.searchable.items():
                self.criteria[lookup] = request.GET.get(name)
        def get_queryset(self):
            return super().get_queryset().filter(**self.criteria)
    pages = [Search.as_view()]
    """
    finds(RULE, code, "error", on="self.criteria[lookup]")
    finds(RULE, code.replace("self.searchable.items()", "request.GET.items()"), "info")


def test_what_the_framework_itself_shows() -> None:
    base = "from django.views import View\nclass Page(View):\n    {0} = {'section': 'me'}\n"
    get = "    def get(self, request):\n        self.{0}['who'] = request.user\n        return render(self)\n"
    finds(RULE, (base + get).replace("{0}", "extra_context"), "error")
    finds(RULE, (base + get).replace("{0}", "extra_data"), "info")


ORDER = """
from base import Basket
class Order(Basket):
    rows = []
    def add(self, text):
        self.rows.append(text)
        return complete(self.rows)
"""
ABOVE = "class Basket:\n    def __init__(self, user):\n        self.{0} = []\n"


def test_what_a_class_of_another_file_gives_each_object() -> None:
    route = ROUTE.replace("Bot(user).say", "Order(user).add")
    finds(RULE, {"app.py": ORDER + route, "base.py": ABOVE.format("others")}, "error")
    quiet(RULE, {"app.py": ORDER + route, "base.py": ABOVE.format("rows")})


@pytest.mark.parametrize(("made", "is_found"), [("{}", True), ("Json(default={})", False)])
def test_what_the_class_above_only_declares(made: str, *, is_found: bool) -> None:
    above = f"from fields import Json\nclass Base:\n    data = {made}\n"
    below = "from base import Base\nclass Record(Base):\n    def keep(self, text):\n        self.data.update(text)\n"
    assert bool(findings(RULE, {"app.py": below, "base.py": above})) is is_found


SOCKETS = """
class Bot:
    open = []
    def __init__(self, user):
        self.user = user
    def say(self, text):
        self.open.append(text)
        return complete(self.open)
    def close(self, text):
        self.open.{0}(text)
"""


@pytest.mark.parametrize(("method", "severity"), [("remove", "info"), ("index", "error")])
def test_what_is_taken_out_again(method: str, severity: Severity) -> None:
    finds(RULE, SOCKETS.format(method) + ROUTE, severity, on="append")


TABS = """
class Bot:
    tabs = {0}
    def __init__(self, user):
        self.user = user
    def say(self, text):
        for tab in self.tabs:
            tab["text"] = text
        return complete(self.tabs)
"""


@pytest.mark.parametrize(("tabs", "severity"), [("[]", "info"), ("[{}, {}]", "error")])
def test_an_element_of_what_is_empty(tabs: str, severity: Severity) -> None:
    finds(RULE, TABS.format(tabs) + ROUTE, severity, on='tab["text"]')
