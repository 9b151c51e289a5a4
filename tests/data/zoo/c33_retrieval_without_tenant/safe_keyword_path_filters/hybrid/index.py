"""Two indexes over the same chunks."""

from dataclasses import dataclass, field


@dataclass
class Chunk:
    text: str
    metadata: dict[str, str] = field(default_factory=dict)

    def matches(self, filters: dict[str, str] | None) -> bool:
        return all(self.metadata.get(name) == value for name, value in (filters or {}).items())


class Index:
    def __init__(self):
        self.chunks: list[Chunk] = []

    def vector_search(self, query: str, k: int, filters: dict[str, str] | None = None) -> list[Chunk]:
        near = sorted(self.chunks, key=lambda chunk: abs(len(chunk.text) - len(query)))
        return [chunk for chunk in near if chunk.matches(filters)][:k]

    def keyword_search(self, query: str, k: int, filters: dict[str, str] | None = None) -> list[Chunk]:
        words = set(query.lower().split())
        hits = [chunk for chunk in self.chunks if words & set(chunk.text.lower().split())]
        return [chunk for chunk in hits if chunk.matches(filters)][:k]
