"""Cached functions that read who is asking, and those that are told."""

from __future__ import annotations

import pytest

from carrel.audit.rules.memo_over_identity import MemoOverIdentity
from tests.audit.checking import findings, finds, quiet

RULE = MemoOverIdentity()


@pytest.mark.parametrize(
    "code",
    [
        "from functools import lru_cache\nfrom flask import g\n@lru_cache\ndef rows():\n    return load(g.user.id)\n",
        (
            "from functools import cache\nfrom flask_login import current_user\n@cache\ndef rows():\n"
            "    return load(current_user.id)\n"
        ),
        "import streamlit as st\n@st.cache_data(ttl=60)\ndef rows():\n    return load(st.session_state['user'])\n",
        (
            "from functools import cache\nfrom app_auth import get_current_user\n@cache\ndef rows():\n"
            "    return load(get_current_user())\n"
        ),
        (
            "from functools import cache\nfrom flask_jwt_extended import get_jwt_identity\n@cache\n"
            "def rows():\n    return get_jwt_identity()\n"
        ),
        (
            "from functools import cache\nfrom contextvars import ContextVar\nuser = ContextVar('user')\n"
            "@cache\ndef rows():\n    return load(user.get())\n"
        ),
    ],
)
def test_every_way_to_ask(code: str) -> None:
    finds(RULE, code, "error")


def test_a_context_variable_of_another_file() -> None:
    finds(
        RULE,
        {
            "scope.py": "from contextvars import ContextVar\ncurrent = ContextVar('current')\n",
            "rows.py": (
                "from functools import cache\nimport scope\n@cache\ndef rows():\n"
                "    return load(scope.current.get().id)\n"
            ),
        },
        "error",
        on="scope.current.get()",
    )


GREETER = (
    "from functools import cached_property\nfrom flask import g\nclass Greeter:\n"
    "    @cached_property\n    def name(self):\n        return g.user.name\n"
)


def test_a_cached_property_of_a_shared_object() -> None:
    finds(RULE, GREETER + "greeter = Greeter()\n", "error", on="g.user.name")
    quiet(RULE, GREETER + "def view():\n    return Greeter().name\n")


@pytest.mark.parametrize(
    "code",
    [
        "from functools import cache\n@cache\ndef rows(user_id):\n    return load(user_id)\n",
        "from functools import cache\n@cache\ndef rows(g):\n    return load(g.user.id)\n",
        "from flask import g\ndef rows():\n    return load(g.user.id)\n",
        (
            "from flask import g\nfrom functools import cache\n@cache\ndef load(user_id):\n    return 1\n"
            "def rows():\n    return load(g.user.id)\n"
        ),
        "from functools import cache\nimport queue\njobs = queue.Queue()\n@cache\ndef rows():\n    return jobs.get()\n",
        "from functools import cache\nimport os\n@cache\ndef rows():\n    return os.environ.get('HOME')\n",
        (
            "from functools import cache\nfrom app_auth import get_user\n@cache\ndef rows(user_id):\n"
            "    return get_user(user_id)\n"
        ),
    ],
)
def test_what_is_told_or_the_same_for_all(code: str) -> None:
    quiet(RULE, code)


def test_a_key_that_tells_users_apart_is_quiet() -> None:
    code = "from functools import cache\nfrom flask import g\n@cache\ndef rows({}):\n    return load(g.user.id)\n"
    quiet(RULE, code.format("user_id"))
    finds(RULE, code.format("size"), "error")


LEDGER = {
    "settings.py": """
        from cachetools import TTLCache, cached
        from tenancy import fetch
        @cached(cache=TTLCache(maxsize=9, ttl=9))
        def load(section):
            return fetch(section)
        """,
    "tenancy.py": """
        from contextvars import ContextVar
        tenant_token = ContextVar("tenant_token")
        def fetch(path):
            return get(path, headers={"Authorization": tenant_token.get()})
        """,
}


def test_what_a_cached_function_calls_reads_who_is_asking() -> None:
    found = finds(RULE, LEDGER, "error", on="def load")
    assert ("tenancy.py", 5) in [(place.path, place.line) for place in found[0].related]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ttl=9)", "ttl=9), key=for_tenant"),
        ("load(section)", "load(section, tenant_id)"),
        ("fetch(section)", "other(section)"),
    ],
)
def test_a_key_that_knows_or_nobody_who_asks(old: str, new: str) -> None:
    quiet(RULE, {**LEDGER, "settings.py": LEDGER["settings.py"].replace(old, new)})


