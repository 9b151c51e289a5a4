"""What errors are answered with."""

from __future__ import annotations

import pytest

from carrel.audit.rules.error_holds_another_request import ErrorHoldsAnotherRequest
from tests.audit.checking import findings, finds, quiet

RULE = ErrorHoldsAnotherRequest()
HEAD = """
from fastapi import FastAPI, HTTPException, Request
app = FastAPI()
recent = []
by_user = {}
LIMITS = [1, 2]
@app.post("/pay")
async def pay(request: Request):
    recent.append(await request.json())
    by_user[request.state.user.id] = await request.json()
"""


def handler(answer: str) -> str:
    return f"{HEAD}@app.exception_handler(ValueError)\nasync def failed(request, error):\n    return {answer}\n"


@pytest.mark.parametrize("answer", ["{'debug': list(recent)}", "{'last': recent[-1]}", "Problem(recent)"])
def test_a_handler_of_errors_shows_what_requests_left(answer: str) -> None:
    finds(RULE, handler(answer), "error", on="return")


@pytest.mark.parametrize("way", ["raise HTTPException(500, detail=recent)", "return {'error': recent[-5:]}"])
def test_so_does_an_except_clause(way: str) -> None:
    code = f"{HEAD}@app.get('/')\ndef run():\n    try:\n        work()\n    except ValueError:\n        {way}\n"
    finds(RULE, code, "error", on="recent")
    finds(RULE, code.replace("@app.get('/')\n", ""), "info")


def test_what_an_object_is_made_with_is_nobodys() -> None:
    code = (
        "class Vault:\n    def __init__(self, profile):\n        self._profile = profile\n"
        "    def read(self, token):\n        self._token = token\n        await_all()\n"
        "    def open(self, request):\n        raise ValueError(f'no {self._profile}')\nVAULT = Vault('a')\n"
    )
    quiet(RULE, HEAD + code)
    finds(
        RULE, (HEAD + code).replace("{self._profile}", "{self._token}").replace("token):", "token, request):"), "error"
    )


@pytest.mark.parametrize(
    "answer",
    [
        "{'error': str(error)}",
        "{'limits': LIMITS}",
        "{'seen': len(recent)}",
        "{'yours': by_user[request.state.user.id]}",
        "{'yours': by_user.get(request.state.user.id)}",
    ],
)
def test_a_handler_that_shows_its_own_request(answer: str) -> None:
    quiet(RULE, handler(answer))


def test_what_is_shown_without_an_error_is_another_rules() -> None:
    quiet(RULE, f"{HEAD}def listing():\n    return list(recent)\n")


ERRORS = """
class Refused(Exception):
    pass
REFUSED = Refused("no")
NAMES = dict()
def refused():
    return Refused("no")
"""


def raising(body: str) -> dict[str, str]:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return {
        "errors.py": ERRORS,
        "app.py": f"from errors import REFUSED, NAMES, Refused, refused\ndef call(user, text):\n{lines}",
    }


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        ("REFUSED.add_note(f'for {user}')\nraise REFUSED", "error"),
        ("error = REFUSED\nerror.add_note(text)\nraise error", "warning"),
        ("REFUSED.user = user\nraise REFUSED", "error"),
    ],
)
def test_an_exception_made_once_is_written_on(body: str, severity: str) -> None:
    (found,) = finds(RULE, raising(body), severity)
    assert found.related[0].path == "errors.py"


@pytest.mark.parametrize(
    "body",
    [
        "error = refused()\nerror.add_note(text)\nraise error",
        "error = Refused('no')\nerror.user = user\nraise error",
        "REFUSED.add_note('never allowed')\nraise REFUSED",
        "raise REFUSED",
        "NAMES.add_note(text)",
        "text.add_note(user)",
    ],
)
def test_an_exception_of_its_own(body: str) -> None:
    quiet(RULE, raising(body))


@pytest.mark.parametrize(
    ("told", "is_found"), [("f'failed for {texts}'", True), ("str(batch)", True), ("'failed'", False), ("text", False)]
)
def test_each_who_waits_is_told_of_all(told: str, *, is_found: bool) -> None:
    source = f"""
        async def send(batch):
            texts = [text for text, _ in batch]
            try:
                await post(texts)
            except IOError:
                for text, future in batch:
                    future.set_exception(Failed({told}))
        @app.post("/embed")
        async def embed(text): ...
        """
    if is_found:
        finds(RULE, source, "error", on="set_exception")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("given", "is_found"), [("list(RECENT)", True), ("len(RECENT)", False), ("RECENT[-1]", False)])
