"""Alice's documents are indexed; Bob asks about what is in them."""

from __future__ import annotations

from tests.zoo.stage import Stage

__all__ = ["hybrid", "rag", "sql"]


async def rag(stage: Stage) -> tuple[str, str]:
    stage.load("rag.store").ingest("alice", "cv", f"salary expectation {stage.alice.canary}")
    stage.load("rag.store").ingest("bob", "cv", "hobbies chess")
    answer = stage.module.answer
    return await answer("alice", "which salary expectation"), await answer("bob", "which salary expectation")


def hybrid(stage: Stage) -> tuple[str, str]:
    chunk = stage.load("hybrid.index").Chunk
    for person in (stage.alice, stage.bob):
        stage.module.index.chunks.append(chunk(f"salary {person.canary}", {"tenant": person.name}))
    retrieve = stage.module.retrieve
    return str(retrieve("alice", "salary")), str(retrieve("bob", "salary"))


def sql(stage: Stage) -> tuple[str, str]:
    for person in (stage.alice, stage.bob):
        stage.module.add(person.name, f"salary {person.canary}")
    first, second = stage.module.search("alice", "salary"), stage.module.search("bob", "salary")
    stage.module.connection.close()
    return str(first), str(second)
