"""What counts as held from the first to the last use of a name."""

from __future__ import annotations

import pytest

from carrel.audit.locked import readers_under_lock
from tests.audit.checking import view


@pytest.mark.parametrize(
    ("body", "readers"),
    [
        ("async with turn:\n        who = user\n        await of()", ["of"]),
        ("async with turn:\n        who = user\n        print(who)", ["of"]),
        ("async with turn:\n        who = user\n        create_task(of())", None),
        ("async with turn:\n        who = user\n        later(of)", None),
        ("async with turn:\n        who = user\n    await of()", None),
        ("with turn:\n        who = user\n        await of()", None),
        ("who = user\n    await of()", None),
    ],
)
def test_a_lock_around_what_reads_the_name(body: str, readers: list[str] | None) -> None:
    seen = view(
        "import asyncio\nturn = asyncio.Lock()\nwho = None\nasync def of():\n    return who\n"
        f"async def serve(user):\n    global who\n    {body}\n"
    )
    (mutation,) = seen.mutations
    found = readers_under_lock(seen, mutation)
    assert (None if found is None else [one.name for one in found]) == readers
