import threading

_local = threading.local()


def set_tenant(tenant_id: str | None) -> None:
    _local.tenant_id = tenant_id


def get_tenant() -> str | None:
    return getattr(_local, "tenant_id", None)
