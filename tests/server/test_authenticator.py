"""The authenticator: what the database says counts more than what the token says."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from pydantic import SecretStr

from carrel.errors import AuthenticationError
from carrel.server.authenticator import EXTERNAL_SESSION, Authenticator
from carrel.server.oidc import OpenIdProvider
from carrel.server.tokens import TokenSigner
from carrel.storage.accounts import AccountStore
from carrel.storage.database import Database

ISSUER = "https://id.example"
KEY = ec.generate_private_key(ec.SECP256R1())
SIGNER = TokenSigner(SecretStr("0123456789abcdef0123456789abcdef"), seconds=900)


@pytest.fixture
async def accounts(tmp_path: Path) -> AsyncIterator[AccountStore]:
    database = await Database.open(tmp_path / "carrel.db")
    yield AccountStore(database)
    await database.close()


async def keys(url: str) -> bytes:
    return json.dumps({"keys": [{**json.loads(ECAlgorithm.to_jwk(KEY.public_key())), "kid": "k"}]}).encode()


def authenticator(accounts: AccountStore, *, external: bool = True) -> Authenticator:
    provider = OpenIdProvider(issuer=ISSUER, audience="api", jwks_url="https://id.example/keys", fetch=keys)
    return Authenticator(
        accounts=accounts,
        signer=SIGNER,
        provider=provider if external else None,
        default_permissions=("usage:read",),
    )


def external_token(subject: str = "ann", **claims: Any) -> str:
    now = int(time.time())
    payload = {"iss": ISSUER, "aud": "api", "sub": subject, "iat": now, "exp": now + 60, **claims}
    return jwt.encode(payload, KEY, "ES256", headers={"kid": "k"})


async def test_a_token_of_an_open_session_is_the_account_of_now(accounts: AccountStore) -> None:
    account = await accounts.create("ann", "hash", ["usage:read"])
    session_id = await accounts.open_session(account.user_id, "h", time.time() + 60)
    identity = await authenticator(accounts).verify(SIGNER.sign(account.user_id, session_id))
    assert (identity.user.user_id, identity.session_id) == (account.user_id, session_id)
    assert identity.user.permissions == {"usage:read"}
    again = await authenticator(accounts).verify(SIGNER.sign(account.user_id, session_id))
    assert again.user.request_id != identity.user.request_id


async def test_a_revoked_session_is_refused_at_once(accounts: AccountStore) -> None:
    account = await accounts.create("ann", "hash", [])
    session_id = await accounts.open_session(account.user_id, "h", time.time() + 60)
    token = SIGNER.sign(account.user_id, session_id)
    await accounts.revoke_session(session_id)
    with pytest.raises(AuthenticationError):
        await authenticator(accounts).verify(token)


async def test_a_disabled_account_is_refused_at_once(accounts: AccountStore) -> None:
    account = await accounts.create("ann", "hash", [])
    session_id = await accounts.open_session(account.user_id, "h", time.time() + 60)
    await accounts.set_disabled(account.user_id, True)
    with pytest.raises(AuthenticationError):
        await authenticator(accounts).verify(SIGNER.sign(account.user_id, session_id))


async def test_a_session_or_an_account_that_never_was_is_refused(accounts: AccountStore) -> None:
    account = await accounts.create("ann", "hash", [])
    session_id = await accounts.open_session(account.user_id, "h", time.time() + 60)
    for user_id, session in ((account.user_id, "other"), ("other", session_id)):
        with pytest.raises(AuthenticationError):
            await authenticator(accounts).verify(SIGNER.sign(user_id, session))  # type: ignore[arg-type]


async def test_an_unknown_subject_of_the_provider_gets_an_account_once(accounts: AccountStore) -> None:
    subject = authenticator(accounts)
    first = await subject.verify(external_token())
    second = await subject.verify(external_token())
    other = await subject.verify(external_token("bob"))
    assert first.user.user_id == second.user.user_id != other.user.user_id
    assert first.user.permissions == {"usage:read"}
    assert first.session_id.startswith(EXTERNAL_SESSION)
    assert len(await accounts.list_accounts()) == 2


async def test_a_subject_named_like_a_local_user_is_not_that_user(accounts: AccountStore) -> None:
    local = await accounts.create("ann", "hash", ["*"])
    identity = await authenticator(accounts).verify(
        external_token("ann", name="ann", preferred_username="ann", email="ann")
    )
    assert identity.user.user_id != local.user_id
    assert "*" not in identity.user.permissions
    assert "ann" not in {account.name for account in await accounts.list_accounts() if account.user_id != local.user_id}


async def test_a_subject_that_equals_a_local_user_id_is_not_that_user(accounts: AccountStore) -> None:
    local = await accounts.create("ann", "hash", ["*"])
    identity = await authenticator(accounts).verify(external_token(local.user_id))
    assert identity.user.user_id != local.user_id


async def test_a_disabled_external_account_stays_out(accounts: AccountStore) -> None:
    subject = authenticator(accounts)
    identity = await subject.verify(external_token())
    await accounts.set_disabled(identity.user.user_id, True)
    with pytest.raises(AuthenticationError):
        await subject.verify(external_token())
    assert len(await accounts.list_accounts()) == 1


async def test_the_issuer_only_chooses_who_verifies(accounts: AccountStore) -> None:
    claims = {"iss": ISSUER, "aud": "carrel", "sub": "u", "sid": "s", "jti": "j", "iat": 1, "exp": 2**31}
    own_key = jwt.encode(claims, "0123456789abcdef0123456789abcdef", "HS256", headers={"typ": "at+jwt", "kid": "k"})
    for token in (own_key, external_token(iss="carrel", aud="carrel"), "x.y.z"):
        with pytest.raises(AuthenticationError):
            await authenticator(accounts).verify(token)


async def test_without_a_provider_its_tokens_are_refused(accounts: AccountStore) -> None:
    with pytest.raises(AuthenticationError):
        await authenticator(accounts, external=False).verify(external_token())
