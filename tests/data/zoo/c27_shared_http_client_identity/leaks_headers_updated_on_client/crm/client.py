import httpx
from acme.mesh import transport


class CrmClient:
    """The CRM's API. The connection pool is shared by the whole process."""

    def __init__(self):
        self._http = httpx.AsyncClient(base_url="http://crm.internal", transport=transport())

    async def contacts(self, token: str | None) -> str:
        if token:
            self._http.headers["Authorization"] = f"Bearer {token}"
        response = await self._http.get("/contacts")
        return response.text

    async def aclose(self) -> None:
        await self._http.aclose()


crm = CrmClient()
