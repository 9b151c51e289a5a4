"""The service mesh: internal hosts are reached without a network.

Every internal host knows a user by `Authorization` or, once signed in with `X-Login`, by a session cookie.
"""

import io

import httpx

stored = {}


def _answer(headers):
    """The text, and the cookie to set."""
    cookie = headers.get("cookie", "").removeprefix("session=")
    login = headers.get("x-login", "")
    token = headers.get("authorization", "").removeprefix("Bearer ")
    return stored.get(cookie or login or token, "please sign in"), login if login and not cookie else ""


def transport():
    def respond(request):
        text, cookie = _answer(request.headers)
        return httpx.Response(200, text=text, headers={"Set-Cookie": f"session={cookie}"} if cookie else {})

    return httpx.MockTransport(respond)


class Adapter:
    """The same for requests."""

    def send(self, request, **options):
        import requests

        response = requests.Response()
        response.status_code = 200
        response.request, response.url = request, request.url
        lower = {name.lower(): value for name, value in request.headers.items()}
        response.raw = io.BytesIO(_answer(lower)[0].encode())
        return response

    def close(self):
        pass
