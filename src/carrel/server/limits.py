"""Keeps a running server at the limits that the database says, whoever changes them there."""

from __future__ import annotations

import structlog

from carrel.errors import SettingsError
from carrel.runtime.meters import UserMeters
from carrel.runtime.scheduler import RunScheduler
from carrel.storage.limits import LimitStore

__all__ = ["LimitWatch"]

_log = structlog.get_logger(__name__)


class LimitWatch:
    """Looks for what was set for single users since it looked last, and how much is stored for who has runs going."""

    def __init__(self, store: LimitStore, meters: UserMeters, scheduler: RunScheduler) -> None:
        self._store = store
        self._meters = meters
        self._scheduler = scheduler
        self._seen = 0

    async def look(self) -> None:
        """Take over every change. Raises `StorageError` when the database cannot be read."""
        for change in await self._store.changed_after(self._seen):
            self._seen = change.change
            try:
                self._scheduler.override(change.user_id, change.overrides)
            except SettingsError as error:
                # Another version's, or written by hand: what this one understands goes on as it was.
                _log.error("a user's limits are not understood", problem=str(error), user_id=change.user_id)
        busy = self._meters.busy_users()
        if busy:
            for user_id, size in (await self._store.stored_for(busy)).items():
                self._meters.of(user_id).stored(size)
