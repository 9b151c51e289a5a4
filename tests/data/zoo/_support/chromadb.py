"""Stands in for Chroma: a collection that finds the documents that share most words with the query."""


class Collection:
    def __init__(self):
        self._rows = []

    def add(self, ids, documents, metadatas):
        self._rows += zip(ids, documents, metadatas, strict=True)

    def query(self, query_texts, n_results=10, where=None):
        words = set(query_texts[0].lower().split())
        rows = [row for row in self._rows if all(row[2].get(name) == value for name, value in (where or {}).items())]
        rows.sort(key=lambda row: -len(words & set(row[1].lower().split())))
        return {"ids": [[row[0] for row in rows[:n_results]]], "documents": [[row[1] for row in rows[:n_results]]]}


class Client:
    def __init__(self):
        self._collections = {}

    def get_or_create_collection(self, name):
        return self._collections.setdefault(name, Collection())
