"""Two users read their own page through a cache that follows RFC 9111 and is shared by both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.zoo.stage import Stage
from tests.zoo.traffic import site

__all__ = ["cookies", "proxy"]


@dataclass
class SharedCache:
    """Stores what a shared cache may store, by path and by the request headers that `Vary` names."""

    kept: dict[str, tuple[dict[str, str], str]] = field(default_factory=dict)

    def find(self, path: str, asked: Mapping[str, str]) -> str | None:
        same, text = self.kept.get(path, ({}, None))
        return text if all(asked.get(name, "") == value for name, value in same.items()) else None

    def offer(self, path: str, asked: Mapping[str, str], answered: Mapping[str, str], text: str) -> None:
        directives = {part.strip().partition("=")[0] for part in answered.get("Cache-Control", "").split(",")}
        if directives & {"private", "no-store", "no-cache"} or not directives & {"max-age", "s-maxage"}:
            return
        if "Authorization" in asked and not directives & {"public", "s-maxage", "must-revalidate"}:
            return
        names = [name.strip() for name in answered.get("Vary", "").split(",") if name.strip()]
        self.kept[path] = ({name: asked.get(name, "") for name in names}, text)


async def proxy(stage: Stage) -> tuple[str, str]:
    cache = SharedCache()
    seen = {}
    async with site(stage.module.app, stage.alice, stage.bob) as browsers:
        for person, browser in zip((stage.alice, stage.bob), browsers, strict=True):
            await browser.put("/account", json={"text": person.canary})
            text = cache.find("/account", person.headers)
            if text is None:
                response = await browser.get("/account")
                answered = {"Cache-Control": response.headers.get("cache-control", "")}
                cache.offer("/account", person.headers, answered, response.text)
                text = response.text
            seen[person.name] = text
    return seen["alice"], seen["bob"]


def cookies(stage: Stage) -> tuple[str, str]:
    cache = SharedCache()
    visit: Callable[..., object] = stage.module.app.open
    seen = {}
    for person in (stage.alice, stage.bob):
        visit("PUT", "/profile", cookies={"session": person.token}, json_body={"text": person.canary})
        asked = {"Cookie": f"session={person.token}"}
        text = cache.find("/profile", asked)
        if text is None:
            response = stage.module.app.open("GET", "/profile", cookies={"session": person.token})
            cache.offer("/profile", asked, response.headers, response.text)
            text = response.text
        seen[person.name] = text
    return seen["alice"], seen["bob"]
