"""Which functions ask whose objects are, and which say it."""

from __future__ import annotations

import pytest

from tests.audit.checking import program


@pytest.mark.parametrize(("kind", "line"), [("models.Note", 3), ("models.Ticket", None)])
def test_what_is_asked_for_by_its_owner(kind: str, line: int | None) -> None:
    models = "class Note: ...\nclass Ticket: ...\n"
    mine = "from models import Note\n\ndef mine(user_id):\n    return Note.query.filter_by(owner_id=user_id)\n"
    proof = program({"models.py": models, "app.py": mine}).ownership.asked((kind,))
    assert (proof and proof[0].line) == line


@pytest.mark.parametrize(("store", "line"), [("app.store", 3), ("app.other", None)])
def test_what_is_stored_with_its_owner(store: str, line: int | None) -> None:
    keep = "def keep(user_id):\n    store.add_texts(metadatas=[{'user_id': user_id}])\n"
    proof = program(f"store = Chroma()\nother = Chroma()\n{keep}").ownership.kept(store)
    assert (proof and proof[0].line) == line
