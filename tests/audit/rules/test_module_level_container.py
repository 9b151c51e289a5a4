"""Containers of a module that requests write to, and those that keep users apart."""

from __future__ import annotations

import pytest

from carrel.audit.rules.module_level_container import ModuleLevelContainer
from tests.audit.checking import finds, quiet

RULE = ModuleLevelContainer()
APP = "from fastapi import FastAPI\napp = FastAPI()\nHISTORY = []\nLAST = {}\n"


@pytest.mark.parametrize(
    "write",
    [
        "HISTORY.append(text)",
        "global HISTORY\n    HISTORY += [text]",
        "HISTORY.insert(0, text)",
        "LAST['text'] = text",
        "LAST.update(text=text)",
        "LAST.update({'text': text})",
        "turns = HISTORY\n    turns.append(text)",
    ],
)
def test_what_a_route_writes_and_another_reads(write: str) -> None:
    route = (
        f"@app.post('/say')\nasync def say(text: str):\n    {write}\n"
        "@app.get('/all')\ndef all_of_them():\n    return [HISTORY, LAST]\n"
    )
    (found,) = finds(RULE, APP + route, "error")
    assert found.reachable_from == ("POST /say app.say",)


def test_a_container_of_another_file() -> None:
    finds(
        RULE,
        {
            "chat/__init__.py": "",
            "chat/history.py": "turns: list[str] = []\n",
            "chat/api.py": APP
            + "from .history import turns\n@app.post('/say')\ndef say(text: str):\n    turns.append(text)\n"
            "    return complete(turns)\n",
        },
        "error",
        on="turns.append",
    )


def test_a_getter_that_gives_the_modules_own_list() -> None:
    opening = "def opening():\n    return HISTORY\n"
    route = (
        "@app.post('/say')\ndef say(text: str):\n    messages = opening()\n    messages.append(text)\n"
        "    return messages\n"
    )
    finds(RULE, APP + opening + route, "error", on="messages.append")
    quiet(RULE, APP + opening.replace("return HISTORY", "return [*HISTORY]") + route)


def test_a_user_outside_of_any_entry_point_is_a_warning() -> None:
    finds(
        RULE,
        "SEEN = []\ndef note(user_id):\n    SEEN.append(user_id)\ndef all_of_them():\n    return SEEN\n"
        "def begin(user_id):\n    note(user_id)\n",
        "warning",
    )


@pytest.mark.parametrize(("name", "severity"), [("FOUND", "error"), ("STATS", "info"), ("run_diagnostics", "info")])
def test_what_a_process_says_of_itself_is_only_mentioned(name: str, severity: str) -> None:
    keep = f"{name} = []\ndef keep(found):\n    {name}.extend(found)\n"
    keep += f"@app.get('/all')\ndef all_of_them():\n    return list({name})\n"
    route = "@app.post('/say')\ndef say(text: str):\n    keep(check(text))\n"
    finds(RULE, APP + keep + route, severity)


def test_an_argument_that_says_nothing_is_only_mentioned() -> None:
    finds(RULE, "SEEN = []\ndef note(level):\n    SEEN.append(level)\ndef all_of_them():\n    return SEEN\n", "info")


@pytest.mark.parametrize(
    "body",
    [
        "LAST[user.id] = text\n    return LAST[user.id]",
        "LAST.setdefault(user.id, []).append(text)\n    return LAST[user.id]",
        "turns = LAST[user.id]\n    turns.append(text)\n    return turns",
        "LAST.update({user.id: text})\n    return LAST.items()",
        "HISTORY.append(user)\n    HISTORY.remove(user)\n    return HISTORY",
        "HISTORY.append(asyncio.create_task(work(text)))\n    return HISTORY",
        "HISTORY.clear()\n    return HISTORY",
        "HISTORY = []\n    HISTORY.append(text)\n    return HISTORY",
        "HISTORY.append('started')\n    return HISTORY",
    ],
)
def test_what_keeps_users_apart_or_tells_nothing(body: str) -> None:
    quiet(
        RULE,
        APP + f"import asyncio\n@app.post('/say')\nasync def say(text: str, user=Depends(current_user)):\n    {body}\n",
    )


def test_what_the_import_fills_is_quiet() -> None:
    quiet(RULE, APP + "for text in ('a', 'b'):\n    HISTORY.append(text)\n")


def test_an_object_with_an_append_of_its_own_is_quiet() -> None:
    log = "class Log:\n    def append(self, text):\n        print(text)\n"
    quiet(
        RULE,
        {
            "log.py": log + "LOG = Log()\n",
            "app.py": APP
            + "from log import LOG\n@app.post('/say')\ndef say(text: str):\n    LOG.append(text)\n    return LOG\n",
        },
    )


def test_a_flag_is_nobodys() -> None:
    text = (
        "LATEST = {}\ndef start(%s):\n    LATEST['page'] = make(user_session)\ndef last():\n    return LATEST['page']\n"
        "def begin(user_session):\n    start(user_session)\n"
    )
    finds(RULE, text % "user_session=True", "info")
    finds(RULE, text % "user_session", "warning")


