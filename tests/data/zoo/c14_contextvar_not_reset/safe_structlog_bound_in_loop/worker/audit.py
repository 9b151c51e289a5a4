"""The trail that users may download: each line says in whose name something was done."""

import structlog
from structlog.contextvars import get_contextvars

log = structlog.get_logger()


def record(action: str) -> dict:
    log.debug("done", action=action)
    return {"action": action, **get_contextvars()}
