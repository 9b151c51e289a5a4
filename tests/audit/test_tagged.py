"""Stores of documents that are kept with their owner."""

from __future__ import annotations

import pytest

from carrel.audit.tagged import names_scope, tagged_stores
from tests.audit.checking import view


@pytest.mark.parametrize(
    ("put", "is_tagged"),
    [
        ("store.add_documents([Document(text, metadata={'organisation': who})])", True),
        ("store.add_texts([text], metadatas=[{'user_id': who}])", True),
        ("store.upsert(points=[{'id': 1, 'payload': {'tenant_id': who}}])", True),
        ("store.add_texts([text], metadatas=[{'title': who}])", False),
        ("store.add_texts([text], metadatas=[{'user_id': 'all'}])", False),
        ("store.add_texts([text], options={'user_id': who})", False),
        ("store.similarity_search(text, metadata={'user_id': who})", False),
        ("store.add_texts([text], metadatas=[dict(team=who)])", True),
        ("labels = {'team': who}\n    store.add_documents([Document(text, metadata=labels)])", True),
        ("labels = dict(team=who)\n    store.add(documents=[text], metadatas=[labels] * 2)", True),
        ("labels = {'team': who}\n    show(labels)\n    store.add(documents=[text])", False),
        ("labels = {'team': who}\n    labels = {}\n    store.add([text], metadatas=[labels])", False),
        ("Store().add_texts([text], metadatas=[{'user_id': who}])", True),
    ],
)
def test_what_is_put_into_a_store(put: str, *, is_tagged: bool) -> None:
    seen = view(f"store = Store()\nclass Store: ...\ndef f(text, who):\n    {put}\n")
    path = "app.Store()" if put.startswith("Store") else "app.store"
    assert tagged_stores(seen, seen.functions[0]) == ((path,) if is_tagged else ())


@pytest.mark.parametrize(
    ("statement", "tagged"),
    [
        ("INSERT INTO chunks (tenant_id, body, embedding) VALUES ($1, $2, $3)", ("table:chunks",)),
        ("insert into rag.chunks(body, clinic)\\n values (?, ?)", ("table:rag.chunks",)),
        ("INSERT INTO chunks (body, embedding) VALUES ($1, $2)", ()),
        ("SELECT body FROM chunks WHERE tenant_id = $1", ()),
    ],
)
def test_rows_that_are_put_into_a_table(statement: str, tagged: tuple[str, ...]) -> None:
    seen = view(f'PUT = "{statement}"\nasync def f(conn, who):\n    await conn.execute(PUT, who)\n')
    assert tagged_stores(seen, seen.functions[0]) == tagged
    seen = view(f'async def f(conn, who):\n    await conn.execute(text("{statement}"), who)\n')
    assert tagged_stores(seen, seen.functions[0]) == tagged


def test_what_is_made_of_itself_is_no_statement() -> None:
    seen = view("def f():\n    while True:\n        total = add(total, 1)\n        keep(total)\n")
    assert tagged_stores(seen, seen.functions[0]) == ()


def test_names() -> None:
    assert names_scope("clinic_id")
    assert not names_scope("title")
