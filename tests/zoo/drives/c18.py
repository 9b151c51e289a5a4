"""Two users run the same query one after another."""

from __future__ import annotations

from tests.zoo.stage import Stage

__all__ = ["lazy", "repository"]


def repository(stage: Stage) -> tuple[str, str]:
    stage.module.add("alice", stage.alice.canary)
    stage.module.add("bob", stage.bob.canary)
    return str(stage.module.notes_of("alice")), str(stage.module.notes_of("bob"))


def lazy(stage: Stage) -> tuple[str, str]:
    search = stage.module.search
    for person in (stage.alice, stage.bob):
        search.pages.append({"owner": person.name, "text": f"diary {person.canary}"})
    return str(search.search("alice", "diary")), str(search.search("bob", "diary"))
