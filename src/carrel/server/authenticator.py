"""From a token to an identity: carrel's own access tokens, and those of an OpenID provider."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Final

from carrel.context import RequestId, UserContext, new_id
from carrel.errors import AuthenticationError, ConflictError
from carrel.server.access import Identity
from carrel.server.oidc import OpenIdProvider
from carrel.server.tokens import TokenSigner, issuer_of
from carrel.storage.accounts import Account, AccountStore

__all__ = ["EXTERNAL_SESSION", "Authenticator"]

EXTERNAL_SESSION: Final = "external:"
"""What the session ids of a provider's users begin with: carrel did not open those sessions and cannot end them."""


class Authenticator:
    """Verifies tokens against keys and against the database, so that what was revoked is refused at once."""

    def __init__(
        self,
        *,
        accounts: AccountStore,
        signer: TokenSigner,
        provider: OpenIdProvider | None = None,
        default_permissions: Collection[str] = (),
    ) -> None:
        self._accounts = accounts
        self._signer = signer
        self._provider = provider
        self._default_permissions = frozenset(default_permissions)

    async def verify(self, token: str) -> Identity:
        """The caller that a valid access token names.

        Raises `AuthenticationError` for a forged, expired or foreign token, for one of another type or audience, for
        an ended session and for a disabled account; clients get the same answer for all of them.
        """
        if self._provider is not None and issuer_of(token) == self._provider.issuer:
            return await self._verify_external(self._provider, token)
        claims = self._signer.verify(token)
        account = await self._accounts.by_session(claims.session_id)
        if account is None or account.user_id != claims.user_id:
            raise AuthenticationError("the session has ended")
        return _identity(account, claims.session_id, claims.expires_at)

    async def _verify_external(self, provider: OpenIdProvider, token: str) -> Identity:
        claims = await provider.verify(token)
        account = await self._accounts.by_external(provider.issuer, claims.subject)
        if account is None:
            account = await self._admit(provider.issuer, claims.subject)
        return _identity(account, f"{EXTERNAL_SESSION}{account.user_id}", claims.expires_at)

    async def _admit(self, issuer: str, subject: str) -> Account:
        """Make the account of a subject that the provider vouches for and carrel has not seen."""
        # Never a name from the token: one that equals a local user's would be mistaken for them.
        digest = hashlib.sha256(f"{issuer}\n{subject}".encode("utf-8", "surrogatepass")).hexdigest()
        try:
            return await self._accounts.create_external(
                issuer, subject, f"external-{digest[:20]}", self._default_permissions
            )
        except ConflictError:
            raise AuthenticationError("the account of this subject cannot be made") from None


def _identity(account: Account | None, session_id: str, expires_at: float) -> Identity:
    if account is None or account.disabled:
        raise AuthenticationError("the account is gone or disabled")
    user = UserContext(user_id=account.user_id, request_id=RequestId(new_id()), permissions=account.permissions)
    return Identity(user=user, session_id=session_id, expires_at=expires_at)
