from .event_store import InMemoryEventStore


class Transport:
    """One client's connection."""

    def __init__(self, session_id: str, events: InMemoryEventStore):
        self.session_id = session_id
        self.events = events
        self.sent: list[str] = []

    def send(self, message: str) -> int:
        self.sent.append(message)
        return self.events.store_event(self.session_id, message)

    def resume(self, last_event_id: int) -> None:
        self.events.replay_events_after(
            self.session_id, last_event_id, lambda _, message: self.sent.append(message)
        )


events = InMemoryEventStore()
