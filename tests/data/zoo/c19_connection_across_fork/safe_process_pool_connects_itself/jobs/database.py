import os
from functools import lru_cache

import psycopg2


@lru_cache(maxsize=1)
def _connection(pid: int):
    return psycopg2.connect(os.environ["DATABASE_URL"])


def connection():
    return _connection(os.getpid())


def fetch_value(query: str, *parameters: str) -> str:
    with connection().cursor() as cursor:
        cursor.execute(query, parameters)
        (value,) = cursor.fetchone()
    return value
