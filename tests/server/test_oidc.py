"""Tokens of an OpenID provider, checked against a real JWKS server on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import anyio
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from carrel.errors import AuthenticationError
from carrel.server.oidc import OpenIdProvider, fetch_document

NOW = 1_800_000_000.0
ISSUER = "https://id.example.org"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
GOOD: dict[str, Any] = {"iss": ISSUER, "aud": "carrel-api", "sub": "ann@id", "iat": int(NOW), "exp": int(NOW) + 60}


@dataclass
class JwksServer:
    url: str = ""
    keys: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    asked: int = 0


def public(key: Any, key_id: str, **more: Any) -> dict[str, Any]:
    algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": key_id, **more}


@pytest.fixture
def jwks() -> Iterator[JwksServer]:
    state = JwksServer(keys=[public(RSA_KEY, "r1"), public(EC_KEY, "e1", alg="ES256", use="sig")])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked += 1
            body = json.dumps({"keys": state.keys}).encode()
            self.send_response(state.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/keys"
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Clock:
    now: float = NOW

    def __call__(self) -> float:
        return self.now


def provider(jwks: JwksServer, clock: Clock | None = None) -> OpenIdProvider:
    return OpenIdProvider(issuer=ISSUER, audience="carrel-api", jwks_url=jwks.url, clock=clock or Clock())


def token(
    key: Any = RSA_KEY, key_id: str | None = "r1", algorithm: str = "RS256", typ: str | None = "JWT", **claims: Any
) -> str:
    headers: dict[str, Any] = {"typ": typ}
    if key_id is not None:
        headers["kid"] = key_id
    payload = {name: value for name, value in {**GOOD, **claims}.items() if value is not None}
    return jwt.encode(payload, key, algorithm, headers=headers)


async def test_tokens_of_both_kinds_of_key_are_accepted_and_keys_are_fetched_once(jwks: JwksServer) -> None:
    subject = provider(jwks)
    for _ in range(3):
        assert await subject.verify(token()) == ("ann@id", NOW + 60)
        assert (await subject.verify(token(EC_KEY, "e1", "ES256", "at+jwt"))).subject == "ann@id"
        assert (await subject.verify(token(typ=None))).subject == "ann@id"
    assert jwks.asked == 1


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another-api"},
        {"aud": None},
        {"sub": None},
        {"sub": " "},
        {"exp": int(NOW) - 1},
        {"exp": None},
        {"iat": None},
        {"nbf": int(NOW) + 100},
        {"typ": "id+jwt"},
        {"key": OTHER_KEY},
        {"key_id": "unknown"},
        {"key_id": None},
        {"key_id": "e1"},
        {"algorithm": "RS384"},
        {"algorithm": "PS256"},
    ],
    ids=str,
)
async def test_one_wrong_thing_is_refused(jwks: JwksServer, change: dict[str, Any]) -> None:
    with pytest.raises(AuthenticationError):
        await provider(jwks).verify(token(**change))


async def test_a_public_key_is_no_shared_secret(jwks: JwksServer) -> None:
    pem = b"-----BEGIN PUBLIC KEY-----"
    forged = jwt.PyJWS().encode(json.dumps(GOOD).encode(), jwks.keys[0]["n"].encode(), "HS256", {"kid": "r1"})
    assert pem
    with pytest.raises(AuthenticationError):
        await provider(jwks).verify(forged)


async def test_a_symmetric_key_in_the_document_is_not_used(jwks: JwksServer) -> None:
    jwks.keys.append({"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA", "kid": "o1", "alg": "HS256"})
    with pytest.raises(AuthenticationError):
        await provider(jwks).verify(token("secret-secret-secret-secret-secret", "o1", "HS256"))


async def test_broken_and_encryption_keys_are_passed_over(jwks: JwksServer) -> None:
    jwks.keys[:0] = [{"kty": "RSA", "kid": "b1"}, "text", public(OTHER_KEY, "x1", use="enc"), public(RSA_KEY, "")]  # type: ignore[list-item]
    subject = provider(jwks)
    assert await subject.verify(token())
    with pytest.raises(AuthenticationError):
        await subject.verify(token(OTHER_KEY, "x1"))


async def test_an_unknown_key_is_asked_for_at_most_once_a_minute(jwks: JwksServer) -> None:
    clock = Clock()
    subject = provider(jwks, clock)
    assert await subject.verify(token())
    jwks.keys.append(public(OTHER_KEY, "r2"))
    clock.now += 59
    for number in range(20):
        with pytest.raises(AuthenticationError):
            await subject.verify(token(OTHER_KEY, f"guess{number}"))
        with pytest.raises(AuthenticationError):
            await subject.verify(token(OTHER_KEY, "r2"))
    assert jwks.asked == 1
    clock.now += 1
    assert await subject.verify(token(OTHER_KEY, "r2", exp=int(NOW) + 600))
    assert jwks.asked == 2


async def test_many_at_once_ask_once(jwks: JwksServer) -> None:
    subject = provider(jwks)
    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(subject.verify, token())
    assert jwks.asked == 1


async def test_withdrawn_keys_are_gone_after_an_hour_and_kept_while_the_provider_is_down(jwks: JwksServer) -> None:
    clock = Clock()
    subject = provider(jwks, clock)
    assert await subject.verify(token(exp=int(NOW) + 9999))
    clock.now += 3600
    jwks.status = 500
    assert await subject.verify(token(exp=int(NOW) + 9999))
    clock.now += 3600
    jwks.status, jwks.keys = 200, []
    with pytest.raises(AuthenticationError):
        await subject.verify(token(exp=int(NOW) + 9999))


@pytest.mark.parametrize("text", ["", "a.b.c", "\ud800", "eyJhbGciOiJSUzI1NiJ9.e30.x"])
async def test_what_is_no_token_is_refused(jwks: JwksServer, text: str) -> None:
    with pytest.raises(AuthenticationError):
        await provider(jwks).verify(text)


async def test_a_document_of_another_shape_gives_no_keys(jwks: JwksServer) -> None:
    async def fetch(url: str) -> bytes:
        return b"[1, 2]"

    subject = OpenIdProvider(issuer=ISSUER, audience="carrel-api", jwks_url="http://x", fetch=fetch, clock=Clock())
    with pytest.raises(AuthenticationError):
        await subject.verify(token())


async def test_a_document_that_never_ends_is_not_read_to_the_end(jwks: JwksServer) -> None:
    jwks.keys = [{"padding": "x" * 300_000}]
    with pytest.raises(OSError, match="too long"):
        await fetch_document(jwks.url)
