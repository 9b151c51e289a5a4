"""The tables of frameworks agree with each other."""

from __future__ import annotations

import pytest

from carrel.audit.frameworks import (
    AMBIGUOUS,
    DECORATED,
    REGISTERED,
    REQUEST_CALLS,
    REQUEST_OBJECTS,
    handling,
    is_made_for_request,
)


def test_what_is_ambiguous_is_in_the_table() -> None:
    assert set(DECORATED) >= AMBIGUOUS


def test_a_registration_says_where_the_function_is() -> None:
    assert all(row.position >= 0 or row.keywords for row in REGISTERED.values())


def test_names_are_those_that_the_rules_compare_with() -> None:
    assert all("." in name for name in REQUEST_OBJECTS | REQUEST_CALLS)
    assert all("." not in name for name in (*DECORATED, *REGISTERED))


@pytest.mark.parametrize(
    ("base", "method"),
    [("app.View", "dispatch"), ("rest_framework.views.APIView", "initial"), ("socketio.Namespace", "on_*"), ("Q", "")],
)
def test_what_calls_the_methods_of_a_class(base: str, method: str) -> None:
    found = handling(base)
    assert (found is None) is (not method)
    assert found is None or method in found[1]


@pytest.mark.parametrize(
    ("base", "is_made"),
    [
        ("django.views.generic.ListView", True),
        ("flask.views.MethodView", True),
        ("channels.generic.websocket.WebsocketConsumer", True),
        ("twisted.web.resource.Resource", False),
        ("echo_pb2_grpc.EchoServicer", False),
        ("asyncio.DatagramProtocol", False),
        ("app.Desk", False),
    ],
)
def test_what_there_is_one_object_of_for_each_request(base: str, *, is_made: bool) -> None:
    assert is_made_for_request(base) is is_made
