"""Maps by address, and by what is never used twice."""

from __future__ import annotations

import pytest

from carrel.audit.rules.map_keyed_by_id import MapKeyedById
from tests.audit.checking import findings, finds, quiet

RULE = MapKeyedById()


def test_who_owns_a_session() -> None:
    finds(
        RULE,
        "OWNERS = {}\ndef register(session, user_id):\n    OWNERS[id(session)] = user_id\n",
        "error",
        on="OWNERS[id(session)]",
    )


def test_a_key_that_was_made_before_and_one_of_several() -> None:
    finds(
        RULE,
        "OWNERS = {}\ndef register(session, user_id):\n    key = id(session)\n    OWNERS[key] = user_id\n",
        "error",
    )
    finds(RULE, "OWNERS = {}\ndef register(session, user_id):\n    OWNERS[('s', id(session))] = user_id\n", "error")
    finds(RULE, "OWNERS = {}\ndef register(session, user_id):\n    OWNERS.setdefault(id(session), user_id)\n", "error")


def test_a_memo_in_a_closure_about_nobody_is_only_mentioned() -> None:
    memo = (
        "def memo(function):\n    kept = {}\n    def wrapper(node):\n"
        "        kept[id(node)] = function(node)\n        return kept[id(node)]\n    return wrapper\n"
    )
    finds(RULE, memo, "info")


REGISTRY = (
    "class Registry:\n    def __init__(self):\n        self.owners = {}\n"
    "    def put(self, session, user_id):\n        self.owners[id(session)] = user_id\n"
)


def test_a_registry_counts_when_it_is_shared() -> None:
    finds(RULE, REGISTRY + "registry = Registry()\ndef f(s, u):\n    registry.put(s, u)\n", "error")
    finds(RULE, REGISTRY, "info")


def test_an_object_that_is_kept_elsewhere_for_a_while() -> None:
    text = "OWNERS, SESSIONS = {}, []\ndef f(session, user_id):\n    OWNERS[id(session)] = user_id\n"
    finds(RULE, text + "    session.last = session\n", "error")
    finds(RULE, text + "    SESSIONS.append(session)\n    go(session)\n    SESSIONS.remove(session)\n", "error")


@pytest.mark.parametrize(
    "body",
    [
        "OWNERS[session] = user_id",
        "OWNERS[session.id] = user_id",
        "OWNERS[uuid4()] = user_id",
        "OWNERS[id(session)] = (session, user_id)",
        "OWNERS[id(session)] = session",
        "OWNERS[id(session)] = user_id\n    SESSIONS.append(session)",
        "OWNERS[id(session)] = user_id\n    OWNERS.pop(id(session))",
        "OWNERS[id(session)] = user_id\n    weakref.finalize(session, print)",
        "seen = {}\n    seen[id(session)] = user_id",
        "return OWNERS[id(session)]",
    ],
)
def test_what_keeps_the_object_or_forgets_it(body: str) -> None:
    quiet(RULE, f"import weakref\nOWNERS, SESSIONS = {{}}, []\ndef register(session, user_id):\n    {body}\n")


def test_an_object_that_is_made_with_the_one_of_the_address() -> None:
    text = """
        CLIENTS = {}

        def client(credentials):
            made = %s
            CLIENTS[id(credentials)] = (made, 60)
            return made
        """
    finds(RULE, text % "Client(credentials=credentials)", "info")
    finds(RULE, text % "describe(credentials)", "error")


def test_a_connection_that_a_handler_is_handed() -> None:
    text = "HISTORIES = {{}}\n{0}\nasync def chat(ws):\n    HISTORIES.setdefault(id(ws), [])\n"
    finds(RULE, text.format("@app.websocket('/chat')"), "error", on="id(ws)")
    finds(RULE, text.format(""), "info")


HELPER = """
class Extras:
    def __init__(self):
        self.values = {}
    def _key(self, what):
        return %s
    def put(self, what, value):
        self.values[self._key(what)] = value
extras = Extras()
"""
USE = "@app.get('/')\nasync def show(request: Request):\n    extras.put(%s, 1)\n"


def test_an_address_that_a_helper_gives() -> None:
    finds(RULE, HELPER % "id(what)" + USE % "request", "warning", on="self._key(what)")
    finds(RULE, HELPER % "id(what)" + USE % "FIXED", "info")
    quiet(RULE, HELPER % "what.name" + USE % "request")


