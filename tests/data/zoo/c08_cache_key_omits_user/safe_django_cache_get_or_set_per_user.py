"""Django views of a newsletter."""

from django.core.cache import cache
from django.http import HttpRequest, JsonResponse

SUBSCRIPTIONS: dict[str, str] = {}


def subscription(request: HttpRequest):
    row = cache.get_or_set(
        f"subscription:{request.user.id}", lambda: SUBSCRIPTIONS.get(request.user.id), timeout=300
    )
    return JsonResponse({"subscription": row})
