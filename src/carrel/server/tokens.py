"""Access tokens (JWT by RFC 8725 and RFC 9068) and refresh tokens of carrel's own users."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import jwt
from pydantic import SecretStr

from carrel.context import UserId, new_id
from carrel.errors import AuthenticationError

__all__ = [
    "AccessClaims",
    "TokenSigner",
    "check_times",
    "genuine_claims",
    "hash_refresh_token",
    "issuer_of",
    "new_refresh_token",
    "number_claim",
    "text_claim",
]

ISSUER: Final = "carrel"
AUDIENCE: Final = "carrel"
ALGORITHM: Final = "HS256"
TYPE: Final = "at+jwt"
REQUIRED: Final = ("iss", "aud", "sub", "exp", "iat", "jti", "sid")
MAX_TOKEN_LENGTH: Final = 8192
LEEWAY_SECONDS: Final = 5.0
REMEMBERED: Final = 4096
"""Tokens whose signatures are not computed again: more users than are active at once on one server."""


class AccessClaims(NamedTuple):
    """What a valid access token says."""

    user_id: UserId
    session_id: str
    expires_at: float
    """POSIX seconds."""


class TokenSigner:
    """Makes and checks access tokens with one secret; `clock` gives POSIX seconds.

    That a token is genuine is computed once: it stays so. Whether it is in time is asked every time.
    """

    def __init__(self, secret: SecretStr, *, seconds: float, clock: Callable[[], float] = time.time) -> None:
        self._secret = secret
        self._seconds = seconds
        self._clock = clock
        self._genuine: OrderedDict[str, Mapping[str, Any]] = OrderedDict()

    @property
    def seconds(self) -> int:
        """How long a token is valid."""
        return int(self._seconds)

    def sign(self, user_id: UserId, session_id: str) -> str:
        """An access token for the user's session."""
        now = int(self._clock())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": user_id,
            "sid": session_id,
            "jti": new_id(),
            "iat": now,
            "exp": now + self.seconds,
        }
        return jwt.encode(claims, self._secret.get_secret_value(), ALGORITHM, headers={"typ": TYPE})

    def verify(self, token: str) -> AccessClaims:
        """What the token says; raises `AuthenticationError` unless it is genuine, of the right type and in time."""
        claims = self._genuine.get(token)
        if claims is None:
            claims = self._genuine_claims(token)
        check_times(claims, self._clock())
        self._remember(token, claims)
        return AccessClaims(UserId(text_claim(claims, "sub")), text_claim(claims, "sid"), float(claims["exp"]))

    def _genuine_claims(self, token: str) -> Mapping[str, Any]:
        return genuine_claims(
            token,
            key=self._secret.get_secret_value(),
            algorithms=(ALGORITHM,),
            types=(TYPE,),
            issuer=ISSUER,
            audience=AUDIENCE,
            required=REQUIRED,
        )

    def _remember(self, token: str, claims: Mapping[str, Any]) -> None:
        self._genuine[token] = claims
        self._genuine.move_to_end(token)
        if len(self._genuine) > REMEMBERED:
            self._genuine.popitem(last=False)


def genuine_claims(
    token: str,
    *,
    key: Any,
    algorithms: tuple[str, ...],
    types: tuple[str | None, ...],
    issuer: str,
    audience: str,
    required: tuple[str, ...],
) -> Mapping[str, Any]:
    """The claims of a JWT that passes every check but those of time; raises `AuthenticationError` for any other."""
    try:
        decoded = jwt.decode_complete(
            token,
            key,
            algorithms=list(algorithms),
            audience=audience,
            issuer=issuer,
            options={"require": list(required), "verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )
        header: Mapping[str, Any] = decoded["header"]
        claims: Mapping[str, Any] = decoded["payload"]
    # PyJWT lets some exceptions of json and base64 through for bytes that are no token at all.
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise AuthenticationError(f"the token is not valid ({type(error).__name__})") from None
    kind = header.get("typ")
    if (kind.lower().removeprefix("application/") if isinstance(kind, str) else kind) not in types:
        raise AuthenticationError("the token is of another type")
    return claims


def check_times(claims: Mapping[str, Any], now: float) -> None:
    """Raise `AuthenticationError` unless the token is good at `now`, in POSIX seconds, which a test can choose."""
    if number_claim(claims, "exp") <= now:
        raise AuthenticationError("the token has expired")
    if max(number_claim(claims, "iat", 0.0), number_claim(claims, "nbf", 0.0)) > now + LEEWAY_SECONDS:
        raise AuthenticationError("the token is not valid yet")


def text_claim(claims: Mapping[str, Any], name: str) -> str:
    """A claim that must be text, and not blank."""
    value = claims.get(name)
    if not isinstance(value, str) or not value.strip():
        raise AuthenticationError(f"the token's {name} is not text")
    return value


def number_claim(claims: Mapping[str, Any], name: str, default: float | None = None) -> float:
    """A claim that must be a time in POSIX seconds."""
    value = claims.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 2**53:
        raise AuthenticationError(f"the token's {name} is not a time")
    return float(value)


def issuer_of(token: str) -> str | None:
    """Who the token says has issued it, unverified: only good for choosing who verifies it."""
    if len(token) > MAX_TOKEN_LENGTH:
        raise AuthenticationError("the token is too long")
    try:
        claims = jwt.decode_complete(token, options={"verify_signature": False})["payload"]
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise AuthenticationError("the token is not a JWT") from None
    issuer = claims.get("iss")
    return issuer if isinstance(issuer, str) else None


def new_refresh_token() -> str:
    """256 random bits, as text."""
    return secrets.token_urlsafe(32)


def hash_refresh_token(token: str) -> str:
    """What is stored of a refresh token. It is random, so a fast hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
