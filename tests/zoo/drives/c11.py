"""One thread of a pool serves Alice, and then someone without an identity."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.zoo.stage import Stage

__all__ = ["jobs", "wsgi"]


def wsgi(stage: Stage) -> tuple[str, str]:
    request = stage.load("django.http").HttpRequest
    alice = stage.load("acme.auth").User("alice")
    stage.module.DRAFTS["alice"] = stage.alice.canary
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(stage.module.application, request(user=alice)).result()
        second = pool.submit(stage.module.application, request(user=None)).result()
    return first.text, second.text


def jobs(stage: Stage) -> tuple[str, str]:
    stage.module.SCHEMAS["alice"] = [stage.alice.canary]
    export = stage.module.export
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(export.apply_async, headers={"tenant": "alice"}).result()
        second = pool.submit(export.apply_async).result()
    return first, second
