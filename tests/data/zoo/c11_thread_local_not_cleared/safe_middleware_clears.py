"""Django middleware that makes the user known to models and signals."""

import threading

from django.http import HttpRequest, JsonResponse

_thread = threading.local()
DRAFTS: dict[str, str] = {}


def get_current_user():
    return getattr(_thread, "user", None)


class CurrentUserMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest):
        if request.user is not None:
            _thread.user = request.user
        try:
            return self.get_response(request)
        finally:
            _thread.user = None


def draft(request: HttpRequest):
    user = get_current_user()
    return JsonResponse({"draft": DRAFTS.get(user.id) if user else None})


application = CurrentUserMiddleware(draft)