SAY = "@app.post('/say')\ndef say(text: str, user=Depends(current_user)):\n"


def test_what_is_worked_out_once_while_there_is_nothing_is_only_mentioned() -> None:
    body = "    if not HISTORY:\n        HISTORY.append({0})\n    return HISTORY[0]\n"
    finds(RULE, APP + SAY + body.format("read(config(user))"), "info")
    finds(RULE, APP + SAY + body.format("user.id"), "error")


def test_one_function_and_one_container_are_one_finding() -> None:
    finds(RULE, APP + SAY + "    HISTORY.append(text)\n    HISTORY.append(text)\n    return HISTORY\n", "error")


def test_what_is_only_gone_through_to_take_something_out_is_quiet() -> None:
    body = "    HISTORY.append(text)\n    HISTORY[:] = [one for one in HISTORY if one.open]\n"
    finds(RULE, APP + SAY + body, "info")
    finds(RULE, APP + SAY + body + "    return HISTORY\n", "error")


def test_a_place_that_each_call_writes_and_reads_before_another_task_may_run() -> None:
    show = "def show(page):\n    LAST['page'] = page\n    return render(LAST)\n"
    route = "@app.post('/say')\n{0}def say(text: str):\n    return show(text)\n"
    finds(RULE, APP + show + route.format("async "), "info")
    finds(RULE, APP + show + route.format(""), "error")
    finds(RULE, APP + show + route.format("async ") + "def last():\n    return LAST\n", "error")
    finds(RULE, APP + show.replace("    LAST", "    if page: LAST") + route.format("async "), "error")


@pytest.mark.parametrize(
    ("before", "then", "severity"),
    [
        ("", "reply = post(LAST)\n        await show(reply)", "info"),
        ("", "await show(text)\n        return LAST", "error"),
        ("show(LAST)", "pass", "error"),
    ],
)
def test_a_place_that_a_branch_writes_and_reads_before_it_waits(before: str, then: str, severity: str) -> None:
    route = f"@app.post('/say')\nasync def say(text: str):\n    {before or 'pass'}\n    if text:\n"
    route += "        LAST['text'] = text\n"
    finds(RULE, APP + route + f"        {then}\n", severity)


@pytest.mark.parametrize(("name", "severity"), [("PARAMS", "info"), ("app_settings", "info"), ("LAST", "error")])
def test_a_setting_for_all_is_only_mentioned(name: str, severity: str) -> None:
    route = f"@app.post('/set')\ndef change(text: str):\n    {name}['voice'] = text\n"
    route += f"@app.get('/all')\ndef all_of_them():\n    return {name}\n"
    finds(RULE, APP + f"{name} = {{}}\n" + route, severity)
    finds(RULE, APP + f"{name} = {{}}\n" + route.replace("['voice'] = text", ".update({'voice': text})"), severity)


def test_a_list_of_another_file_that_the_same_file_takes_it_out_of() -> None:
    files = {"guilds.py": "class Guilds:\n    started = []\n", "app.py": APP + "from guilds import Guilds\n"}
    files["app.py"] += "@app.post('/on')\ndef on(user_id: str):\n    Guilds.started.append(user_id)\n"
    show = "@app.get('/on')\ndef who():\n    return Guilds.started\n"
    finds(RULE, files, "info")
    finds(RULE, {**files, "app.py": files["app.py"] + show}, "error")
    off = "@app.post('/off')\ndef off(user_id: str):\n    Guilds.started.remove(user_id)\n"
    quiet(RULE, {**files, "app.py": files["app.py"] + off})


def test_a_list_of_which_each_is_given_their_own() -> None:
    source = """
        EVENTS = []
        def record(user_id, data):
            EVENTS.append((user_id, data))
        @app.get("/events")
        def of(user_id):
            return [data for owner, data in EVENTS if owner {0} user_id]
        @app.post("/say")
        def say(text, user=Depends(current_user)):
            record(user.id, text)
        """
    finds(RULE, source.replace("{0}", "=="), "info")
    finds(RULE, source.replace("{0}", "!="), "error", on="append")


@pytest.mark.parametrize(("arguments", "found"), [("1, {'text': text}", False), ("text", True)])
def test_a_method_that_takes_something_else_is_no_containers(arguments: str, *, found: bool) -> None:
    body = f"    KEPT['said'].add({arguments})\n    return KEPT\n"
    source = APP + "KEPT = {'said': make()}\n" + SAY + body
    if found:
        finds(RULE, source, "error", on="add(")
    else:
        quiet(RULE, source)


INTAKE = {
    "store.py": """
        DRAFT = {}
        def merge(fields):
            DRAFT.update({k: v for k, v in fields.items() if v})
        def collect():
            return dict(DRAFT)
        """,
    "web.py": """
        from aiohttp import web
        import store
        routes = web.RouteTableDef()
        @routes.post("/personal")
        async def personal(request):
            form = await request.post()
            store.merge({"name": form.get("name"), "born": form.get("born")})
        @routes.get("/summary")
        async def summary(request):
            return web.json_response(store.collect())
        """,
}
_COMPREHENSION = "DRAFT.update({k: v for k, v in fields.items() if v})"