@pytest.mark.parametrize(
    "asks",
    [
        "from flask import g\ndef who():\n    return g.user.id\n",
        "from flask import session\ndef who():\n    return session['user_id']\n",
        "from flask_jwt_extended import get_jwt_identity\ndef who():\n    return get_jwt_identity()\n",
    ],
)
def test_what_a_cached_function_calls_asks_the_framework(asks: str) -> None:
    tree = "from functools import cache\nfrom who import who\n@cache\ndef tree(depth):\n    return load(who(), depth)\n"
    finds(RULE, {"who.py": asks, "tree.py": tree}, "error", on="def tree")
    nobody = asks.partition("return")[0] + "return 'nobody'\n"
    quiet(RULE, {"who.py": nobody, "tree.py": tree})


def test_a_variable_that_says_whose_it_is_where_it_is_made() -> None:
    who = "from contextvars import ContextVar\n_who = ContextVar('principal')\ndef current():\n    return _who.get()\n"
    may = "from functools import cache\nimport who\n@cache\ndef may(action):\n    return rank(who.current(), action)\n"
    finds(RULE, {"who.py": who, "may.py": may}, "error", on="def may")
    quiet(RULE, {"who.py": who.replace("principal", "level"), "may.py": may})


WHOLESALE = {
    "tenancy.py": """
        from contextvars import ContextVar
        _dealer = ContextVar("dealer")
        def current():
            return _dealer.get()
        class Dealers:
            def __init__(self, get_response):
                self.get_response = get_response
            def __call__(self, request):
                _dealer.set(request.user.dealer_id)
                return self.get_response(request)
        """,
    "pricing.py": """
        import functools
        from tenancy import current
        def percent(group):
            return load(current(), group)
        def rebate(group):
            return percent(group)
        @functools.cache
        def prices(group):
            return [1 - rebate(group) / 100]
        """,
}


def test_a_variable_that_a_request_sets_is_read_some_calls_below() -> None:
    finds(RULE, WHOLESALE, "error", on="def prices")


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("tenancy.py", "request.user.dealer_id", "1"),
        ("tenancy.py", "return _dealer.get()", "return 1"),
        ("pricing.py", "return [1 - rebate(group) / 100]", "rebate(group)"),
        ("pricing.py", "@functools.cache", ""),
    ],
)
def test_a_variable_that_is_not_read_or_is_nobodys(path: str, old: str, new: str) -> None:
    assert old in WHOLESALE[path]
    quiet(RULE, {**WHOLESALE, path: WHOLESALE[path].replace(old, new)})


@pytest.mark.parametrize(("asks", "is_found"), [("getpass.getuser()", False), ("g.user.name", True)])
def test_a_function_of_the_same_file_is_known_by_what_it_does(asks: str, *, is_found: bool) -> None:
    code = (
        "import getpass\nfrom functools import cache\nfrom flask import g\n"
        f"def get_user():\n    return {asks}\n@cache\ndef rows():\n    return load(get_user())\n"
    )
    (finds if is_found else quiet)(RULE, code)


@pytest.mark.parametrize(("read", "found"), [("request.remote_addr", False), ("request.headers['X-User']", True)])
def test_where_a_request_comes_from_is_not_who_asks(read: str, *, found: bool) -> None:
    code = f"from flask import request\n@lru_cache\ndef prices(day):\n    limit({read})\n    return load(day)\n"
    assert bool(findings(RULE, "from functools import lru_cache\n" + code)) is found


BY_ADDRESS = """
from flask import Blueprint, g, request
from store import cache
from keys import other
def address(*arguments):
    return "page:" + request.url
def visitor(*arguments):
    return f"{request.url}:{who()}"
def who():
    return g.visitor_id
pages = Blueprint("pages", __name__)
@pages.get("/tickets")
@cache.cached(timeout=60, key_prefix=address)
def tickets():
    return load(g.visitor_id)
"""


def test_a_key_of_its_own_that_leaves_out_who_asks() -> None:
    finds(RULE, BY_ADDRESS, "error", on="load(g.visitor_id)")


@pytest.mark.parametrize("key", ["visitor", "other", "'tickets/%s'", "lambda: g.visitor_id"])
def test_a_key_of_its_own_that_may_say_who_asks(key: str) -> None:
    quiet(RULE, BY_ADDRESS.replace("key_prefix=address", f"key_prefix={key}"))


def test_a_key_that_is_made_of_who_asks() -> None:
    quiet(RULE, BY_ADDRESS.replace("request.url\n", "request.cookies['visit']\n"))
