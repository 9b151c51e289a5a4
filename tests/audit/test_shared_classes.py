"""Tests of carrel.audit.shared_classes."""

from __future__ import annotations

import pytest

from tests.audit.checking import program


@pytest.mark.parametrize(
    ("made", "shared"),
    [
        ("desk = Desk()\ndef ask(): desk.x()", True),
        ("@cache\ndef desk(): return Desk()", True),
        ("@cache\ndef desk(user_id): return Desk()", False),
        ("def desk(): return Desk()", False),
        ("def ask(desk=Desk()): ...\n@app.get('/')\ndef home(): ask()", True),
        ("def ask(desk=Desk()): ...\n@app.get('/')\ndef home(): ask(Desk())", False),
    ],
)
def test_a_class_of_which_there_is_one_object_for_all(made: str, *, shared: bool) -> None:
    head = "from functools import cache\nfrom fastapi import FastAPI\napp = FastAPI()\n"
    everything = program(f"{head}class Pen: ...\nclass Desk:\n    def __init__(self): self.pen = Pen()\n{made}\n")
    assert ("app.Desk" in everything.shared_classes) is shared
    assert ("app.Pen" in everything.shared_classes) is shared


@pytest.mark.parametrize(("kind", "shared"), [("cached_property", True), ("property", False)])
def test_what_a_shared_object_makes_when_it_is_asked_for_it_and_keeps(kind: str, *, shared: bool) -> None:
    everything = program(f"""
        from functools import cached_property
        class Desk: ...
        class Box:
            @{kind}
            def desk(self): return Desk()
        box = Box()
        def ask(): return box.desk
        """)
    assert ("app.Desk" in everything.shared_classes) is shared


@pytest.mark.parametrize(("base", "shared"), [("django.views.View", False), ("app.base.Base", True)])
def test_of_a_view_there_is_one_for_each_request(base: str, *, shared: bool) -> None:
    home, _, name = base.rpartition(".")
    source = f"from {home} import {name}\nclass Page({name}):\n    def export(self): ...\nROUTES = [Page().export]\n"
    assert ("app.Page" in program(source).shared_classes) is shared
