"""Keeps what was sent on each stream, so that a client can go on after the last event it saw."""

from dataclasses import dataclass


@dataclass
class Stored:
    event_id: int
    stream_id: str
    message: str


class InMemoryEventStore:
    def __init__(self):
        self._events: list[Stored] = []

    def store_event(self, stream_id: str, message: str) -> int:
        self._events.append(Stored(len(self._events), stream_id, message))
        return self._events[-1].event_id

    def replay_events_after(self, stream_id: str, last_event_id: int, send) -> None:
        for stored in self._events[last_event_id + 1 :]:
            send(stream_id, stored.message)
