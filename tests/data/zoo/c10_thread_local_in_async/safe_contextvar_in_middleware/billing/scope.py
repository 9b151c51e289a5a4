from contextvars import ContextVar

_tenant: ContextVar[str | None] = ContextVar("tenant", default=None)


def set_tenant(tenant_id: str | None) -> None:
    _tenant.set(tenant_id)


def get_tenant() -> str | None:
    return _tenant.get()
