"""Thread-locals that coroutines share, and those that threads have for themselves."""

from __future__ import annotations

import pytest

from carrel.audit.rules.thread_local_in_async import ThreadLocalInAsync
from tests.audit.checking import finds, quiet

RULE = ThreadLocalInAsync()


def test_a_coroutine_two_files_away() -> None:
    (found,) = finds(
        RULE,
        {
            "scope.py": (
                "import threading\n_local = threading.local()\ndef enter(user_id):\n    _local.user = user_id\n"
            ),
            "api.py": """
                from scope import enter
                def bind(request):
                    enter(request.user.id)
                async def dispatch(request, call_next):
                    bind(request)
                    return await call_next(request)
                """,
        },
        "error",
        on="_local.user",
    )
    assert [(place.path, place.line) for place in found.related] == [("api.py", 5)]


@pytest.mark.parametrize(
    "code",
    [
        "import threading\nlocal = threading.local()\nasync def run(user_id):\n    local.user = user_id\n",
        "import threading\nlocal = threading.local()\nasync def run(user_id):\n    setattr(local, 'user', user_id)\n",
        "import threading\nlocal = threading.local()\nasync def run(user_id):\n    local.__dict__['user'] = user_id\n",
        (
            "from threading import local\nclass S(local):\n    def enter(self, token): self.token = token\n"
            "s = S()\nasync def run(token):\n    s.enter(token)\n"
        ),
        (
            "import threading\nclass S:\n    def __init__(self): self._local = threading.local()\n"
            "    async def enter(self, session_id): self._local.session = session_id\n"
        ),
        (
            "import threading\nclass S:\n    local = threading.local()\n"
            "    @classmethod\n    async def enter(cls, user): cls.local.user = user\n"
        ),
        (
            "import threading\nclass S:\n    local = threading.local()\n"
            "    async def enter(self, user): self.local.user = user\n"
        ),
    ],
)
def test_every_way_to_store(code: str) -> None:
    finds(RULE, code, "error")


@pytest.mark.parametrize(
    "code",
    [
        (
            "from contextvars import ContextVar\nuser = ContextVar('user')\n"
            "async def run(user_id):\n    user.set(user_id)\n"
        ),
        "import threading\nlocal = threading.local()\ndef run(user_id):\n    local.user = user_id\n",
        "import threading\nlocal = threading.local()\nasync def run(level):\n    local.level = level\n",
        "import threading\nlocal = threading.local()\nasync def run(user):\n    local.user = None\n",
        "import threading\nlocal = threading.local()\nasync def run(user):\n    del local.user\n",
        "import threading\nlocal = threading.local()\nasync def run(user):\n    local.db = connect()\n",
        (
            "import threading\nlocal = threading.local()\n"
            "async def run(user):\n    other = object()\n    other.user = user\n"
        ),
        (
            "import asyncio, threading\nlocal = threading.local()\ndef work(user_id):\n    local.user = user_id\n"
            "async def run(user_id):\n    await asyncio.to_thread(work, user_id)\n"
        ),
        (
            "import threading\nclass S(threading.local):\n    def __init__(self, user): self.user = user\n"
            "async def run(user):\n    S(user)\n"
        ),
    ],
)
def test_what_only_looks_like_it(code: str) -> None:
    quiet(RULE, code)


def test_a_client_without_any_user() -> None:
    quiet(
        RULE,
        """
        import threading

        class Desk:
            def __init__(self):
                self._thread_local = threading.local()

            def client(self):
                client = getattr(self._thread_local, "client", None)
                if client is None:
                    client = Client()
                    self._thread_local.client = client
                return client

            async def ask(self, user):
                return self.client().ask(user)
        """,
    )


def test_a_value_and_a_name_that_say_nothing() -> None:
    text = """
        import threading
        local = threading.local()
        def keep(value):
            local.{0} = value
        async def ask(request):
            keep(request.json)
        """
    quiet(RULE, text.format("buffer"))
    finds(RULE, text.format("user"), "error")


TRAIL = {
    "app/trail.py": """
        import threading
        class Trail(threading.local):
            def begin(self, actor):
                self.actor = actor
        trail = Trail()
        """,
    "app/web.py": """
        import jwt
        from .trail import trail
        async def socket(request):
            claims = jwt.decode(request.cookies["token"], KEY)
            trail.begin(claims["sub"])
        """,
}


def test_a_setter_of_a_thread_local_object_in_another_file() -> None:
    finds(RULE, TRAIL, "error", on="self.actor = actor")


def test_a_setter_that_is_told_of_no_user() -> None:
    quiet(RULE, {**TRAIL, "app/web.py": TRAIL["app/web.py"].replace('claims["sub"]', 'request.query["color"]')})


def test_a_setter_that_is_told_what_a_cookie_says() -> None:
    text = (
        "import threading\nfrom fastapi import FastAPI, Request\napp = FastAPI()\nnow = threading.local()\n"
        "def enter(value):\n    now.passenger = value\n"
        "@app.middleware('http')\nasync def mid(request: Request, call_next):\n"
        "    enter(request.cookies.get('passenger'))\n    return await call_next(request)\n"
    )
    finds(RULE, text, "error", on="now.passenger")
    quiet(RULE, text.replace("get('passenger')", "get('theme')"))


KEPT_ELSEWHERE = {
    "lab/state.py": """
        from threading import local
        class Shelf(local):
            sample = None
        shelf = Shelf()
        """,
    "lab/gate.py": """
        from lab import state
        class Gate:
            def __init__(self, app):
                self.app = app
            async def __call__(self, scope, receive, send):
                state.shelf.sample = scope["path_params"]["sample"]
                await self.app(scope, receive, send)
        """,
}


def test_a_store_on_what_another_file_makes() -> None:
    finds(RULE, KEPT_ELSEWHERE, "error", on="state.shelf.sample =")


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("lab/state.py", "Shelf(local)", "Shelf"),
        ("lab/gate.py", 'scope["path_params"]["sample"]', "next_sample()"),
        ("lab/gate.py", "state.shelf", "self.shelf"),
        ("lab/gate.py", "async def", "def"),
    ],
)
def test_a_store_on_something_else_that_another_file_makes(path: str, old: str, new: str) -> None:
    text = KEPT_ELSEWHERE[path].replace(old, new)
    quiet(RULE, {**KEPT_ELSEWHERE, path: text.replace("await ", "") if new == "def" else text})
