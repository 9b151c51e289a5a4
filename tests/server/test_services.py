"""The parts of a server, as routes get them."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import Request

from carrel.server.access import declared_routes
from carrel.server.services import services_of
from tests.server.served import Served


async def test_a_route_gets_the_services_of_its_own_server(server: Served) -> None:
    request = Request({"type": "http", "app": server.app, "headers": []})
    assert await services_of(request) is server.services


async def test_no_dependency_of_a_route_costs_a_visit_to_a_thread(server: Served) -> None:
    routes = [declared.route for declared in declared_routes(server.app)]
    calls = {call for route in routes if isinstance(route, APIRoute) for call in _called(route.dependant)}
    assert services_of in calls
    plain = [call for call in calls if not inspect.iscoroutinefunction(call)]
    assert [call for call in plain if not inspect.iscoroutinefunction(type(call).__call__)] == []


def _called(dependant: Dependant) -> Iterator[Any]:
    for dependency in dependant.dependencies:
        yield dependency.call
        yield from _called(dependency)


async def test_nobody_exchanges_a_part(server: Served) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        server.services.accounts = None  # type: ignore[misc,assignment]
