"""The invoicing API, with requests."""

import requests
from acme.mesh import Adapter


class ApiClient:
    session = requests.Session()
    session.mount("http://", Adapter())

    def __init__(self, token: str | None):
        if token:
            self.session.headers.update({"Authorization": f"Bearer {token}"})

    def invoices(self) -> str:
        return self.session.get("http://crm.internal/contacts").text
