"""Accounts and their sessions: the one store that works without a context, because it is what makes identities."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, delete, exists, insert, select, update

from carrel.context import UserId, new_id
from carrel.errors import AuthenticationError, ConflictError, InputError, NotFoundError
from carrel.events import timestamp
from carrel.storage.database import Database
from carrel.storage.schema.tables import refresh_tokens, sessions, users

__all__ = ["Account", "AccountStore"]

_NAME_LENGTH: Final = 128

_BY_SESSION: Final = """
SELECT user_id, name, password_hash, permissions, demo, users.created_at FROM sessions JOIN users USING (user_id)
WHERE session_id = ? AND revoked_at IS NULL AND NOT disabled
"""
_ACTIVE: Final = (
    select(sessions.c.session_id)
    .join(users, sessions.c.user_id == users.c.user_id)
    .where(
        sessions.c.session_id.in_(bindparam("ids", expanding=True)),
        sessions.c.revoked_at.is_(None),
        users.c.disabled.is_(False),
    )
)
_ENABLED: Final = select(users.c.user_id).where(
    users.c.user_id.in_(bindparam("ids", expanding=True)), users.c.disabled.is_(False)
)
_AT_ONCE: Final = 500
"""Ids in one query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody who may sign in."""

    user_id: UserId
    name: str
    """Unique without regard to case."""
    password_hash: str | None
    """None for an account that an external identity provider vouches for."""
    permissions: frozenset[str]
    disabled: bool
    demo: bool
    created_at: str


class AccountStore:
    """Accounts, their sessions and their refresh tokens, of which only hashes are kept.

    `clock` gives POSIX seconds. Looking for an account that does not exist gives None; changing one raises
    `NotFoundError`.
    """

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def create(
        self, name: str, password_hash: str, permissions: Collection[str], *, demo: bool = False
    ) -> Account:
        """A new account with a password.

        Raises `ConflictError` (`name_taken`) when one has the name, and `InputError` for a blank or unprintable name
        and for one of more than 128 characters.
        """
        return await self._create(name, permissions, password_hash=password_hash, demo=demo)

    async def create_external(self, issuer: str, subject: str, name: str, permissions: Collection[str]) -> Account:
        """A new account for whom `issuer` calls `subject`; the one there is when somebody was quicker.

        Raises `ConflictError` (`name_taken`) when another account has the name.
        """
        return await self._create(name, permissions, issuer=issuer, subject=subject)

    async def by_name(self, name: str) -> Account | None:
        """The account with that name, whatever its case."""
        return await self._find(users.c.name_key == _name_key(name))

    async def by_id(self, user_id: UserId) -> Account | None:
        """The account with that id."""
        return await self._find(users.c.user_id == user_id)

    async def by_external(self, issuer: str, subject: str) -> Account | None:
        """The account of whom `issuer` calls `subject`; both compare exactly."""
        return await self._find((users.c.issuer == issuer) & (users.c.subject == subject))

    async def by_session(self, session_id: str) -> Account | None:
        """The account of an active session: one that was opened and is not revoked, of an account not disabled."""
        row = await self._database.look_up(_BY_SESSION, session_id)
        if row is None:
            return None
        user_id, name, password_hash, permissions, demo, created_at = row
        return Account(
            user_id=UserId(user_id),
            name=name,
            password_hash=password_hash,
            permissions=frozenset(msgspec.json.decode(permissions)),
            disabled=False,
            demo=bool(demo),
            created_at=created_at,
        )

    async def active_sessions(self, session_ids: Sequence[str]) -> frozenset[str]:
        """Those of these sessions that are active: see `by_session`."""
        return await self._those(_ACTIVE, session_ids)

    async def enabled_accounts(self, user_ids: Sequence[UserId]) -> frozenset[str]:
        """Those of these accounts that are there and not disabled."""
        return await self._those(_ENABLED, user_ids)

    async def has_ended(self, session_id: str) -> bool:
        """Whether this is a session that was opened and has been revoked; False for what never was one."""
        query = select(sessions.c.revoked_at).where(sessions.c.session_id == session_id)
        revoked_at = await self._database.read(lambda connection: connection.execute(query).scalar_one_or_none())
        return revoked_at is not None

    async def list_accounts(self) -> Sequence[Account]:
        """Every account, by name."""
        query = select(users).order_by(users.c.name_key)
        return await self._database.read(lambda connection: [_account(row) for row in connection.execute(query)])

    async def set_password(self, user_id: UserId, password_hash: str) -> None:
        """Change the password and revoke every session of the account."""
        await self._change(user_id, password_hash=password_hash)

    async def set_disabled(self, user_id: UserId, disabled: bool) -> None:  # noqa: FBT001 - the value being set
        """Bar the account from signing in, or admit it again; either way every session of it is revoked."""
        await self._change(user_id, disabled=disabled)

    async def open_session(self, user_id: UserId, token_hash: str, expires_at: float) -> str:
        """Begin a session with its first refresh token, which is good until `expires_at` (POSIX seconds); its id.

        Raises `AuthenticationError` when the account is disabled.
        """
        session_id = new_id()

        def open_(connection: Connection) -> None:
            account = _require(connection, user_id)
            if account.disabled:
                raise AuthenticationError("the account is disabled")
            self._forget_expired(connection, user_id)
            connection.execute(insert(sessions).values(session_id=session_id, user_id=user_id, created_at=self._now()))
            _add_token(connection, token_hash, session_id, expires_at)

        await self._database.write(open_)
        return session_id

    async def rotate(self, token_hash: str, new_hash: str, expires_at: float) -> tuple[Account, str]:
        """Exchange a refresh token for a new one; the account and the session id.

        Raises `AuthenticationError` when the token is unknown, expired or revoked, when its account is disabled, and
        when it was exchanged before: then somebody else holds a copy, and the session is revoked.
        """

        def exchange(connection: Connection) -> tuple[Row[Any] | None, str | None]:
            row = _token_owner(connection, token_hash)
            problem = self._problem(row)
            if row is not None and problem is None:
                connection.execute(
                    update(refresh_tokens).where(refresh_tokens.c.token_hash == token_hash).values(used=True)
                )
                _add_token(connection, new_hash, row.session_id, expires_at)
            elif row is not None and row.used:
                # Raised only outside: the revocation must be committed.
                self._revoke(connection, sessions.c.session_id == row.session_id)
            return row, problem

        row, problem = await self._database.write(exchange)
        if row is None or problem is not None:
            raise AuthenticationError(problem or "the refresh token is unknown")
        return _account(row), row.session_id

    async def revoke_session(self, session_id: str) -> None:
        """End a session; nothing happens when it has ended or never was."""
        await self._database.write(lambda connection: self._revoke(connection, sessions.c.session_id == session_id))

    async def _create(
        self,
        name: str,
        permissions: Collection[str],
        *,
        password_hash: str | None = None,
        demo: bool = False,
        issuer: str | None = None,
        subject: str | None = None,
    ) -> Account:
        _check_name(name)
        statement = insert(users).values(
            user_id=new_id(),
            name=name,
            name_key=_name_key(name),
            password_hash=password_hash,
            permissions=sorted(permissions),
            disabled=False,
            demo=demo,
            issuer=issuer,
            subject=subject,
            created_at=self._now(),
        )

        def create(connection: Connection) -> Account:
            if issuer is not None:
                known = (users.c.issuer == issuer) & (users.c.subject == subject)
                row = connection.execute(select(users).where(known)).first()
                if row is not None:
                    return _account(row)
            taken = select(users.c.user_id).where(users.c.name_key == _name_key(name))
            if connection.execute(taken).first() is not None:
                raise ConflictError("name_taken", f"an account is already named {name!r}; choose another name")
            return _account(connection.execute(statement.returning(users)).one())

        return await self._database.write(create)

    async def _those(self, query: Select[str], ids: Sequence[str]) -> frozenset[str]:
        parts = [ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE)]

        def look(connection: Connection) -> frozenset[str]:
            return frozenset(one for part in parts for (one,) in connection.execute(query, {"ids": part}))

        return await self._database.read(look) if parts else frozenset()

    async def _find(self, condition: ColumnElement[bool]) -> Account | None:
        query = select(users).where(condition)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return _account(row) if row is not None else None

    async def _change(self, user_id: UserId, **values: Any) -> None:
        def change(connection: Connection) -> None:
            _require(connection, user_id)
            connection.execute(update(users).where(users.c.user_id == user_id).values(**values))
            self._revoke(connection, sessions.c.user_id == user_id)

        await self._database.write(change)

    def _revoke(self, connection: Connection, condition: ColumnElement[bool]) -> None:
        connection.execute(
            update(sessions).where(condition, sessions.c.revoked_at.is_(None)).values(revoked_at=self._now())
        )

    def _forget_expired(self, connection: Connection, user_id: UserId) -> None:
        """Drop what can no longer be used, so that years of signing in do not pile up."""
        mine = select(sessions.c.session_id).where(sessions.c.user_id == user_id)
        connection.execute(
            delete(refresh_tokens).where(
                refresh_tokens.c.session_id.in_(mine), refresh_tokens.c.expires_at <= self._clock()
            )
        )
        connection.execute(
            delete(sessions).where(
                sessions.c.user_id == user_id,
                ~exists().where(refresh_tokens.c.session_id == sessions.c.session_id),
            )
        )

    def _problem(self, row: Row[Any] | None) -> str | None:
        if row is None:
            return "the refresh token is unknown"
        if row.revoked_at is not None:
            return "the session has ended"
        if row.used:
            return "the refresh token was used before, so its session has been ended"
        if row.expires_at <= self._clock():
            return "the refresh token has expired"
        return "the account is disabled" if row.disabled else None

    def _now(self) -> str:
        return timestamp(self._clock())


def _require(connection: Connection, user_id: UserId) -> Account:
    row = connection.execute(select(users).where(users.c.user_id == user_id)).first()
    if row is None:
        raise NotFoundError("account")
    return _account(row)


def _add_token(connection: Connection, token_hash: str, session_id: str, expires_at: float) -> None:
    connection.execute(
        insert(refresh_tokens).values(token_hash=token_hash, session_id=session_id, used=False, expires_at=expires_at)
    )


def _token_owner(connection: Connection, token_hash: str) -> Row[Any] | None:
    query = (
        select(users, sessions.c.session_id, sessions.c.revoked_at, refresh_tokens.c.used, refresh_tokens.c.expires_at)
        .select_from(refresh_tokens)
        .join(sessions, sessions.c.session_id == refresh_tokens.c.session_id)
        .join(users, users.c.user_id == sessions.c.user_id)
        .where(refresh_tokens.c.token_hash == token_hash)
    )
    return connection.execute(query).first()


def _check_name(name: str) -> None:
    if not name or name != name.strip() or not name.isprintable():
        raise InputError("name", "must be printable, not blank, and without spaces around it")
    if len(name) > _NAME_LENGTH:
        raise InputError("name", f"must have at most {_NAME_LENGTH} characters")


def _name_key(name: str) -> str:
    """The name as it is compared: two that a person reads as the same are the same (Unicode TR 15 and case folding)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _account(row: Row[Any]) -> Account:
    return Account(
        user_id=UserId(row.user_id),
        name=row.name,
        password_hash=row.password_hash,
        permissions=frozenset(row.permissions),
        disabled=row.disabled,
        demo=row.demo,
        created_at=row.created_at,
    )
