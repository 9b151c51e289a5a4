"""Reads the wiki for the user. The wiki answers the first request of a user with a session cookie."""

import httpx
from acme.mesh import transport

http = httpx.AsyncClient(base_url="http://wiki.internal", transport=transport(), timeout=5)


async def my_pages(token: str) -> str:
    response = await http.get("/contacts", headers={"X-Login": token})
    return response.text