def test_what_a_helper_of_another_file_kept(given: str, *, is_found: bool) -> None:
    files = {
        "errors.py": "RECENT = []\ndef note(details):\n    RECENT.append(details)\ndef context():\n"
        f"    return {given}\n",
        "app.py": "from errors import context\n@app.exception_handler(ValueError)\nasync def failed(request, exc):\n"
        "    return JSONResponse({'error': str(exc), 'context': context()})\n",
    }
    if is_found:
        finds(RULE, files, "error", on="context()")
    else:
        quiet(RULE, files)


@pytest.mark.parametrize(
    ("answer", "is_found"), [("recorder.dump()", True), ("recorder.name()", False), ("Recorder().dump()", False)]
)
def test_what_the_last_call_left_on_a_shared_object(answer: str, *, is_found: bool) -> None:
    files = {
        "debug.py": "class Recorder:\n    def __init__(self):\n        self.last = None\n        self.label = 'x'\n"
        "    def seen(self, form):\n        self.last = form\n    def dump(self):\n        return {'last': self.last}\n"
        "    def name(self):\n        return self.label\nrecorder = Recorder()\n",
        "app.py": "from debug import Recorder, recorder\nasync def failed(request, exc: RateError):\n"
        f"    return JSONResponse({{'debug': {answer}}})\n",
    }
    if is_found:
        finds(RULE, files, "error", on="dump")
    else:
        quiet(RULE, files)


def test_an_answer_that_was_put_together_before() -> None:
    source = (
        "from sanic import Sanic\napp = Sanic('x')\nrecent = []\n@app.on_request\nasync def note(request):\n"
        "    recent.append(request.json)\n@app.exception(Exception)\nasync def failed(request, exc):\n"
        "    payload = {'error': str(exc), 'context': {0}}\n    return json(payload)\n"
    )
    finds(RULE, source.replace("{0}", "list(recent)"), "error", on="payload = ")
    quiet(RULE, source.replace("{0}", "len(recent)"))


@pytest.mark.parametrize(("shown", "is_found"), [("list(RECENT)", True), ("session['name']", False)])
def test_a_middleware_that_answers_errors(shown: str, *, is_found: bool) -> None:
    source = (
        "from flask import session\nfrom recent import RECENT\nclass Debug:\n    def __init__(self, get_response):\n"
        "        self.get_response = get_response\n    def __call__(self, request):\n"
        "        RECENT.append((request.path, request.POST))\n        session.update(request.POST)\n"
        "        return self.get_response(request)\n    def process_exception(self, request, exception):\n"
        f"        return JsonResponse({{'error': str(exception), 'recent': {shown}}})\n"
    )
    if is_found:
        finds(RULE, source, "error", on="RECENT")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("kept", "is_found"),
    [("recent.update(request.query_params)", True), ("Views.update(request.query_params)", False),
     ("recent.dimension = request.state.user", False), ("recent.name = request.state.user", True)],
)  # fmt: skip
def test_a_method_of_a_class_and_a_setting_keep_nobody(kept: str, *, is_found: bool) -> None:
    told = kept.partition(" ")[0] if "=" in kept else kept.partition(".update")[0]
    source = (
        f"from fastapi import FastAPI, Request\nfrom views import Views, recent\napp = FastAPI()\n"
        f"@app.post('/pay')\ndef pay(request: Request):\n    {kept}\n"
        f"@app.exception_handler(ValueError)\nasync def failed(request, error):\n    return {{'debug': {told}}}\n"
    )
    found = findings(RULE, {"app.py": source, "views.py": "recent = {}\nclass Views: ...\n"})
    assert [one.severity for one in found] == (["error"] if is_found else [])


def test_a_list_that_no_request_writes_to_is_only_mentioned() -> None:
    text = """
PROFILES = []
def register(profile):
    PROFILES.append(profile)
def find(name):
    try:
        return load(name)
    except KeyError:
        raise ValueError(f"unknown {name}, there are {PROFILES}")
"""
    finds(RULE, text, "info")
    finds(RULE, text + "@app.post('/profiles')\ndef add(profile):\n    register(profile)\n    find(profile)\n",
          "error")  # fmt: skip


def test_what_the_failed_request_sent_is_no_container_of_all() -> None:
    quiet(
        RULE,
        """
from flask import Flask, request
app = Flask(__name__)
@app.put("/files")
def put():
    data = request.json
    data["name"] = request.args["name"]
    try:
        load(data["source"])
    except ValueError:
        return {"error": f"not valid: {data['source']}"}, 400
""",
    )


