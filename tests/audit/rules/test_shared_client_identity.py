"""Clients that carry one user's identity for all, and clients of one user."""

from __future__ import annotations

import pytest

from carrel.audit.rules.shared_client_identity import SharedClientIdentity
from tests.audit.checking import finds, quiet

RULE = SharedClientIdentity()
HEAD = "import aiohttp, httpx, requests\nhttp = httpx.AsyncClient()\n"
WRAPPER = """
class Crm:
    def __init__(self):
        self._http = httpx.AsyncClient()
    async def contacts(self, token):
        self._http.headers["Authorization"] = f"Bearer {token}"
crm = Crm()
"""
ON_CLASS = """
class Api:
    session = requests.Session()
    def __init__(self, token):
        self.session.headers.update({"Authorization": token})
"""


@pytest.mark.parametrize(
    "code",
    [
        WRAPPER,
        ON_CLASS,
        "def ask(token):\n    http.headers['Authorization'] = token\n",
        "def ask(token):\n    http.headers = {'Authorization': token}\n",
        "def ask(user, password):\n    http.auth = (user, password)\n",
        "def ask(cookies):\n    http.cookies.update(cookies)\n",
        "class CrmClient:\n    def use(self, token): self.headers['Authorization'] = token\ncrm = CrmClient()\n",
    ],
)
def test_identity_on_a_client_of_all(code: str) -> None:
    finds(RULE, HEAD + code, "error")


@pytest.mark.parametrize(
    "call",
    [
        "http.get('/', headers={'X-Login': token})",
        "http.get('/', cookies=token)",
        "http.post('/login', json={'token': token})",
    ],
)
def test_a_cookie_jar_of_all(call: str) -> None:
    (found,) = finds(RULE, f"{HEAD}async def ask(token):\n    await {call}\n", "warning")
    assert [place.note for place in found.related] == ["one cookie jar for all"]


PROXY = """
from fastapi import FastAPI
app = FastAPI()
@app.get("/proxy/{address:path}")
async def proxy(address: str):
    return await http.get(address)
"""


@pytest.mark.parametrize(
    "call",
    [
        "http.get(address)",
        "http.send(http.build_request('GET', httpx.URL(address)))",
        "http.get(f'{address}/feed')",
        "http.get(url)\n    url = httpx.URL(address)",
    ],
)
def test_hosts_that_users_choose(call: str) -> None:
    finds(RULE, HEAD + PROXY.replace("http.get(address)", call), "warning")


@pytest.mark.parametrize(
    "call",
    [
        "http.get(f'https://api.internal/{address}')",
        "http.get('https://api.internal/' + address)",
        "http.get(BASE)",
        "http.get(f'')",
        "http.get()",
        "httpx.get(address)",
    ],
)
def test_hosts_that_the_application_chooses(call: str) -> None:
    quiet(RULE, HEAD + PROXY.replace("http.get(address)", call))


@pytest.mark.parametrize(
    "code",
    [
        WRAPPER.replace("crm = Crm()", ""),
        WRAPPER.replace("{token}", "{self.token}"),
        WRAPPER.replace("(self, token)", "(self)").replace("{token}", "{self.renew_token()}"),
        WRAPPER.replace("_http", "_page").replace("httpx.AsyncClient()", "Page()"),
        WRAPPER.replace("Bearer {token}", "none"),
        ON_CLASS.replace("    session = requests.Session()\n", "").replace(
            "        self.session.headers", "        self.session = requests.Session()\n        self.session.headers"
        ),
        ON_CLASS.replace("self.session.headers", "headers"),
        "async def ask(token):\n    await http.get('/', headers={'Authorization': f'Bearer {token}'})\n",
        (
            "async def ask(token):\n    async with httpx.AsyncClient() as client:\n"
            "        client.headers['Authorization'] = token\n"
        ),
        "def ask(request, token):\n    request.headers['Authorization'] = token\n",
        "def ask(level):\n    http.headers['X-Level'] = level\n",
        "def ask(token):\n    http.headers.pop('Authorization')\n",
        "def ask(token):\n    http.timeout = token\n",
        "def ask(token):\n    http.sent.append(token)\n",
        "class Page:\n    def use(self, token):\n        self.auth = token\npage = Page()\n",
        "class Page:\n    def use(self, token):\n        self.headers['Authorization'] = token\npage = Page()\n",
        "async def ask(word):\n    await http.post('/login', json=word)\n",
        (
            "jarless = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())\n"
            "async def ask(token):\n    await jarless.get('/', headers={'X-Login': token})\n"
        ),
        "def ask(token):\n    response.headers['Set-Cookie'] = token\n",
    ],
)
def test_identity_that_stays_with_its_user(code: str) -> None:
    quiet(RULE, HEAD + code)


