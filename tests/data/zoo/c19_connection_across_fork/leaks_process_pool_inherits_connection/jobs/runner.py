import multiprocessing

from .database import fetch_value

context = multiprocessing.get_context("fork")


def warm_up() -> None:
    fetch_value("SELECT version FROM alembic_version WHERE branch = %s", "main")


def handle(user_id: str) -> None:
    address = fetch_value("SELECT address FROM users WHERE id = %s", user_id)
    print(f"{user_id}\t{address}", flush=True)


def start(user_id: str) -> multiprocessing.Process:
    process = context.Process(target=handle, args=(user_id,))
    process.start()
    return process


def join(process: multiprocessing.Process) -> None:
    process.join()


warm_up()
