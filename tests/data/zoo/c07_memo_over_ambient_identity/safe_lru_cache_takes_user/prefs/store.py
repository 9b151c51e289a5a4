from functools import lru_cache

from . import scope

ROWS: dict[str, dict[str, str]] = {}


@lru_cache(maxsize=256)
def _load(user_id: str) -> dict[str, str]:
    return ROWS.get(user_id, {})


def load_preferences() -> dict[str, str]:
    return _load(scope.current.get().id)
