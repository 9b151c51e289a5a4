import os
from functools import lru_cache

import kvstore


@lru_cache(maxsize=1)
def _client(pid: int) -> kvstore.Client:
    return kvstore.connect(os.environ["KV_SOCKET"])


def client() -> kvstore.Client:
    return _client(os.getpid())
