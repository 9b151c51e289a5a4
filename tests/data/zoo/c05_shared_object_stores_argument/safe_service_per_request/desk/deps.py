from functools import lru_cache

from .service import SupportDesk

TICKETS: dict[str, str] = {}


@lru_cache
def tickets() -> dict[str, str]:
    return TICKETS


def get_desk() -> SupportDesk:
    return SupportDesk(tickets())
