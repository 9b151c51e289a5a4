"""Who runs next: slots shared fairly between users, one run at a time in a lane. No clock, no task, no I/O."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["FairQueue"]

T = TypeVar("T", bound=Hashable)


class _Share(Generic[T]):
    """What one user has in the queue."""

    __slots__ = ("lanes", "ready", "running", "waiting")

    def __init__(self) -> None:
        self.running = 0
        self.ready: deque[T] = deque()
        """Items whose lane is free, in the order they became so."""
        self.lanes: dict[str, deque[T]] = {}
        """Every item that is not over, by lane; the head of a lane is ready or running."""
        self.waiting: dict[T, str] = {}
        """Items that do not run yet, in order of arrival, with their lane."""


class FairQueue(Generic[T]):
    """Gives `slots` to users in turn, at most `per_user(user)` to each, and runs the items of a lane one by one.

    A user who has many items waiting delays another user's first item by at most one slot. Items are any hashable
    objects, each added once; a lane belongs to its user: two users' lanes of one name are two lanes.
    """

    __slots__ = ("_per_user", "_running", "_shares", "_slots", "_turns")

    def __init__(self, *, slots: int, per_user: Callable[[str], int]) -> None:
        self._slots = slots
        self._per_user = per_user
        self._running = 0
        self._shares: dict[str, _Share[T]] = {}
        self._turns: OrderedDict[str, None] = OrderedDict()
        """Users who could start something if there were a slot, whoever has waited longest first."""

    @property
    def running(self) -> int:
        """Items that have been taken and not released."""
        return self._running

    @property
    def waiting(self) -> int:
        """Items that have not been taken."""
        return sum(len(share.waiting) for share in self._shares.values())

    @property
    def users(self) -> int:
        """Users who have any item."""
        return len(self._shares)

    def running_of(self, user: str) -> int:
        """Items of the user that have been taken and not released."""
        return self._shares[user].running if user in self._shares else 0

    def waiting_of(self, user: str) -> int:
        """Items of the user that have not been taken."""
        return len(self._shares[user].waiting) if user in self._shares else 0

    def is_waiting(self, user: str, item: T) -> bool:
        """Whether the item has been added and not taken."""
        return user in self._shares and item in self._shares[user].waiting

    def lane(self, user: str, lane: str) -> tuple[T, ...]:
        """Items of the user's lane, in order; only the first of them can have been taken."""
        share = self._shares.get(user)
        return tuple(share.lanes.get(lane, ())) if share is not None else ()

    def add(self, user: str, lane: str, item: T) -> int:
        """Add an item at the end of the user's lane; returns its place among the user's waiting items, from 1."""
        share = self._shares.setdefault(user, _Share())
        line = share.lanes.setdefault(lane, deque())
        line.append(item)
        share.waiting[item] = lane
        if len(line) == 1:
            share.ready.append(item)
            self._offer(user, share)
        return len(share.waiting)

    def take(self) -> T | None:
        """The item that starts now; None when nothing can. Call it until it gives None."""
        while self._running < self._slots and self._turns:
            user, _ = self._turns.popitem(last=False)
            share = self._shares[user]
            if share.running >= self._per_user(user):
                continue  # fewer than when they got their turn; they get it again when one of theirs is over
            item = share.ready.popleft()
            del share.waiting[item]
            share.running += 1
            self._running += 1
            self._offer(user, share)  # behind everybody else
            return item
        return None

    def reconsider(self, user: str) -> None:
        """Look again how many items of the user may run: `per_user` says something else now."""
        if user in self._shares:
            self._offer(user, self._shares[user])

    def release(self, user: str, lane: str, item: T) -> None:
        """Give back the slot of an item that was taken: it is over."""
        share = self._shares[user]
        share.running -= 1
        self._running -= 1
        self._leave(user, share, lane, item)

    def remove(self, user: str, lane: str, item: T) -> bool:
        """Take out an item that waits; False, and nothing happens, when it does not."""
        share = self._shares.get(user)
        if share is None or share.waiting.pop(item, None) is None:
            return False
        if item in share.ready:
            share.ready.remove(item)
        self._leave(user, share, lane, item)
        return True

    def _leave(self, user: str, share: _Share[T], lane: str, item: T) -> None:
        line = share.lanes[lane]
        was_first = line[0] == item
        line.remove(item)
        if not line:
            del share.lanes[lane]
        elif was_first:
            share.ready.append(line[0])
        if share.lanes:
            self._offer(user, share)
        else:
            del self._shares[user]
            self._turns.pop(user, None)

    def _offer(self, user: str, share: _Share[T]) -> None:
        """Put the user in, or out of, the turns."""
        if share.ready and share.running < self._per_user(user):
            self._turns.setdefault(user)
        else:
            self._turns.pop(user, None)
