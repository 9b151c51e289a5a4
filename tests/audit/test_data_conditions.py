"""What functions give, make keys of and store, in whatever file they stand."""

from __future__ import annotations

import pytest

from carrel.audit.conditions import Condition
from carrel.audit.data_conditions import (
    DecidesItself,
    FetchesOwned,
    Gives,
    KeepsOwners,
    KeepsUnder,
    MadeBy,
    MakesKeyOf,
    OpenToAll,
    OwnerAsked,
    SentParameter,
)
from tests.audit.checking import program


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (Gives("app.who.subject()", "stand-in"), False),
        (Gives("app.who.subject", "stand-in"), True),
        (Gives("app.who.subject", "claimed"), False),
        (MakesKeyOf("user_id"), True),
        (MakesKeyOf("tenant_id"), False),
        (OpenToAll("app.who.load"), True),
        (OpenToAll("app.who.own"), False),
    ],
)
def test_what_functions_of_other_files_give_and_who_gets_to_them(condition: Condition, *, holds: bool) -> None:
    source = {
        "app/__init__.py": "",
        "app/who.py": """
            def subject(claims): return claims.get("sub", "default")
            def load(user_id): return redis.get(f"notes:{user_id}")
            def own(user_id): return user_id
            """,
        "app/views.py": """
            from django.http import HttpResponse
            from django.contrib.auth.decorators import login_required
            from .who import load, own
            def show(request): return HttpResponse(load(1))
            @login_required
            def mine(request): return HttpResponse(own(1))
            """,
    }
    assert (condition.proof(program(source)) is not None) is holds


def test_what_keeps_something_under_a_user() -> None:
    source = {
        "store.py": "class Store:\n    def load(self, traveller):\n        return self.kept.setdefault(traveller, [])\n"
        "    def show(self, traveller):\n        return traveller\nstore = Store()\n",
        "app.py": "from store import store\n",
    }
    for place, is_key in (("0", True), ("traveller", True), ("1", False)):
        assert (KeepsUnder("app.store.load", place).proof(program(source)) is not None) is is_key
    assert KeepsUnder("app.store.show", "0").proof(program(source)) is None
    # Of an object that nobody shares, nobody else reads what is kept.
    source["store.py"] = source["store.py"].replace("store = Store()", "def make(): return Store()")
    assert KeepsUnder("store.Store.load", "0").proof(program(source)) is None


def test_what_makes_a_global() -> None:
    source = {"server.py": "import socketio\nsio = socketio.AsyncServer()\n", "app.py": "from server import sio\n"}
    makers = ("socketio.AsyncServer",)
    assert MadeBy("app.sio", makers).proof(program(source)) is not None
    assert MadeBy("app.sio", ("redis.Redis",)).proof(program(source)) is None
    assert MadeBy("app.other", makers).proof(program(source)) is None


def test_a_store_of_documents_with_their_owner() -> None:
    put = "from store import store\ndef add(user_id):\n    store.add_texts(metadatas=[{'user_id': user_id}])\n"
    everything = program({"store.py": "store = Chroma()\n", "ingest.py": put})
    assert KeepsOwners("store.store").proof(everything) is not None
    assert KeepsOwners("ingest.store").proof(everything) is not None
    assert KeepsOwners("store.other").proof(everything) is None


def test_whose_the_objects_are_that_a_function_fetches() -> None:
    seen = program(
        {
            "models.py": "class Booking:\n    traveller_id = 1\nclass Flight:\n    gate = 1\n",
            "repo.py": "from models import Booking, Flight\ndef booking(db, booking_id):\n"
            "    return db.get(Booking, booking_id)\n"
            "def flight(db, flight_id):\n    return db.get(Flight, flight_id)\n",
        }
    )
    for path, holds in (("repo.booking", True), ("models.Booking", True), ("repo.flight", False), ("models.No", False)):
        assert (FetchesOwned(path, ("traveller_id",)).proof(seen) is not None) is holds


def test_the_kinds_of_objects_whose_owner_somebody_asks_for() -> None:
    seen = program(
        {
            "models.py": "class Booking: ...\nclass Flight: ...\n",
            "repo.py": "from models import Booking, Flight\ndef booking(db, booking_id):\n"
            "    return db.get(Booking, booking_id)\n"
            "def flight(db, flight_id):\n    return db.get(Flight, flight_id)\n",
            "check.py": "import repo\ndef is_own(db, booking_id, user_id):\n"
            "    found = repo.booking(db, booking_id)\n    return found.owner_id == user_id\n",
        }
    )
    for kind, holds in (("repo.booking", True), ("models.Booking", True), ("repo.flight", False), ("models.No", False)):
        assert (OwnerAsked((kind,)).proof(seen) is not None) is holds


def test_what_decides_by_itself_who_gets_what() -> None:
    seen = program(
        """
        from fastapi import FastAPI
        from shop.auth import current_user
        app = FastAPI()
        def own(key): return key if is_own(key) else None
        def is_own(key): return key == current_user.id
        def any_of(key): return key
        @app.post("/x")
        def x(number: str): return any_of(number)
        """
    )
    for function, holds in (("own", True), ("x", True), ("any_of", False)):
        assert (DecidesItself(f"app.{function}").proof(seen) is not None) is holds


def test_a_parameter_that_the_client_chose() -> None:
    seen = program(
        """
        from fastapi import FastAPI
        app = FastAPI()
        def keep(tag, size):
            inner(tag)
        def inner(key): ...
        @app.post("/x")
        def x(number: str):
            keep(number, 1)
        """
    )
    for function, parameter, holds in (("keep", "tag", True), ("inner", "key", True), ("keep", "size", False)):
        assert (SentParameter(f"app.{function}", parameter).proof(seen) is not None) is holds
