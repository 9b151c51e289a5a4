from collections import defaultdict, deque


class ReplayBuffer:
    """The last events, for clients that come back with `Last-Event-ID`."""

    def __init__(self, size: int = 256):
        self._events: defaultdict[str, deque[tuple[int, str]]] = defaultdict(lambda: deque(maxlen=size))
        self._next = 1

    def add(self, user_id: str, data: str) -> int:
        number, self._next = self._next, self._next + 1
        self._events[user_id].append((number, data))
        return number

    def after(self, user_id: str, last: int) -> list[tuple[int, str]]:
        return [event for event in self._events[user_id] if event[0] > last]
