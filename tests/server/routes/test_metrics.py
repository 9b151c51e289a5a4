"""`/metrics` is a route of its own: no user's token opens it, and it is not among what users can ask."""

from __future__ import annotations

from carrel.server.access import check_routes
from tests.server.served import Served


async def test_it_is_for_operators_and_is_in_no_description_for_users(server: Served) -> None:
    rules = {route.path: route.rule for route in check_routes(server.app)}
    assert rules["/metrics"] == "operator"
    assert "/metrics" not in (await server.http.get("/openapi.json")).json()["paths"]


async def test_reading_changes_nothing(server: Served) -> None:
    first = (await server.http.get("/metrics")).text
    assert (await server.http.get("/metrics")).text == first
    assert (await server.http.post("/metrics")).status_code == 405
