"""A small pre-forking server: each job is handled by a process of its own."""

import os
import sys

import kvstore
from settings import STORE

store = kvstore.connect(STORE)


def handle(user_id: str) -> None:
    print(f"{user_id}\t{store.get(user_id)}", flush=True)


def start(user_id: str) -> int:
    pid = os.fork()
    if pid == 0:
        handle(user_id)
        sys.stdout.flush()
        os._exit(0)
    return pid


def join(pid: int) -> None:
    os.waitpid(pid, 0)
