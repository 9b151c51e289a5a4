from __future__ import annotations

from types import SimpleNamespace

import pytest

from carrel.delivery.old_context import context_of, context_of_nobody
from carrel.errors import ContextError
from carrel.testing import MemoryRuntime


def test_an_old_context_is_read():
    old = SimpleNamespace(user_id="ada", thread_id="t", run_id="r", request_id="q", websocket_client_id="w")
    context = context_of(old)
    assert (context.user_id, context.thread_id, context.run_id, context.request_id) == ("ada", "t", "r", "q")
    assert context.permissions == frozenset()
    assert context.is_root


def test_a_request_id_is_made_and_permissions_are_taken():
    old = SimpleNamespace(user_id="ada", thread_id="t", run_id="r", request_id=None, permissions={"usage:read"})
    one, two = context_of(old), context_of(old)
    assert one.request_id != two.request_id
    assert one.may("usage:read")


def test_carrels_own_context_stays_as_it_is():
    own = MemoryRuntime().context("ada")
    assert context_of(own) is own


@pytest.mark.parametrize("missing", ["user_id", "thread_id", "run_id"])
def test_an_id_that_is_not_there_is_not_made_up(missing: str):
    ids = {"user_id": "ada", "thread_id": "t", "run_id": "r"}
    with pytest.raises(ContextError, match=missing):
        context_of(SimpleNamespace(**{name: value for name, value in ids.items() if name != missing}))
    with pytest.raises(ContextError, match=missing):
        context_of(SimpleNamespace(**{**ids, missing: None}))


def test_nobody_is_somebody_else_every_time():
    one, two = context_of_nobody(), context_of_nobody()
    assert one.user_id != two.user_id
    assert (one.thread_id, one.run_id) != (two.thread_id, two.run_id)
    assert len(one.user_id) >= 32
    one.refuse_placeholders()
