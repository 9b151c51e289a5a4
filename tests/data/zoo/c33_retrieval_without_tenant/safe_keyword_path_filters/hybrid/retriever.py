from .index import Chunk, Index

index = Index()


class HybridRetriever:
    def __init__(self, tenant: str, k: int = 3):
        self.tenant = tenant
        self.k = k

    def retrieve(self, query: str) -> list[str]:
        filters = {"tenant": self.tenant}
        vector = index.vector_search(query, self.k, filters)
        keyword = index.keyword_search(query, self.k, filters)
        return [chunk.text for chunk in fuse(vector, keyword)]


def fuse(*rankings: list[Chunk]) -> list[Chunk]:
    fused: list[Chunk] = []
    for ranking in rankings:
        fused += [chunk for chunk in ranking if chunk not in fused]
    return fused


def retrieve(tenant: str, query: str) -> list[str]:
    return HybridRetriever(tenant).retrieve(query)
