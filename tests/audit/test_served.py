"""What applications and servers hold, and what they are handed with it."""

from __future__ import annotations

import pytest

from carrel.audit.keeping import kept_facts, state_facts
from carrel.audit.served import handed_objects
from tests.audit.checking import program, view


def _handed(source: str) -> set[str]:
    return {path for _, path in handed_objects(view(f"import functools\nfrom acme import Desk, Agent\n{source}\n"))}


@pytest.mark.parametrize(
    "source",
    [
        "def main():\n    hub = {'desk': Desk()}\n    return tornado.web.Application([('/', Handler, hub)])",
        "def main():\n    return Application([('/', Handler, dict(desk=Desk()))])",
        "def main():\n    desk = Desk()\n    return Starlette(routes=[Route('/', desk.answer)])",
        "def main(app):\n    desk = Desk()\n    app.router.add_get('/', desk.answer)",
        "def main(app):\n    app.add_middleware(Middle, agent=Agent(Desk()))",
        "def main(server):\n    x.add_DeskServicer_to_server(Agent(Desk()), server)",
        "async def main(loop):\n    line = Desk()\n    await loop.create_server(lambda: line, port=1)",
        "async def main(loop):\n    line = Desk()\n    def f():\n        return line\n    await loop.create_server(f)",
        "async def main(loop):\n    desk = Desk()\n    await loop.create_server(lambda: Line(desk), port=1)",
        "async def main():\n    await websockets.serve(functools.partial(talk, Desk()), port=1)",
        "def main(app):\n    desk = Desk()\n    app.add_handler(MessageHandler(TEXT, desk.hear))",
        "def main(app):\n    a = []\n    desk = Desk()\n    a.append(Route('/', desk.a))\n    app.add_routes(a)",
    ],
)
def test_an_application_is_handed_a_desk(source: str) -> None:
    assert "acme.Desk()" in _handed(source)


@pytest.mark.parametrize(
    "source",
    [
        "async def main(loop):\n    await loop.create_server(lambda: Desk(), port=1)",
        "def main():\n    return Agent(Desk())",
        "def run(work):\n    executor.submit(Desk().run, work)",
        "def ask(url):\n    requests.get(url, Desk())",
        "def name(values):\n    return values.get('name', Desk().name)",
        "def show(page):\n    page.click(Desk().open)",
    ],
)
def test_it_is_not_handed_one(source: str) -> None:
    assert "acme.Desk()" not in _handed(source)


def test_a_method_that_its_own_object_hands_over() -> None:
    found = _handed("class Api:\n    def setup(self, app):\n        app.router.add_get('/', self.get)\n")
    assert "app.Api()" in found


def test_a_parameter_that_handlers_close_over() -> None:
    source = (
        "from acme import Desk\ndef routes(desk: Desk):\n    @router.get('/')\n    def ask():\n        return desk.a"
    )
    assert "app.routes:desk" in {fact.path for fact in kept_facts(view(source))}


@pytest.mark.parametrize(
    ("put", "got"),
    [
        ("app.state.desk = Desk()", "request.app.state.desk"),
        ("app.ctx.desk = Desk()", "request.app.ctx.desk"),
        ("app['desk'] = Desk()", "request.app['desk']"),
        ("app[DESK] = Desk()", "request.app[DESK]"),
        ("app.bot_data['desk'] = Desk()", "context.bot_data['desk']"),
        ("app.extensions['desk'] = Desk()", "current_app.extensions['desk']"),
        ("desk = Desk()\n    app['desk'] = desk", "request.app.get('desk')"),
    ],
)
def test_what_the_application_holds_is_found_again(put: str, got: str) -> None:
    source = (
        "from flask import current_app\n"
        "class Desk:\n    def call(self): ...\n"
        "DESK = AppKey('desk', Desk)\n"
        f"def setup(app):\n    {put}\n"
        f"def handler(request, context):\n    {got}.call()\n"
    )
    found = program({"app.py": source})
    assert [called.name for _, called in found.calls.callees["app.handler"]] == ["app.Desk.call"]
    assert state_facts(view(source)) == (("DESK" if "DESK" in put else "desk", "app.Desk()"),)


@pytest.mark.parametrize("got", ["self.cache['desk']", "row['desk']", "request.app[row]"])
def test_an_item_of_something_else_is_none_of_the_application(got: str) -> None:
    source = (
        "class Desk:\n    def call(self): ...\n"
        "def setup(app):\n    app['desk'] = Desk()\n"
        f"def handler(request, row):\n    {got}.call()\n"
    )
    assert program({"app.py": source}).calls.callees["app.handler"] == ()
