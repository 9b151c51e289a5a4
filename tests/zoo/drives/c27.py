"""Alice's call of another service is followed by Bob's."""

from __future__ import annotations

from tests.zoo.stage import Stage

__all__ = ["crm", "invoices", "wiki"]


async def crm(stage: Stage) -> tuple[str, str]:
    """Bob has not connected his account yet, so there is no token of his."""
    stage.load("acme.mesh").stored[stage.alice.token] = stage.alice.canary
    client = stage.module.crm
    first, second = await client.contacts(stage.alice.token), await client.contacts(None)
    await client.aclose()
    return first, second


async def wiki(stage: Stage) -> tuple[str, str]:
    for person in (stage.alice, stage.bob):
        stage.load("acme.mesh").stored[person.token] = person.canary
    first, second = await stage.module.my_pages(stage.alice.token), await stage.module.my_pages(stage.bob.token)
    await stage.module.http.aclose()
    return first, second


def invoices(stage: Stage) -> tuple[str, str]:
    stage.load("acme.mesh").stored[stage.alice.token] = stage.alice.canary
    client = stage.module.ApiClient
    return client(stage.alice.token).invoices(), client(None).invoices()