def test_what_a_library_gives_to_all() -> None:
    code = """
        from tracing import trace
        ATTACHED = {}
        def instrument(user_id, session):
            %s
            ATTACHED[id(provider)] = user_id
        """
    finds(RULE, code % "provider = trace.get_provider()", "info")
    finds(RULE, code % "provider = trace.get_provider(session)", "error")


@pytest.mark.parametrize(("parameter", "severity"), [("request", "error"), ("user", "error"), ("node", "info")])
def test_a_decorator_that_remembers_by_address(parameter: str, severity: str) -> None:
    files = {
        "memo.py": "_memo = {}\ndef once(fn):\n    def inner(obj):\n        key = id(obj)\n"
        "        if key not in _memo:\n            _memo[key] = fn(obj)\n        return _memo[key]\n    return inner\n",
        "app.py": f"from memo import once\n@once\ndef rights({parameter}):\n    return load({parameter})\n",
    }
    finds(RULE, files, severity, on="_memo[key] = fn(obj)")


@pytest.mark.parametrize(("read", "is_found"), [("notes[id(session)]", True), ("notes[session.key]", False)])
def test_a_list_that_is_there_when_it_is_first_asked_for(read: str, *, is_found: bool) -> None:
    source = (
        "from collections import defaultdict\nimport chainlit as cl\nnotes = defaultdict(list)\n@cl.on_message\n"
        f"async def main(message):\n    session = cl.context.session\n    mine = {read}\n"
        "    mine.append(message.content)\n"
    )
    if is_found:
        finds(RULE, source, "error", on="mine.append")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("removal", "is_found"),
    [
        ("seen.popitem(last=False)", True),
        ("seen.pop(next(iter(seen)))", True),
        ("oldest = next(iter(seen))\n        del seen[oldest]", True),
        ("seen.pop(id(request), None)", False),
    ],
)
def test_a_map_that_only_grows_no_further_forgets_nobody(removal: str, *, is_found: bool) -> None:
    source = (
        "from collections import OrderedDict\nfrom fastapi import FastAPI, Request\napp = FastAPI()\n"
        "seen = OrderedDict()\n@app.get('/')\nasync def page(request: Request):\n"
        "    if (user := seen.get(id(request))) is None:\n"
        "        user = seen[id(request)] = await load(request.headers['authorization'])\n"
        f"    while len(seen) > 9:\n        {removal}\n    return user\n"
    )
    (finds if is_found else quiet)(RULE, source)


@pytest.mark.parametrize(("holder", "severity"), [("ws", "warning"), ("PLAN", "info")])
def test_a_helper_that_is_handed_the_connection(holder: str, severity: str) -> None:
    source = (
        "from fastapi import FastAPI, WebSocket\napp = FastAPI()\nPLAN = object()\ndrafts = {}\n"
        "def lines_of(holder):\n    return drafts.setdefault(id(holder), [])\n"
        "@app.websocket('/x')\nasync def draft(ws: WebSocket):\n"
        f"    lines_of({holder}).append(await ws.receive_text())\n"
    )
    finds(RULE, source, severity, on="setdefault")


def test_what_is_added_under_an_entry_goes_with_the_entry() -> None:
    code = """
        SENT = {}
        def connect(websocket: WebSocket):
            SENT[id(websocket)] = set()
        def mark(websocket: WebSocket, message):
            SENT[id(websocket)].add(message)
        def leave(websocket):
            {}
        """
    assert findings(RULE, code.replace("            {}\n", "            pass\n"))
    quiet(RULE, code.replace("            {}\n", "            SENT.pop(id(websocket), None)\n"))


@pytest.mark.parametrize("called", ["", "    marks.close(link)\n"])
def test_a_method_that_takes_entries_out_has_to_be_called(called: str) -> None:
    files = {
        "marks.py": "class Marks:\n    def __init__(self):\n        self.seen = {}\n"
        "    def put(self, link, user_id):\n        self.seen[id(link)] = user_id\n"
        "    def close(self, link):\n        del self.seen[id(link)]\n",
        "app.py": "from fastapi import FastAPI, WebSocket\nfrom marks import Marks\napp = FastAPI()\nmarks = Marks()\n"
        "@app.websocket('/ws')\nasync def chat(link: WebSocket, user_id: str):\n    marks.put(link, user_id)\n"
        f"    await link.accept()\n{called}",
    }
    (quiet if called else finds)(RULE, files)
