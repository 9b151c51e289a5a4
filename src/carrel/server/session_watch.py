"""Closes the connections of sessions that another process ended: `carrel user disable`, `carrel user passwd`."""

from __future__ import annotations

from typing import Final

from carrel.delivery.manager import WebSocketManager
from carrel.server.authenticator import EXTERNAL_SESSION
from carrel.storage.accounts import AccountStore

__all__ = ["SessionWatch"]

_ENDED: Final = (4501, "the session has ended")


class SessionWatch:
    """Asks the database about the sessions that have connections here, and about no other."""

    def __init__(self, accounts: AccountStore, connections: WebSocketManager) -> None:
        self._accounts = accounts
        self._connections = connections

    async def look(self) -> None:
        """Close what belongs to an ended session or a disabled account. Raises `StorageError`."""
        connected = self._connections.sessions()
        external = {session: user for session, user in connected.items() if session.startswith(EXTERNAL_SESSION)}
        active = await self._accounts.active_sessions([one for one in connected if one not in external])
        enabled = await self._accounts.enabled_accounts(list(external.values()))
        for session, user in connected.items():
            if session not in active and not (session in external and user in enabled):
                await self._connections.close_session(session, *_ENDED)
