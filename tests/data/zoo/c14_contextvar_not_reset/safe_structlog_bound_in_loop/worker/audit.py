"""The trail that users may download: each line says in whose name something was done."""

import structlog
from structlog.contextvars import get_contextvars

log = structlog.get_logger()
trail: list[dict] = []


def record(action: str) -> dict:
    line = {"action": action, **get_contextvars()}
    trail.append(line)
    return line
