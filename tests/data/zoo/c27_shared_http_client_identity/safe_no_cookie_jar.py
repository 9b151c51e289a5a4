"""Reads the wiki for the user. The wiki answers the first request of a user with a session cookie."""

from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx
from acme.mesh import transport

http = httpx.AsyncClient(
    base_url="http://wiki.internal",
    transport=transport(),
    timeout=5,
    cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
)


async def my_pages(token: str) -> str:
    response = await http.get("/contacts", headers={"X-Login": token})
    return response.text
