"""Stores on objects that requests share, and on objects that they do not."""

from __future__ import annotations

import pytest

from carrel.audit.rules.shared_object_stores_argument import SharedObjectStoresArgument
from tests.audit.checking import finds, quiet

RULE = SharedObjectStoresArgument()
SERVICE = """
class Desk:
    def __init__(self, tickets):
        self.tickets = tickets
    async def answer(self, user, question):
        self.user = user
        return await ask(question)
"""
ROUTE = """
from fastapi import Depends, FastAPI
from desk.deps import get_desk
from desk.service import Desk
app = FastAPI()
@app.post("/ask")
async def ask(text: str, user=Depends(current_user), desk: Desk = Depends(get_desk)):
    return await desk.answer(user, text)
"""


def in_package(**modules: str) -> dict[str, str]:
    return {"desk/__init__.py": "", **{f"desk/{name}.py": text for name, text in modules.items()}}


def test_a_cached_service() -> None:
    deps = (
        "from functools import lru_cache\nfrom .service import Desk\n@lru_cache\ndef get_desk():\n    return Desk({})"
    )
    (found,) = finds(RULE, in_package(service=SERVICE, deps=deps, api=ROUTE), "error", on="self.user = user")
    assert found.reachable_from == ("POST /ask desk.api.ask", "desk.service.Desk.answer")
    assert [(place.path, place.line) for place in found.related] == [("desk/deps.py", 4)]


@pytest.mark.parametrize(
    "deps",
    [
        "from .service import Desk\ndesk = Desk({})\ndef get_desk():\n    return desk",
        "from . import service\n_d = None\ndef get_desk():\n    global _d\n    if not _d:\n        _d = service.Desk({})\n"
        "    return _d",
        "from .service import Desk\nclass Parts:\n    desk = Desk({})\ndef get_desk():\n    return Parts.desk",
        "from .service import Desk\ndef start(app):\n    app.state.desk = Desk({})\ndef get_desk(request):\n"
        "    return request.app.state.desk",
        "from .service import Desk as D\nclass Parts:\n    def __init__(self):\n        self.desk = D({})\nparts = Parts()\n"
        "def get_desk():\n    return parts.desk",
    ],
)
def test_every_way_to_share_one(deps: str) -> None:
    finds(RULE, in_package(service=SERVICE, deps=deps, api=ROUTE), "error", on="self.user = user")


def test_a_store_of_nobodys_data_is_only_mentioned() -> None:
    finds(RULE, "class C:\n    def set(self, level):\n        self.level = level\nc = C()\n", "info")


def test_data_that_a_caller_two_files_away_passes() -> None:
    finds(
        RULE,
        {
            "chain.py": "class Chain:\n    def load(self, text):\n        self.contract = text\n",
            "app.py": """
                import chainlit as cl
                from chain import Chain
                chain = Chain()
                @cl.on_chat_start
                async def start():
                    chain.load(cl.user_session.get("contract"))
                """,
        },
        "error",
    )


@pytest.mark.parametrize(
    "deps",
    [
        "from .service import Desk\ndef get_desk():\n    return Desk({})",
        "from .service import Desk\nasync def get_desk():\n    desk = Desk({})\n    yield desk",
        "from functools import lru_cache\nfrom .service import Desk\n@lru_cache\ndef get_desk(user_id):\n    return Desk({})",
    ],
)
def test_one_for_each_request_is_quiet(deps: str) -> None:
    quiet(RULE, in_package(service=SERVICE, deps=deps, api=ROUTE))


def test_what_the_initializer_stores_is_quiet() -> None:
    quiet(RULE, "class C:\n    def __init__(self, user):\n        self.user = user\nc = C(None)\n")
