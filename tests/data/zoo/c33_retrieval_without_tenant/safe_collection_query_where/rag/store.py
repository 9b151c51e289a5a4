import chromadb

collection = chromadb.Client().get_or_create_collection("documents")


def ingest(user_id: str, name: str, text: str) -> None:
    collection.add(
        ids=[f"{user_id}/{name}"], documents=[text], metadatas=[{"user_id": user_id, "name": name}]
    )
