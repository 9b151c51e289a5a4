"""Stands in for Django's request and responses."""

import json


class HttpRequest:
    def __init__(self, method="GET", path="/", user=None, headers=None, body="", GET=None):
        self.method, self.path, self.user, self.headers, self.body = method, path, user, headers or {}, body
        self.GET = GET or {}
        self.META = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers.items()}
        self.session = {}


class HttpResponse:
    def __init__(self, content="", status=200, content_type="text/html"):
        self.content, self.status_code, self.headers = content, status, {"Content-Type": content_type}

    def __setitem__(self, name, value):
        self.headers[name] = value

    @property
    def text(self):
        return self.content


class JsonResponse(HttpResponse):
    def __init__(self, data, status=200, safe=True):
        super().__init__(json.dumps(data), status, "application/json")


class Http404(Exception):
    pass