@pytest.mark.parametrize(
    ("kept", "told", "is_found"),
    [
        ("request.text", "json.dumps({'jobs': list(self.running.values())})", True),
        ("request.text", "f'{self.running}'", True),
        ("request.text", "str(len(self.running))", False),
        ("request.text", "self.running[job]", False),
        ("time.monotonic()", "f'{self.running}'", False),
    ],
)
def test_a_call_that_is_aborted_with_what_others_asked(kept: str, told: str, *, is_found: bool) -> None:
    source = (
        "import json, time\nfrom translate.v1 import translate_pb2_grpc\n"
        "class Translator(translate_pb2_grpc.TranslatorServicer):\n    def __init__(self):\n"
        "        self.running = {}\n    async def Translate(self, request, context):\n        job = new_job()\n"
        f"        self.running[job] = {kept}\n        try:\n            return await translate(request)\n"
        f"        except Busy:\n            told = {told}\n            await context.abort(BUSY, told)\n"
    )
    if is_found:
        finds(RULE, source, "error", on="context.abort")
        quiet(RULE, source.replace("translate_pb2_grpc.TranslatorServicer", "View"))
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("told", "is_found"),
    [
        ("f'timed out, last was {self.last}'", True),
        ("f'timed out, query was {query}'", False),
        ("f'timed out, see {self.url}'", False),
    ],
)
def test_an_exception_that_tells_what_a_shared_object_was_last_asked(told: str, *, is_found: bool) -> None:
    source = (
        "from fastapi import FastAPI\napp = FastAPI()\nclass Engine:\n    def __init__(self, url):\n"
        "        self.url = url\n"
        "    async def find(self, query, tenant_id):\n        self.last = f'{tenant_id}: {query}'\n        try:\n"
        "            return await search(query)\n        except TimeoutError as exc:\n"
        f"            raise Failed({told}) from exc\nengine = Engine('x')\n"
        "@app.get('/search')\nasync def search(q: str, tenant_id: str):\n    return await engine.find(q, tenant_id)\n"
    )
    if is_found:
        finds(RULE, source, "error", on="raise Failed")
        quiet(RULE, source.replace("await search(query)", "search(query)"))
        quiet(RULE, source.replace("engine = Engine('x')", "engine = None"))
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("method", "told", "is_found"),
    [
        ("write_error", "self.finish({'trail': TRAIL[-10:]})", True),
        ("write_error", "self.finish({'trail': len(TRAIL)})", False),
        ("get", "self.finish({'trail': TRAIL[-10:]})", False),
    ],
)
def test_the_method_that_answers_what_went_wrong(method: str, told: str, *, is_found: bool) -> None:
    source = (
        "import tornado.web\nTRAIL = []\nclass Base(tornado.web.RequestHandler):\n    def prepare(self):\n"
        "        TRAIL.append(self.get_argument('card'))\n"
        f"    def {method}(self, status, **kwargs):\n        {told}\n"
    )
    if is_found:
        finds(RULE, source, "error", on="self.finish")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("kept", "added", "given", "is_found"),
    [
        ("list(self.all)", "request.form['a']", "trail.text()", True),
        ("[dict(one) for one in self.all]", "request.form['a']", "trail.text()", True),
        ("'; '.join(self.all)", "request.form['a']", "{'trail': trail.text()}", True),
        ("len(self.all)", "request.form['a']", "trail.text()", False),
        ("[one for one in self.all if one.user == user]", "request.form['a']", "trail.text()", False),
        ("list(self.all)", "'ready'", "trail.text()", False),
        ("list(self.all)", "request.form['a']", "Trail().text()", False),
    ],
)
@pytest.mark.parametrize("answer", ["return jsonify(GIVEN)", "told = {'error': 1, 'trail': GIVEN}\n    return told"])
def test_what_an_object_has_collected_of_all_requests(
    kept: str, added: str, given: str, answer: str, *, is_found: bool
) -> None:
    source = (
        "from flask import Flask, jsonify, request\napp = Flask('a')\nclass Trail:\n"
        "    def __init__(self):\n        self.all = []\n    def add(self, entry):\n        self.all.append(entry)\n"
        f"    def text(self):\n        return {kept}\ntrail = Trail()\n"
        f"@app.before_request\ndef note():\n    trail.add({added})\n"
        f"@app.errorhandler(Exception)\ndef failed(error):\n    {answer.replace('GIVEN', given)}\n"
    )
    (finds if is_found else quiet)(RULE, source)


