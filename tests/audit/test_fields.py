"""Tests of carrel.audit.fields."""

from __future__ import annotations

from tests.audit.checking import program

FILES = {
    "app/__init__.py": "",
    "app/desk.py": """
        class Base:
            def __init__(self):
                self.notes, self.names = [], []
            def notes_of_all(self):
                return self.notes
        class Desk(Base):
            def add(self, note):
                self.notes.append(note)
        desk = Desk()
        """,
    "app/web.py": """
        from app.desk import Desk, desk
        @app.get("/notes")
        def notes():
            return desk.notes_of_all()
        @app.get("/names")
        def names(given: Desk):
            given.names.append("me")
            return render(desk.names)
        """,
}


def test_changes_are_known_by_class_and_attribute() -> None:
    fields = program(FILES).fields
    assert [place.line for place in fields.changed("app.desk.Base", "notes") or ()] == [9]
    assert [place.path for place in fields.changed("app.desk.Desk", "names") or ()] == ["app/web.py"]
    assert fields.changed("app.desk.Desk", "other") is None


def test_reads_are_those_that_a_request_leads_to() -> None:
    fields = program(FILES).fields
    assert [place.line for place in fields.read_by_request("app.desk.Desk", "notes", "", directly=False) or ()] == [6]
    assert fields.read_by_request("app.desk.Desk", "notes", "", directly=True) is None
    assert fields.read_by_request("app.desk.Desk", "names", "", directly=True) is not None
    assert fields.read_by_request("app.desk.Desk", "names", "app.web.names", directly=True) is None


def test_what_a_function_gives_may_be_changed_by_who_calls_it() -> None:
    everything = program("def make(base=[]):\n    return base\ndef use():\n    rows = make()\n    rows.append(1)\n")
    assert [place.line for place in everything.fields.result_changed("app.make") or ()] == [5]
    assert everything.fields.result_changed("app.use") is None


STORE = {
    "store.py": """
        LINES = []
        class Desk:
            names = []
        """,
    "web.py": """
        from fastapi import Depends, FastAPI
        from store import LINES, Desk
        app = FastAPI()
        @app.get("/lines")
        def lines():
            return {"lines": LINES}
        @app.get("/names")
        def names(user=Depends(get_current_admin)):
            return Desk.names
        """,
}


def test_what_a_module_or_a_class_holds_is_read_by_those_who_are_no_administrators() -> None:
    fields = program(STORE).fields
    assert [place.line for place in fields.read_by_request("store", "LINES", "", directly=False) or ()] == [7]
    assert fields.read_by_request("store.Desk", "names", "", directly=False) is None
    permitted = {path: text.replace("def names(user=Depends(get_current_admin))", "def admin_names()")
                 for path, text in STORE.items()}  # fmt: skip
    assert program(permitted).fields.read_by_request("store.Desk", "names", "", directly=False) is None
    anybodys = {path: text.replace("get_current_admin", "get_user") for path, text in STORE.items()}
    assert program(anybodys).fields.read_by_request("store.Desk", "names", "", directly=False) is not None


def test_where_nothing_starts_a_request_every_function_may_serve_one() -> None:
    library = {path: text.replace("@app", "# @app") for path, text in STORE.items()}
    assert program(library).fields.read_by_request("store", "LINES", "", directly=False) is not None
    unread = {path: text.replace('{"lines": LINES}', "len(LINES)") for path, text in STORE.items()}
    assert program(unread).fields.read_by_request("store", "LINES", "", directly=False) is None
