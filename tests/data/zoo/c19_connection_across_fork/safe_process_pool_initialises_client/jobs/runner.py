import multiprocessing

from .store import client

context = multiprocessing.get_context("fork")


def warm_up() -> None:
    client().get("schema-version")


def handle(user_id: str) -> None:
    print(f"{user_id}\t{client().get(user_id)}", flush=True)


def start(user_id: str) -> multiprocessing.Process:
    process = context.Process(target=handle, args=(user_id,))
    process.start()
    return process


def join(process: multiprocessing.Process) -> None:
    process.join()


warm_up()
