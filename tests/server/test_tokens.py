"""Access tokens: what RFC 8725 asks for, one wrong thing at a time."""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from carrel.context import UserId
from carrel.errors import AuthenticationError
from carrel.server import tokens as module
from carrel.server.tokens import (
    AccessClaims,
    TokenSigner,
    hash_refresh_token,
    issuer_of,
    new_refresh_token,
    number_claim,
    text_claim,
)

SECRET = "0123456789abcdef0123456789abcdef"
NOW = 1_800_000_000.0
GOOD: dict[str, Any] = {
    "iss": "carrel",
    "aud": "carrel",
    "sub": "u1",
    "sid": "s1",
    "jti": "j1",
    "iat": int(NOW),
    "exp": int(NOW) + 60,
}


def signer(now: float = NOW) -> TokenSigner:
    return TokenSigner(SecretStr(SECRET), seconds=900, clock=lambda: now)


def encode(claims: dict[str, Any], *, key: str = SECRET, algorithm: str = "HS256", typ: str | None = "at+jwt") -> str:
    return jwt.encode(claims, key, algorithm, headers={"typ": typ} if typ else {"typ": None})


def test_a_signed_token_is_verified() -> None:
    token = signer().sign(UserId("u1"), "s1")
    assert signer().verify(token) == AccessClaims(UserId("u1"), "s1", NOW + 900)
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "at+jwt"}
    assert issuer_of(token) == "carrel"


def test_the_baseline_of_the_refusals_is_accepted() -> None:
    assert signer().verify(encode(GOOD)).user_id == "u1"
    assert signer().verify(encode(GOOD, typ="application/at+jwt")).user_id == "u1"


@pytest.mark.parametrize("claim", sorted(GOOD))
def test_every_claim_is_required(claim: str) -> None:
    with pytest.raises(AuthenticationError):
        signer().verify(encode({name: value for name, value in GOOD.items() if name != claim}))


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "other"},
        {"aud": "other"},
        {"aud": ["other", "another"]},
        {"sub": ""},
        {"sid": 7},
        {"exp": int(NOW)},
        {"exp": "tomorrow"},
        {"exp": 1e300},
        {"exp": True},
        {"iat": int(NOW) + 60},
        {"nbf": int(NOW) + 60},
    ],
    ids=str,
)
def test_one_wrong_claim_is_refused(change: dict[str, Any]) -> None:
    try:
        token = encode({**GOOD, **change})
    except (TypeError, jwt.PyJWTError):  # PyJWT refuses to sign some of them: sign the bytes
        token = jwt.PyJWS().encode(json.dumps({**GOOD, **change}).encode(), SECRET, "HS256", {"typ": "at+jwt"})
    with pytest.raises(AuthenticationError):
        signer().verify(token)


@pytest.mark.parametrize("typ", ["JWT", "rt+jwt", None])
def test_a_token_of_another_type_is_refused(typ: str | None) -> None:
    with pytest.raises(AuthenticationError):
        signer().verify(encode(GOOD, typ=typ))


def test_an_unsigned_token_is_refused() -> None:
    with pytest.raises(AuthenticationError):
        signer().verify(jwt.encode(GOOD, None, "none", headers={"typ": "at+jwt"}))  # type: ignore[arg-type]


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_another_algorithm_with_the_right_key_is_refused(algorithm: str) -> None:
    with pytest.raises(AuthenticationError):
        signer().verify(encode(GOOD, key=SECRET * 2, algorithm=algorithm))
    with pytest.raises(AuthenticationError):
        TokenSigner(SecretStr(SECRET * 2), seconds=9, clock=lambda: NOW).verify(
            encode(GOOD, key=SECRET * 2, algorithm=algorithm)
        )


def test_another_key_is_refused() -> None:
    with pytest.raises(AuthenticationError):
        signer().verify(encode(GOOD, key=SECRET[::-1]))


