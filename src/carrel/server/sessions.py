"""Signing in, staying signed in, and signing out."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, NamedTuple

import anyio

from carrel.errors import AuthenticationError
from carrel.server.passwords import Passwords
from carrel.server.throttle import LoginThrottle
from carrel.server.tokens import TokenSigner, hash_refresh_token, new_refresh_token
from carrel.storage.accounts import AccountStore

__all__ = ["Grant", "Sessions", "split_refresh_token"]

PARALLEL_ATTEMPTS: Final = 4


class Grant(NamedTuple):
    """What signing in gives."""

    access_token: str
    refresh_token: str
    """Good for one use; names its session before the dot, and is secret after it."""
    expires_in: int
    """Seconds that the access token is valid."""


class Sessions:
    """Opens, renews and ends sessions. `clock` gives POSIX seconds."""

    def __init__(
        self,
        *,
        accounts: AccountStore,
        passwords: Passwords,
        signer: TokenSigner,
        throttle: LoginThrottle,
        refresh_seconds: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._accounts = accounts
        self._passwords = passwords
        self._signer = signer
        self._throttle = throttle
        self._refresh_seconds = refresh_seconds
        self._clock = clock
        # The throttle is asked inside: guesses sent all at once wait here, and find the failures of the first few.
        self._attempts = anyio.Semaphore(PARALLEL_ATTEMPTS)

    async def sign_in(self, name: str, password: str, address: str) -> Grant:
        """A new session for the account.

        Raises `AuthenticationError`, the same for a wrong name, a wrong password and a disabled account, and
        `ThrottledError` when the account or the address has failed too often.
        """
        async with self._attempts:
            self._throttle.check(name, address)
            account = await self._accounts.by_name(name)
            stored = account.password_hash if account is not None else None
            matches = await self._passwords.verify(stored, password)
            if account is None or not matches or account.disabled:
                self._throttle.failed(name, address)
                raise AuthenticationError("the user name or the password is wrong")
            self._throttle.succeeded(name)
        secret = new_refresh_token()
        session_id = await self._accounts.open_session(account.user_id, hash_refresh_token(secret), self._expiry())
        access = self._signer.sign(account.user_id, session_id)
        return Grant(access, f"{session_id}.{secret}", self._signer.seconds)

    async def refresh(self, token: str) -> Grant:
        """New tokens for a refresh token, which is then used up; its session and nobody's password are asked.

        Raises `AuthenticationError`; for a token that was used before, the session has then been ended.
        """
        _, secret = split_refresh_token(token)
        renewed = new_refresh_token()
        account, session_id = await self._accounts.rotate(
            hash_refresh_token(secret), hash_refresh_token(renewed), self._expiry()
        )
        access = self._signer.sign(account.user_id, session_id)
        return Grant(access, f"{session_id}.{renewed}", self._signer.seconds)

    async def ended_session(self, token: str) -> str | None:
        """The session that a refused refresh token names, if it has ended: its connections are to be closed.

        What the token says of its session is not verified, and needs not be: an ended session has no use for one. That
        it was a session at all is verified, or anybody could have any text remembered as one.
        """
        session_id, _ = split_refresh_token(token)
        return session_id if await self._accounts.has_ended(session_id) else None

    async def end_of(self, token: str) -> str | None:
        """End the session of a valid refresh token and return its id; None, and nothing happens, for any other."""
        _, secret = split_refresh_token(token)
        replaced = hash_refresh_token(new_refresh_token())
        try:
            _, session_id = await self._accounts.rotate(hash_refresh_token(secret), replaced, self._expiry())
        except AuthenticationError:
            return await self.ended_session(token)
        await self.end(session_id)
        return session_id

    async def end(self, session_id: str) -> None:
        """End a session; its access and refresh tokens are refused from now on."""
        await self._accounts.revoke_session(session_id)

    def _expiry(self) -> float:
        return self._clock() + self._refresh_seconds


def split_refresh_token(token: str) -> tuple[str, str]:
    """The session id that a refresh token names, and its secret."""
    session_id, _, secret = token.rpartition(".")
    return session_id, secret
