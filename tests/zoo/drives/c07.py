"""Two users ask for their own data one after another; the function they reach takes no argument."""

from __future__ import annotations

from contextvars import copy_context

from tests.zoo.stage import Stage
from tests.zoo.traffic import site

__all__ = ["dashboard", "greeting", "prefs"]


async def prefs(stage: Stage) -> tuple[str, str]:
    async with site(stage.module.app, stage.alice, stage.bob) as (alice, bob):
        await alice.put("/preferences", json={"text": stage.alice.canary})
        await bob.put("/preferences", json={"text": stage.bob.canary})
        first, second = await alice.get("/preferences"), await bob.get("/preferences")
    return first.text, second.text


def greeting(stage: Stage) -> tuple[str, str]:
    app = stage.module.app
    for person in (stage.alice, stage.bob):
        app.open("POST", "/name", person.headers, json_body={"text": person.canary})
    return app.open("GET", "/", stage.alice.headers).text, app.open("GET", "/", stage.bob.headers).text


def dashboard(stage: Stage) -> tuple[str, str]:
    streamlit = stage.load("streamlit")
    stage.module.INVOICES.update(alice=[stage.alice.canary], bob=[stage.bob.canary])

    def visit(name: str) -> str:
        streamlit.open_session(user_id=name)
        return str(stage.module.page())

    return copy_context().run(visit, "alice"), copy_context().run(visit, "bob")