def test_a_changed_payload_is_refused() -> None:
    head, _, signature = encode(GOOD).split(".")
    payload = base64.urlsafe_b64encode(json.dumps({**GOOD, "sub": "u2"}).encode()).decode().rstrip("=")
    with pytest.raises(AuthenticationError):
        signer().verify(f"{head}.{payload}.{signature}")


def test_a_token_expires() -> None:
    token = signer().sign(UserId("u1"), "s1")
    assert signer(NOW + 899).verify(token)
    with pytest.raises(AuthenticationError):
        signer(NOW + 900).verify(token)


def test_a_token_that_was_verified_before_expires_like_any_other() -> None:
    now = [NOW]
    one = TokenSigner(SecretStr(SECRET), seconds=60, clock=lambda: now[0])
    token = one.sign(UserId("u1"), "s1")
    assert one.verify(token) == one.verify(token)
    now[0] += 61
    with pytest.raises(AuthenticationError, match="expired"):
        one.verify(token)
    now[0] = NOW - 60
    with pytest.raises(AuthenticationError, match="not valid yet"):
        one.verify(token)


def test_what_was_verified_before_vouches_for_nothing_else() -> None:
    one = signer()
    token = one.sign(UserId("u1"), "s1")
    one.verify(token)
    header, payload, signature = token.split(".")
    other = one.sign(UserId("u2"), "s2").split(".")
    for forged in (f"{header}.{other[1]}.{signature}", f"{header}.{payload}.{other[2]}", f"{header}.{payload}."):
        with pytest.raises(AuthenticationError):
            one.verify(forged)


def test_signatures_are_computed_once_and_only_for_so_many_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 2)
    computed: list[str] = []
    genuine = module.genuine_claims

    def noted(token: str, **how: Any) -> Any:
        computed.append(token)
        return genuine(token, **how)

    monkeypatch.setattr(module, "genuine_claims", noted)
    one = signer()
    first, second, third = (one.sign(UserId(f"u{number}"), "s") for number in range(3))
    for token in (first, second, first, third, first, second):
        one.verify(token)
    # Of three, the one that was used last goes: the second, when the third comes.
    assert computed == [first, second, third, second]


@given(st.text() | st.from_regex(r"[\w-]{0,20}\.[\w-]{0,20}\.[\w-]{0,20}"))
def test_no_text_makes_it_fail_otherwise(token: str) -> None:
    with pytest.raises(AuthenticationError):
        signer().verify(token)


@pytest.mark.parametrize("token", ["", "a.b.c", "x" * 9000, "eyJhbGciOiJIUzI1NiJ9." + "W" * 4000 + ".x"])
def test_what_is_no_token_has_no_issuer(token: str) -> None:
    with pytest.raises(AuthenticationError):
        issuer_of(token)


def test_an_issuer_that_is_no_text_is_none() -> None:
    token = jwt.PyJWS().encode(b'{"iss": 7}', SECRET, "HS256")
    assert issuer_of(token) is None


def test_errors_never_contain_the_token() -> None:
    token = encode({**GOOD, "aud": "other"})
    with pytest.raises(AuthenticationError) as caught:
        signer().verify(token)
    assert token not in str(caught.value)
    assert caught.value.__cause__ is None


def test_claims_have_their_types() -> None:
    assert text_claim({"a": "b"}, "a") == "b"
    assert number_claim({"a": 1}, "a") == 1.0
    assert number_claim({}, "a", 0.0) == 0.0
    with pytest.raises(AuthenticationError):
        text_claim({"a": " "}, "a")
    with pytest.raises(AuthenticationError):
        number_claim({"a": float("nan")}, "a")


def test_refresh_tokens_are_random_and_stored_as_hashes() -> None:
    one, other = new_refresh_token(), new_refresh_token()
    assert one != other
    assert len(one) >= 43
    assert one not in hash_refresh_token(one)
    assert hash_refresh_token(one) == hash_refresh_token(one) != hash_refresh_token(other)
    assert hash_refresh_token("\ud800")
