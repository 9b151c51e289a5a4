"""An external OpenID provider: its tokens, checked against the keys that it publishes."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import anyio
import anyio.to_thread
import jwt
import structlog

from carrel.errors import AuthenticationError
from carrel.server.tokens import check_times, genuine_claims, number_claim, text_claim

__all__ = ["ExternalClaims", "OpenIdProvider", "fetch_document"]

ALGORITHMS: Final = ("RS256", "ES256")
# RFC 9068 access tokens, and what providers that came before it write.
TYPES: Final = ("at+jwt", "jwt", None)
REQUIRED: Final = ("iss", "aud", "sub", "exp", "iat")
FETCH_SECONDS: Final = 5.0
MAX_DOCUMENT_BYTES: Final = 256 * 1024
RETRY_SECONDS: Final = 60.0
STALE_SECONDS: Final = 3600.0


class ExternalClaims(NamedTuple):
    """What a valid token of the provider says."""

    subject: str
    expires_at: float
    """POSIX seconds."""


async def fetch_document(url: str) -> bytes:
    """The document at an http(s) URL, at most 256 KiB, within 5 s; in a worker thread, so that nobody waits."""
    return await anyio.to_thread.run_sync(_fetch, url)


def _fetch(url: str) -> bytes:
    # Settings accept http and https only; an error says nothing of what came back.
    request = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=FETCH_SECONDS) as answer:  # noqa: S310
            body: bytes = answer.read(MAX_DOCUMENT_BYTES + 1)
    except urllib.error.HTTPError as error:
        # It holds the connection open.
        error.close()
        raise OSError(f"HTTP status {error.code}") from None
    if len(body) > MAX_DOCUMENT_BYTES:
        raise OSError("the document is too long")
    return body


class OpenIdProvider:
    """Checks the tokens of one issuer. Keys are fetched when first needed, hourly, and for an unknown key id.

    However many tokens name unknown keys, the provider is asked at most once a minute. `clock` gives POSIX seconds.
    """

    def __init__(
        self,
        *,
        issuer: str,
        audience: str,
        jwks_url: str,
        fetch: Callable[[str], Awaitable[bytes]] = fetch_document,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.issuer = issuer
        self._audience = audience
        self._jwks_url = jwks_url
        self._fetch = fetch
        self._clock = clock
        self._keys: Mapping[str, jwt.PyJWK] = MappingProxyType({})
        self._asked_at: float | None = None
        self._asking = anyio.Lock()

    async def verify(self, token: str) -> ExternalClaims:
        """What a token of this provider says; raises `AuthenticationError` unless it is genuine and for us."""
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            raise AuthenticationError("the token is not a JWT") from None
        key = await self._key(header.get("kid"))
        if header.get("alg") != key.algorithm_name:
            raise AuthenticationError("the token is not signed as its key is meant to")
        claims = genuine_claims(
            token,
            key=key,
            algorithms=ALGORITHMS,
            types=TYPES,
            issuer=self.issuer,
            audience=self._audience,
            required=REQUIRED,
        )
        check_times(claims, self._clock())
        return ExternalClaims(text_claim(claims, "sub"), number_claim(claims, "exp"))

    async def _key(self, key_id: object) -> jwt.PyJWK:
        if not isinstance(key_id, str):
            raise AuthenticationError("the token names no key")
        if key_id not in self._keys or self._older_than(STALE_SECONDS):
            async with self._asking:
                # Somebody else may have asked while this one waited.
                if self._older_than(STALE_SECONDS if key_id in self._keys else RETRY_SECONDS):
                    await self._refresh()
        try:
            return self._keys[key_id]
        except KeyError:
            raise AuthenticationError("the token names an unknown key") from None

    def _older_than(self, seconds: float) -> bool:
        return self._asked_at is None or self._clock() - self._asked_at >= seconds

    async def _refresh(self) -> None:
        self._asked_at = self._clock()
        try:
            self._keys = MappingProxyType(_usable_keys(json.loads(await self._fetch(self._jwks_url))))
        except (OSError, ValueError, RecursionError) as error:
            # The keys of before stay: a provider that is down for a while signs nobody out.
            structlog.get_logger(__name__).warning(
                "the OpenID provider's keys could not be fetched", problem=type(error).__name__
            )


def _usable_keys(document: Any) -> dict[str, jwt.PyJWK]:
    keys: dict[str, jwt.PyJWK] = {}
    for entry in document.get("keys", ()) if isinstance(document, dict) else ():
        # Symmetric keys have no place in a public document: accepting one would let every reader sign.
        if not isinstance(entry, dict) or entry.get("kty") not in ("RSA", "EC") or entry.get("use", "sig") != "sig":
            continue
        try:
            key = jwt.PyJWK.from_dict(entry)
        except (jwt.PyJWTError, ValueError, TypeError):
            continue
        if key.key_id and key.algorithm_name in ALGORITHMS:
            keys[key.key_id] = key
    return keys