def test_a_file_without_a_client() -> None:
    quiet(RULE, "def ask(token):\n    return token\n")


PORTAL = """
    import aiohttp
    from aiohttp import web
    HTTP = web.AppKey("http", aiohttp.ClientSession)
    async def outgoing(app):
        {keep} = aiohttp.ClientSession(PORTAL{jar})
        yield
    async def sign_in(http, patient):
        username, password = await credentials(patient)
        await http.post("/login", data={{"username": username, "password": password}})
    async def results(request):
        http = request.{keep}
        await sign_in(http, request["patient"])
        return await http.get("/results.json")
    """


@pytest.mark.parametrize("keep", ["app[HTTP]", "app['http']", "app.state.http"])
def test_a_cookie_jar_that_the_application_holds(keep: str) -> None:
    finds(RULE, PORTAL.format(keep=keep, jar=""), "warning", on="/login")
    quiet(RULE, PORTAL.format(keep=keep, jar=", cookie_jar=aiohttp.DummyCookieJar()"))


def test_a_cookie_jar_of_another_module() -> None:
    login = """
        from http_client import portal
        class Login:
            def __init__(self, name, password):
                self.name = name
                self.password = password
            async def grades(self):
                await portal.post("/login", data={"name": self.name, "password": self.password})
                return await portal.get("/grades")
        """
    client = "import httpx\nportal = httpx.AsyncClient()\n"
    ask = "from login import Login\n@app.post('/x')\nasync def ask(body):\n    return Login(body.name, {}).grades()\n"
    files = {"login.py": login, "http_client.py": client, "app.py": ask.format("body.password")}
    finds(RULE, files, "warning", on="/login")
    quiet(RULE, {**files, "app.py": ask.format("settings.PASSWORD")})
    quiet(RULE, {**files, "http_client.py": "import httpx\ndef portal(): return httpx.AsyncClient()\n"})


@pytest.mark.parametrize(("made", "is_found"), [("requests.Session()", True), ("Board()", False)])
def test_a_client_by_what_it_is_made_of(made: str, *, is_found: bool) -> None:
    source = (
        "import requests\nfrom flask import Flask\nfrom flask_login import current_user\napp = Flask(__name__)\n"
        f"graph = {made}\ndef ask(path, account):\n"
        "    graph.headers.update({'Authorization': f'Bearer {account.graph_token}'})\n    return graph.get(path)\n"
        "@app.get('/agenda')\ndef agenda():\n    return ask('/me', current_user)\n"
    )
    if is_found:
        finds(RULE, source, "error", on="headers.update")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("cached", "is_found"), [("@lru_cache\n", True), ("", False)])
def test_a_cookie_of_a_client_that_a_cached_function_gives(cached: str, *, is_found: bool) -> None:
    source = (
        "from functools import lru_cache\nimport httpx\nfrom fastapi import FastAPI, Request\napp = FastAPI()\n"
        f"{cached}def client():\n    return httpx.Client()\n@app.get('/x')\ndef slips(request: Request):\n"
        "    client().cookies.set('sso', request.cookies['sso'])\n    return client().get('/slips').json()\n"
    )
    if is_found:
        finds(RULE, source, "error", on="cookies.set")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(("url", "is_found"), [("f'{BASE}/login'", True), ("f'{BASE}/prices'", False)])
def test_a_login_at_an_address_that_is_put_together(url: str, *, is_found: bool) -> None:
    source = (
        "import requests\nfrom django.http import JsonResponse\ncrm = requests.Session()\ndef contacts(request):\n"
        f"    crm.post({url}, data={{'user': request.user.crm_name}})\n    return JsonResponse(crm.get('/c').json())\n"
    )
    if is_found:
        finds(RULE, source, "warning", on="crm.post")
    else:
        quiet(RULE, source)


@pytest.mark.parametrize(
    ("keeps", "got"),
    [
        ("async with ClientSession() as http:\n        app[HTTP] = http\n        yield", "request.app[HTTP]"),
        ("async with ClientSession() as http:\n        app.state.http = http\n        yield", "request.app.state.http"),
        ("app.ctx.http = ClientSession()", "request.app.ctx.http"),
    ],
)
@pytest.mark.parametrize(
    ("sent", "is_found"), [("data={'card': card, 'pin': pin}", True), ("data={'query': card}", False)]
)
def test_a_login_with_what_the_caller_is_handed(keeps: str, got: str, sent: str, *, is_found: bool) -> None:
    source = (
        "from aiohttp import ClientSession, web\n"
        f"async def client(app):\n    {keeps}\n"
        f"async def sign_in(http, card, pin):\n    await http.post('/login', {sent})\n"
        f"async def loans(request):\n    http = {got}\n"
        "    await sign_in(http, request.query['card'], request.query['pin'])\n"
        "def build():\n    app = web.Application()\n    app.router.add_get('/loans', loans)\n"
    )
    (finds if is_found else quiet)(RULE, source)


