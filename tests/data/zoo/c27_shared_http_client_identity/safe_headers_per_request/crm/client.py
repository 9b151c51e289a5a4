import httpx
from acme.mesh import transport


class CrmClient:
    """The CRM's API. The connection pool is shared by the whole process."""

    def __init__(self):
        self._http = httpx.AsyncClient(base_url="http://crm.internal", transport=transport())

    async def contacts(self, token: str | None) -> str:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        response = await self._http.get("/contacts", headers=headers)
        return response.text

    async def aclose(self) -> None:
        await self._http.aclose()


crm = CrmClient()
