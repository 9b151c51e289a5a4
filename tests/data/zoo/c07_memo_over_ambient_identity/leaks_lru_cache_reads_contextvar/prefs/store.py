from functools import lru_cache

from . import scope

ROWS: dict[str, dict[str, str]] = {}


@lru_cache(maxsize=256)
def load_preferences() -> dict[str, str]:
    return ROWS.get(scope.current.get().id, {})
