"""Full-text search over notes, in SQL."""

import sqlite3

connection = sqlite3.connect(":memory:")
connection.execute("CREATE TABLE chunks (tenant_id TEXT, text TEXT)")

SEARCH = """
    SELECT text FROM chunks WHERE text LIKE '%' || :words || '%' ORDER BY length(text) LIMIT :k
"""


def add(tenant_id: str, text: str) -> None:
    connection.execute("INSERT INTO chunks VALUES (?, ?)", (tenant_id, text))


def search(tenant_id: str, words: str, k: int = 5) -> list[str]:
    return [text for (text,) in connection.execute(SEARCH, {"tenant": tenant_id, "words": words, "k": k})]
