from . import scope

CALENDAR: dict[str, list[str]] = {}


def add_event(user_id: str, title: str) -> None:
    CALENDAR.setdefault(user_id, []).append(title)


async def list_events() -> list[str]:
    """The user's events. Called by the model, which knows nothing of users."""
    return CALENDAR.get(scope.active(), [])
