"""Signing in, renewing and signing out over HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import cast

import pytest
from argon2 import PasswordHasher

from carrel.context import RequestId, UserContext, UserId
from carrel.server.access import Identity
from carrel.server.authenticator import EXTERNAL_SESSION, Authenticator
from carrel.server.throttle import ACCOUNT_ATTEMPTS
from tests.server.served import Served, client

PASSWORD = "correct horse"


async def with_password(server: Served, name: str = "ann") -> None:
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    await server.services.accounts.create(name, hasher.hash(PASSWORD), ["usage:read"])


async def test_name_and_password_give_tokens_that_work(server: Served) -> None:
    await with_password(server)
    answer = await server.http.post("/api/v1/auth/token", data={"username": "ann", "password": PASSWORD})
    body = answer.json()
    assert answer.status_code == 200
    assert (body["token_type"], body["expires_in"]) == ("bearer", 900)
    async with client(server.app, Authorization=f"Bearer {body['access_token']}") as http:
        me = (await http.get("/api/v1/me")).json()
    assert (me["name"], me["permissions"]) == ("ann", ["usage:read"])


async def test_parameters_that_oauth_knows_and_carrel_does_not_are_ignored(server: Served) -> None:
    await with_password(server)
    form = {"grant_type": "password", "username": "ann", "password": PASSWORD, "scope": "", "client_id": "x"}
    assert (await server.http.post("/api/v1/auth/token", data=form)).status_code == 200
    assert (await server.http.post("/api/v1/auth/token", data={**form, "grant_type": "other"})).status_code == 422


async def test_a_wrong_name_and_a_wrong_password_are_answered_alike(server: Served) -> None:
    await with_password(server)
    answers = [
        await server.http.post("/api/v1/auth/token", data={"username": name, "password": password})
        for name, password in (("nobody", PASSWORD), ("ann", "wrong"))
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert answers[0].content == answers[1].content
    assert answers[0].json()["code"] == "wrong_credentials"


async def test_the_password_is_never_repeated(server: Served) -> None:
    for form in ({"password": "hunter2"}, {"username": "x" * 2000, "password": "hunter2"}, {"username": "a"}):
        answer = await server.http.post("/api/v1/auth/token", data=form)
        assert answer.status_code == 422
        assert "hunter2" not in answer.text
        assert answer.json()["errors"][0]["field"] in ("username", "password")


async def test_guessing_is_throttled(server: Served) -> None:
    await with_password(server)
    for _ in range(ACCOUNT_ATTEMPTS):
        await server.http.post("/api/v1/auth/token", data={"username": "ann", "password": "wrong"})
    answer = await server.http.post("/api/v1/auth/token", data={"username": "ann", "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (429, "throttled")
    assert 0 < int(answer.headers["Retry-After"]) <= 16


async def test_refresh_tokens_are_good_once_and_reuse_ends_everything(server: Served) -> None:
    ann = await server.user("ann")
    connection = Connection(UserId(ann.user_id), ann.session_id)
    server.services.connections.arrive(connection)
    server.services.connections.add(connection)
    first = await server.http.post("/api/v1/auth/refresh", json={"refresh_token": ann.refresh_token})
    assert first.status_code == 200
    assert connection.closed == []
    again = await server.http.post("/api/v1/auth/refresh", json={"refresh_token": ann.refresh_token})
    assert (again.status_code, again.json()["code"]) == (401, "invalid_refresh_token")
    assert connection.closed == [4501]
    later = await server.http.post("/api/v1/auth/refresh", json={"refresh_token": first.json()["refresh_token"]})
    assert later.status_code == 401
    for token in (ann.access_token, first.json()["access_token"]):
        async with client(server.app, Authorization=f"Bearer {token}") as http:
            assert (await http.get("/api/v1/me")).status_code == 401
    server.services.connections.remove(connection)


async def test_a_guessed_refresh_token_ends_nobodys_session(server: Served) -> None:
    ann = await server.user("ann")
    guess = {"refresh_token": f"{ann.session_id}.guess"}
    assert (await server.http.post("/api/v1/auth/refresh", json=guess)).status_code == 401
    assert (await server.http.post("/api/v1/auth/logout", json=guess)).status_code == 204
    assert (await ann.http.get("/api/v1/me")).status_code == 200


@pytest.mark.parametrize("path", ["refresh", "logout"])
@pytest.mark.parametrize("token", ["\\ud800.x", "x.\\ud800", "\\u0000"])
async def test_a_token_that_is_no_text_is_refused_by_its_field(server: Served, path: str, token: str) -> None:
    body = f'{{"refresh_token": "{token}"}}'
    headers = {"Content-Type": "application/json"}
    answer = await server.http.post(f"/api/v1/auth/{path}", content=body, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "refresh_token")


@pytest.mark.parametrize("path", ["refresh", "logout"])
async def test_a_session_that_never_was_closes_nothing_and_is_not_remembered(server: Served, path: str) -> None:
    ann = await server.user("ann")
    connection = Connection(UserId(ann.user_id), f"{EXTERNAL_SESSION}{ann.user_id}")
    connections = server.services.connections
    connections.arrive(connection)
    connections.add(connection)
    await server.http.post(f"/api/v1/auth/{path}", json={"refresh_token": f"{connection.session_id}.guess"})
    assert connection.closed == []
    connections.remove(connection)
    connections.arrive(connection)
    connections.add(connection)
    connections.remove(connection)


async def test_a_providers_user_who_logs_out_may_come_back_at_once(server: Served) -> None:
    ann, bob = await server.user("ann"), await server.user("bob")
    session = f"{EXTERNAL_SESSION}{ann.user_id}"
    mine, foreign = Connection(UserId(ann.user_id), session), Connection(UserId(bob.user_id), bob.session_id)
    connections = server.services.connections
    for connection in (mine, foreign):
        connections.arrive(connection)
        connections.add(connection)

    class Provider:
        async def verify(self, token: str) -> Identity:
            user = UserContext(user_id=UserId(ann.user_id), request_id=RequestId("r"))
            return Identity(user=user, session_id=session, expires_at=2e9)

    server.app.state.services = replace(server.services, authenticator=cast("Authenticator", Provider()))
    answer = await server.http.post("/api/v1/auth/logout", headers={"Authorization": "Bearer theirs"})
    assert (answer.status_code, mine.closed, foreign.closed) == (204, [4501], [])
    connections.remove(mine)
    connections.arrive(mine)
    connections.add(mine)
    connections.remove(mine)
    connections.remove(foreign)


@pytest.mark.parametrize("by", ["access", "refresh", "both"])
async def test_logging_out_ends_the_session_and_closes_its_connections(server: Served, by: str) -> None:
    ann = await server.user("ann")
    other = await server.user("bob")
    connections = [Connection(UserId(one.user_id), one.session_id) for one in (ann, other)]
    for connection in connections:
        server.services.connections.arrive(connection)
        server.services.connections.add(connection)
    http = server.http if by == "refresh" else ann.http
    body = None if by == "access" else {"refresh_token": ann.refresh_token}
    assert (await http.post("/api/v1/auth/logout", json=body)).status_code == 204
    assert [connection.closed for connection in connections] == [[4501], []]
    assert (await ann.http.get("/api/v1/me")).status_code == 401
    assert (await other.http.get("/api/v1/me")).status_code == 200
    refresh = await server.http.post("/api/v1/auth/refresh", json={"refresh_token": ann.refresh_token})
    assert refresh.status_code == 401
    for connection in connections:
        server.services.connections.remove(connection)


async def test_an_expired_access_token_logs_out_with_the_refresh_token(server: Served) -> None:
    ann = await server.user("ann")
    answer = await server.http.post(
        "/api/v1/auth/logout", headers={"Authorization": "Bearer expired"}, json={"refresh_token": ann.refresh_token}
    )
    assert answer.status_code == 204
    assert (await ann.http.get("/api/v1/me")).status_code == 401


async def test_logging_out_needs_a_token(server: Served) -> None:
    assert (await server.http.post("/api/v1/auth/logout")).status_code == 401
    assert (await server.http.post("/api/v1/auth/logout", json={})).status_code == 401
    assert (await server.http.post("/api/v1/auth/logout", headers={"Authorization": "Bearer x"})).status_code == 401


@dataclass(eq=False)
class Connection:
    """What the manager knows of a socket."""

    user_id: UserId
    session_id: str
    closed: list[int] = field(default_factory=list)

    def news(self, top: int) -> None: ...

    def tick(self, now: float) -> None: ...

    def close(self, code: int, reason: str) -> None:
        self.closed.append(code)
