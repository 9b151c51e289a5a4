"""A small pre-forking server: each job is handled by a process of its own."""

import os
import sys

import psycopg2
from settings import DATABASE

connection = None


def handle(user_id: str) -> None:
    global connection
    connection = connection or psycopg2.connect(DATABASE)
    with connection.cursor() as cursor:
        cursor.execute("SELECT address FROM users WHERE id = %s", (user_id,))
        (address,) = cursor.fetchone()
    print(f"{user_id}\t{address}", flush=True)


def start(user_id: str) -> int:
    pid = os.fork()
    if pid == 0:
        handle(user_id)
        sys.stdout.flush()
        os._exit(0)
    return pid


def join(pid: int) -> None:
    os.waitpid(pid, 0)
