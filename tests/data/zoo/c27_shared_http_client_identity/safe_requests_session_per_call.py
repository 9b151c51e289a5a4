"""The invoicing API, with requests."""

import requests
from acme.mesh import Adapter


class ApiClient:
    def __init__(self, token: str | None):
        self.session = requests.Session()
        self.session.mount("http://", Adapter())
        if token:
            self.session.headers.update({"Authorization": f"Bearer {token}"})

    def invoices(self) -> str:
        return self.session.get("http://crm.internal/contacts").text
