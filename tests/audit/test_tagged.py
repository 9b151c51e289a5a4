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
        ("Store().add_texts([text], metadatas=[{'user_id': who}])", True),
    ],
)
def test_what_is_put_into_a_store(put: str, *, is_tagged: bool) -> None:
    seen = view(f"store = Store()\nclass Store: ...\ndef f(text, who):\n    {put}\n")
    path = "app.Store()" if put.startswith("Store") else "app.store"
    assert tagged_stores(seen, seen.functions[0]) == ((path,) if is_tagged else ())


def test_names() -> None:
    assert names_scope("clinic_id")
    assert not names_scope("title")
