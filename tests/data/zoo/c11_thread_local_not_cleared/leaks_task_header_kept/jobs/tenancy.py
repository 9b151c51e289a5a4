"""The tenant of the task that runs in this thread."""

import contextlib
import threading


class _Active(threading.local):
    tenant = "public"


_active = _Active()


@contextlib.contextmanager
def tenant_of(headers: dict[str, str]):
    if "tenant" in headers:
        _active.tenant = headers["tenant"]
    yield


def current_schema() -> str:
    return _active.tenant