@pytest.mark.parametrize(
    ("made", "is_found"),
    [("ClientSession()", True), ("ClientSession(cookie_jar=DummyCookieJar())", False)],
)
def test_a_login_on_the_client_of_an_object_for_all(made: str, *, is_found: bool) -> None:
    source = (
        "from aiohttp import ClientSession, DummyCookieJar\nfrom sanic import Sanic\napp = Sanic('a')\n"
        f"class Meter:\n    def __init__(self):\n        self.http = {made}\n"
        "    async def read(self, user):\n        await self.http.post('/signin', data={'secret': user.secret})\n"
        "@app.before_server_start\nasync def setup(app):\n    app.ctx.meter = Meter()\n"
        "@app.get('/')\nasync def page(request):\n    return await request.app.ctx.meter.read(request.ctx.user)\n"
    )
    (finds if is_found else quiet)(RULE, source)


@pytest.mark.parametrize(("part", "leaks"), [("principal", True), ("settings", False)])
def test_a_token_of_the_one_whom_the_object_is_made_for(part: str, *, leaks: bool) -> None:
    code = HEAD + (
        f"class Gateway:\n    def __init__(self, {part}):\n        self.{part} = {part}\n"
        "    async def fetch(self, path):\n"
        f"        headers = {{}}\n        if token := await vault.crm_token(self.{part}.subject):\n"
        "            headers['Authorization'] = token\n        http.headers.update(headers)\n"
    )
    if leaks:
        finds(RULE, code, "error", on="http.headers")
    else:
        quiet(RULE, code)


@pytest.mark.parametrize(("made", "leaks"), [("web = ctx['web']", True), ("web = new_session()", False)])
def test_a_cookie_jar_that_a_helper_makes_and_the_start_of_a_worker_keeps(made: str, *, leaks: bool) -> None:
    code = HEAD + (
        "def new_session():\n    return aiohttp.ClientSession()\n"
        "async def startup(ctx):\n    ctx['web'] = new_session()\n"
        "async def sign_in(web, tenant):\n    known = await credentials(tenant)\n"
        "    form = {'login': known.login, 'password': known.password}\n    await web.post('/session', data=form)\n"
        f"async def sync(ctx, tenant):\n    {made}\n    await sign_in(web, tenant)\n"
    )
    if leaks:
        finds(RULE, code, "warning", on="web.post")
    else:
        quiet(RULE, code)


@pytest.mark.parametrize(
    "code",
    [
        WRAPPER.replace("_http", "_page"),
        (
            "def ask(app, token):\n    app.state.dav.headers['Authorization'] = token\n"
            "def start(app):\n    app.state.dav = httpx.AsyncClient()\n"
        ),
        (
            "from functools import cache\n@cache\ndef shop():\n    session = requests.Session()\n    return session\n"
            "def ask(token):\n    shop().headers['Authorization'] = token\n"
        ),
        WRAPPER.replace('headers["Authorization"] = f"Bearer {token}"', 'cookie_jar.update_cookies({"SID": token})'),
    ],
)
def test_a_client_is_one_by_what_makes_it(code: str) -> None:
    ask = "from fastapi import FastAPI\napi = FastAPI()\n@api.get('/x')\nasync def x(token: str):\n    CALL\n"
    call = "await crm.contacts(token)" if "crm" in code else "ask(api, token)" if "(app" in code else "ask(token)"
    finds(RULE, HEAD + code + ask.replace("CALL", call), "error")


@pytest.mark.parametrize(("sent", "leaks"), [("cookies={'SID': token}", True), ("auth=('me', token)", False)])
def test_only_a_cookie_is_answered_with_a_cookie(sent: str, *, leaks: bool) -> None:
    code = HEAD + f"async def ask(token):\n    await http.get('/x', {sent})\n"
    if leaks:
        finds(RULE, code, "warning")
    else:
        quiet(RULE, code)


@pytest.mark.parametrize(("handed", "leaks"), [("http", True), ("httpx.AsyncClient()", False)])
def test_the_client_of_all_that_an_object_is_handed(handed: str, *, leaks: bool) -> None:
    code = HEAD + (
        "from fastapi import FastAPI\napp = FastAPI()\nclass Drive:\n"
        "    def __init__(self, client: httpx.AsyncClient):\n        self.client = client\n"
        "    def use(self, token):\n        self.client.headers['Authorization'] = token\n"
        f"@app.get('/x')\nasync def x(token: str):\n    Drive({handed}).use(token)\n"
    )
    if leaks:
        finds(RULE, code, "error", on="self.client.headers")
    else:
        quiet(RULE, code)
