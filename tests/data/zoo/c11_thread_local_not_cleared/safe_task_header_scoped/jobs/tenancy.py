"""The tenant of the task that runs in this thread."""

import contextlib
import threading


class _Active(threading.local):
    tenant = "public"


_active = _Active()


@contextlib.contextmanager
def tenant_of(headers: dict[str, str]):
    before = _active.tenant
    _active.tenant = headers.get("tenant", before)
    try:
        yield
    finally:
        _active.tenant = before


def current_schema() -> str:
    return _active.tenant
