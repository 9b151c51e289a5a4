"""Small JSON values that agents keep for a user, in SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert

from carrel.context import UserContext, check_ambient
from carrel.errors import InputError
from carrel.runtime.meters import UserMeters
from carrel.storage.database import Database
from carrel.storage.limits import Space
from carrel.storage.schema.tables import user_values

__all__ = ["SqliteUserStore"]

_KEY_LENGTH: Final = 256
_VALUE_SIZE: Final = 64 * 1024


class SqliteUserStore:
    """A `UserStore` on the database. Keys are 1 to 256 characters, else `InputError`.

    `meters` say how much a user may have; whoever has more can only delete.
    """

    def __init__(self, database: Database, *, meters: UserMeters | None = None) -> None:
        self._database = database
        self._space = Space(meters)

    async def get_value(self, context: UserContext, key: str) -> Any:
        check_ambient(context, "the user store")
        query = select(user_values.c.value).where(user_values.c.user_id == context.user_id, user_values.c.key == key)
        value = await self._database.read(lambda connection: connection.execute(query).scalar_one_or_none())
        return None if value is None else msgspec.json.decode(value)

    async def put_value(self, context: UserContext, key: str, value: Any) -> None:
        check_ambient(context, "the user store")
        if not 1 <= len(key) <= _KEY_LENGTH:
            raise InputError("key", f"must have 1 to {_KEY_LENGTH} characters")
        new = insert(user_values).values(user_id=context.user_id, key=key, value=_encoded(value))
        statement = new.on_conflict_do_update(
            index_elements=[user_values.c.user_id, user_values.c.key], set_={"value": new.excluded.value}
        )

        def put(connection: Connection) -> None:
            self._space.check(connection, context)
            connection.execute(statement)

        with self._space.counted(context):
            await self._database.write(put)

    async def delete_value(self, context: UserContext, key: str) -> None:
        check_ambient(context, "the user store")
        statement = delete(user_values).where(user_values.c.user_id == context.user_id, user_values.c.key == key)
        await self._database.write(lambda connection: connection.execute(statement))

    async def list_keys(self, context: UserContext, prefix: str = "") -> Sequence[str]:
        check_ambient(context, "the user store")
        query = select(user_values.c.key).where(user_values.c.user_id == context.user_id).order_by(user_values.c.key)
        if prefix:
            # Compared as text, not by LIKE: a per cent sign is a character like any other, and case counts.
            query = query.where(user_values.c.key >= prefix)
        keys = await self._database.read(lambda connection: connection.execute(query).scalars().all())
        return [key for key in keys if key.startswith(prefix)]


def _encoded(value: Any) -> str:
    try:
        encoded = msgspec.json.encode(value)
    except (TypeError, ValueError) as error:
        raise InputError("value", f"is not JSON: {error}") from error
    if len(encoded) > _VALUE_SIZE:
        raise InputError("value", f"has {len(encoded)} bytes as JSON; at most {_VALUE_SIZE} are kept")
    return encoded.decode()
