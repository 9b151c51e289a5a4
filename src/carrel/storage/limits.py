"""What single users may use, kept in the database, and how much of it is in there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select

from carrel.context import UserContext, UserId, check_ambient
from carrel.errors import LimitExceededError
from carrel.runtime.limits import RunLimits, overridden
from carrel.runtime.meters import UserMeters
from carrel.storage.database import Database
from carrel.storage.schema.limits import stored_bytes, user_limits

__all__ = ["LimitChange", "LimitStore", "Space"]

_STORED: Final = select(stored_bytes.c.bytes).where(stored_bytes.c.user_id == bindparam("user"))
_LIMIT: Final = "stored_bytes"


class LimitChange(NamedTuple):
    """What one user may use, as it was set last."""

    change: int
    """Counts the changes of all users, upwards."""
    user_id: UserId
    overrides: Mapping[str, float]
    """The limits that are other than everybody's, by name."""


class LimitStore:
    """The limits that were set for single users. Used by who runs the server: it takes no context."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def overrides_of(self, user_id: UserId) -> Mapping[str, float]:
        """The limits that are other for this user than for everybody."""
        query = select(user_limits.c.overrides).where(user_limits.c.user_id == user_id)
        found = await self._database.read(lambda connection: connection.execute(query).scalar_one_or_none())
        return found or {}

    async def change(self, user_id: UserId, changes: Mapping[str, float | None]) -> Mapping[str, float]:
        """Set limits of one user, None for the same as everybody's; all that are other now.

        Raises `SettingsError` naming a limit that is none or a value that is not accepted; nothing is changed then.
        """
        overridden(RunLimits(), {name: 1 if value is None else value for name, value in changes.items()})

        def change(connection: Connection) -> Mapping[str, float]:
            mine = user_limits.c.user_id == user_id
            before = connection.execute(select(user_limits.c.overrides).where(mine)).scalar_one_or_none() or {}
            after = {name: value for name, value in {**before, **changes}.items() if value is not None}
            # Anew, and with nothing left also: the number of the change tells a running server that there was one.
            connection.execute(delete(user_limits).where(mine))
            connection.execute(insert(user_limits).values(user_id=user_id, overrides=after))
            return after

        return await self._database.write(change)

    async def changed_after(self, change: int) -> Sequence[LimitChange]:
        """What was set after a change, in order; after 0 is everything."""
        query = select(user_limits).where(user_limits.c.change > change).order_by(user_limits.c.change)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [LimitChange(row.change, UserId(row.user_id), row.overrides) for row in rows]

    async def stored_for(self, user_ids: Sequence[UserId]) -> Mapping[UserId, int]:
        """Bytes that are kept for each of these users."""

        def look(connection: Connection) -> Mapping[UserId, int]:
            return {user: connection.execute(_STORED, {"user": user}).scalar_one_or_none() or 0 for user in user_ids}

        return await self._database.read(look)


class Space:
    """Keeps users within `stored_bytes`, and counts who was refused; without meters there is no limit."""

    __slots__ = ("_meters",)

    def __init__(self, meters: UserMeters | None) -> None:
        self._meters = meters

    def check(self, connection: Connection, context: UserContext) -> None:
        """Raise `LimitExceededError` when as much is kept for the user as may be. Belongs into the transaction."""
        if self._meters is None:
            return
        allowed = self._meters.limits_of(context.user_id).stored_bytes
        if (connection.execute(_STORED, {"user": context.user_id}).scalar_one_or_none() or 0) >= allowed:
            raise LimitExceededError(_LIMIT, allowed)

    @contextmanager
    def counted(self, context: UserContext) -> Iterator[None]:
        """What `check` refused inside is counted: belongs round the transaction, on the event loop."""
        check_ambient(context, "the space of a user")
        try:
            yield
        except LimitExceededError as error:
            if self._meters is not None:
                self._meters.of(context.user_id).refused(error.limit)
            raise
