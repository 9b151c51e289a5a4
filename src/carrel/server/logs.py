"""Logging: structlog for carrel and, through the same processors, for uvicorn and every library."""

from __future__ import annotations

import logging
import re
import sys
from types import MappingProxyType
from typing import Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from carrel.server.settings import Settings

__all__ = ["configure_logging", "redact", "without_query"]

_SECRET_KEYS: Final = frozenset(
    {"access_token", "api_key", "authorization", "cookie", "password", "refresh_token", "secret", "token"}
)
HIDDEN: Final = "[hidden]"
# What a secret looks like in the middle of a text: a JWT, a Bearer header, a password in a form or URL.
_SECRETS: Final = re.compile(
    r"eyJ[\w-]{6,}\.[\w-]+\.[\w-]*"
    r"|(?<=Bearer )\S+"
    r"|(?<=password=)[^&\s]+"
    r"|(?<=token=)[^&\s]+"
    r"|(?<=secret=)[^&\s]+",
    re.IGNORECASE,
)
_QUERY: Final = re.compile(r"\?\S*")


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Hide values whose names or looks say that they are secret. The second line of defence: nothing logs them."""
    for key, value in event.items():
        if key.lower() in _SECRET_KEYS:
            event[key] = HIDDEN
        elif isinstance(value, str):
            event[key] = _SECRETS.sub(HIDDEN, value)
    return event


def without_query(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Cut query strings out of uvicorn's messages, which name the whole path; a client may have put a secret there."""
    if str(event.get("logger", "")).startswith("uvicorn") and isinstance(event.get("event"), str):
        event["event"] = _QUERY.sub("", event["event"])
    return event


def configure_logging(settings: Settings, stream: TextIO | None = None) -> None:
    """Send every log record of the process to `stream` (standard error): text in development, JSON in production."""
    stream = stream or sys.stderr
    shared: tuple[Processor, ...] = (
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        without_query,
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_rendering(settings, colours=stream.isatty()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for name, level in _LEVELS.items():
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(level)


# uvicorn says which sockets it accepts at INFO; carrel's own access log says it with the user.
_LEVELS: Final = MappingProxyType(
    {
        "uvicorn": logging.NOTSET,
        "uvicorn.error": logging.WARNING,
        "uvicorn.access": logging.CRITICAL,
        "uvicorn.asgi": logging.NOTSET,
        "alembic": logging.WARNING,
    }
)


def _rendering(settings: Settings, *, colours: bool) -> tuple[Processor, ...]:
    # Tracebacks are written without local variables, which hold passwords and other people's data.
    if settings.production:
        return (structlog.processors.format_exc_info, redact, structlog.processors.JSONRenderer())
    return (
        structlog.processors.format_exc_info,
        redact,
        structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback),
    )