def _intake(old: str, new: str) -> dict[str, str]:
    assert any(old in text for text in INTAKE.values())
    return {path: text.replace(old, new) for path, text in INTAKE.items()}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (_COMPREHENSION, _COMPREHENSION),
        (_COMPREHENSION, "DRAFT.update(fields)"),
        (_COMPREHENSION, "DRAFT.update({k: fields[k] for k in ('name', 'street')})"),
        (_COMPREHENSION, "given = {k: fields.get(k) for k in ('name', 'street')}\n            DRAFT.update(given)"),
        (_COMPREHENSION, "for k, v in fields.items():\n                DRAFT[k] = v"),
        ('store.merge({"name": form.get("name"), "born": form.get("born")})', "store.merge(form)"),
    ],
)
def test_fields_of_a_form_that_a_helper_puts_into_one_dictionary(old: str, new: str) -> None:
    finds(RULE, _intake(old, new), "error")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"name": form.get("name"), "born": form.get("born")', "form['id']: form"),
        ("DRAFT", "SETTINGS"),
        ('store.merge({"name": form.get("name"), "born": form.get("born")})', "store.merge(load())"),
    ],
)
def test_a_dictionary_with_keys_of_their_own_or_for_all(old: str, new: str) -> None:
    quiet(RULE, _intake(old, new))


def test_what_nobody_gets_out_again_is_only_mentioned() -> None:
    finds(RULE, _intake("return dict(DRAFT)", "return len(DRAFT)"), "info")
    finds(RULE, _intake("web.json_response(store.collect())", "web.json_response({})"), "info")


def test_what_is_written_away_is_only_mentioned() -> None:
    body = "    HISTORY.append(text)\n    if len(HISTORY) > 50:\n        write()\n"
    write = "def write():\n    db.add(Batch(text=''.join(HISTORY)))\n    HISTORY.clear()\n"
    finds(RULE, APP + write + SAY + body, "info")
    finds(RULE, APP + write.replace("    HISTORY.clear()\n", "") + SAY + body, "error")
    finds(RULE, APP + write.replace("db.add", "socket.send") + SAY + body, "error")
    finds(RULE, APP + write + "    return db.all()\n" + SAY + body, "error")


def test_what_only_administrators_get_out_is_only_mentioned() -> None:
    show = "@app.get('/all')\ndef show(user=Depends({0})):\n    return HISTORY\n"
    body = "    HISTORY.append(text)\n"
    finds(RULE, APP + SAY + body + show.format("current_user"), "error")
    finds(RULE, APP + SAY + body + show.format("get_current_admin"), "info")


def test_a_list_of_an_object_that_the_module_makes() -> None:
    text = (
        "import tornado.web\nclass Board:\n    def __init__(self):\n        self.lines = []\nBOARD = Board()\n"
        "class Pin(tornado.web.RequestHandler):\n    def post(self):\n"
        "        BOARD.lines.append(self.get_body_argument('text'))\n"
        "    def get(self):\n        self.write({'lines': BOARD.lines})\n"
    )
    finds(RULE, text, "error", on="BOARD.lines.append")
    quiet(RULE, text.replace("self.get_body_argument('text')", "self.name"))
    finds(RULE, text.replace("{'lines': BOARD.lines}", "'done'"), "info")
    quiet(RULE, text.replace("BOARD = Board()", "BOARD = load()"))


def test_a_key_that_is_the_same_for_all_users() -> None:
    code = """
    from fastapi import FastAPI
    app = FastAPI()
    FIELDS = ("since", "allergies")
    answers = {}
    @app.post("/")
    def answer(field: str, value: str):
        if field in FIELDS:
            answers[field] = value
    @app.get("/")
    def letter():
        return answers
    """
    finds(RULE, code, "error", on="answers[field]")
    quiet(RULE, code.replace("if field in FIELDS", "if field"))


def test_what_a_property_gives_is_no_container_of_the_module() -> None:
    code = """
    from fastapi import FastAPI
    app = FastAPI()
    class Parts:
        @property
        def legs(self):
            return Legs()
    parts = Parts()
    @app.post("/")
    def add(leg: str):
        legs = parts.legs
        legs.add(leg)
        return legs
    """
    quiet(RULE, code)


@pytest.mark.parametrize(("asked", "severity"), [("request.user.id", "info"), ("8", "error")])
def test_entries_that_are_picked_out_for_who_asks(asked: str, severity: str) -> None:
    source = f"""
        from fastapi import FastAPI, Request
        app = FastAPI()
        ROWS = []
        @app.get("/rows")
        def sort(request: Request):
            id = {asked}
            own = [one for one in ROWS if one["id"] == id]
            ROWS.append({{"id": request.user.id}})
            return own
        """
    finds(RULE, source, severity)