@pytest.mark.parametrize(("path", "is_found"), [("request.app['trail']", True), ("request['trail']", False)])
def test_what_is_collected_by_the_application(path: str, *, is_found: bool) -> None:
    source = (
        "from aiohttp import web\nclass Trail:\n    def __init__(self):\n        self.all = []\n"
        "    def add(self, **entry):\n        self.all.append({'at': 1, **entry})\n"
        "    @property\n    def text(self):\n        return list(self.all)\n"
        f"@web.middleware\nasync def trace(request, handler):\n    trail = {path}\n"
        "    trail.add(path=request.path_qs)\n    try:\n        return await handler(request)\n"
        "    except Exception as error:\n        return web.json_response({'trail': trail.text})\n"
        "def build():\n    app = web.Application(middlewares=[trace])\n    app['trail'] = Trail()\n    return app\n"
    )
    (finds if is_found else quiet)(RULE, source)


@pytest.mark.parametrize(
    ("change", "is_found"),
    [
        ("INVALID.fields.update(form)", True),
        ("INVALID.fields['form'] = form", True),
        ("INVALID.fields.pop(form)", False),
        ("COUNTS.fields.update(form)", False),
        ("INVALID.fields['seen'] = True", False),
    ],
)
def test_what_an_exception_holds_that_is_made_once(change: str, *, is_found: bool) -> None:
    source = (
        "from acme import Counts\nclass FormError(Exception):\n    def __init__(self):\n        self.fields = {}\n"
        "INVALID = FormError()\nCOUNTS = Counts()\n"
        f"def checked(form, user_id):\n    {change}\n    raise INVALID\n"
    )
    if is_found:
        finds(RULE, source, on="INVALID.fields")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("told", "is_found"),
    [("json.dumps(payload)", True), ("payload", True), ("len(payload)", False), ("reply.status", False)],
)
def test_each_who_waits_is_told_what_the_call_for_all_was_raised_with(told: str, *, is_found: bool) -> None:
    source = (
        "import json\nfrom fastapi import FastAPI\nfrom acme import send\napp = FastAPI()\n"
        "class Batcher:\n    def __init__(self):\n        self.pending = []\n"
        "    async def flush(self):\n        batch, self.pending = self.pending, []\n"
        "        payload = {'items': [item for item, _ in batch]}\n"
        "        try:\n            reply = await send(payload)\n            if reply.status != 200:\n"
        f"                raise ValueError(f'engine said {{{told}}}')\n"
        "        except Exception as exc:\n            for _, future in batch:\n"
        "                future.set_exception(RuntimeError(str(exc)))\n"
        "batcher = Batcher()\n@app.post('/x')\nasync def x(text: str):\n    return await batcher.flush()\n"
    )
    if is_found:
        finds(RULE, source, "error", on="set_exception")
    else:
        quiet(RULE, source)


LANGUAGE = """
from fastapi import FastAPI, HTTPException, Request
app = FastAPI()
USAGE = ""
@app.post("/pay")
async def pay(request: Request):
    global USAGE
    USAGE = {0}
    raise HTTPException(400, USAGE)
"""


@pytest.mark.parametrize(
    ("value", "is_found"), [("texts_in(request.query_params['lang'])", False), ("request.query_params['x']", True)]
)
def test_what_was_worked_out_in_place_of_the_former_value(value: str, *, is_found: bool) -> None:
    waits = LANGUAGE.replace("    raise", "    await audit()\n    raise")
    assert bool(findings(RULE, waits.format(value))) is is_found


def test_a_method_of_another_object_that_is_called_as_that_of_a_container() -> None:
    text = HEAD.replace("recent.append(", "await recent.update(") + "    raise HTTPException(400, str(recent))\n"
    quiet(RULE, text)


@pytest.mark.parametrize(
    ("shown", "leaks"), [("[one for one in HALLS.values()]", True), ("sorted(HALLS)", False), ("len(HALLS)", False)]
)
def test_what_callers_have_put_under_numbers(shown: str, *, leaks: bool) -> None:
    source = f"""
from fastapi import FastAPI, Request
app = FastAPI()
HALLS = {{}}
def take(number, wish):
    if number in HALLS:
        raise Taken({shown})
    HALLS[number] = wish
@app.post("/")
async def book(request: Request):
    take(7, await request.json())
"""
    (finds if leaks else quiet)(RULE, source)
