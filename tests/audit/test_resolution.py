"""What paths stand for."""

from __future__ import annotations

import pytest

from tests.audit.checking import program

FILES = {
    "desk/__init__.py": "from .service import Desk as Bench\n",
    "desk/service.py": """
        from .memory import Memory
        class Base:
            def open(self): ...
        class Desk(Base):
            memory_type: Memory
            def __init__(self, agent: 'Agent'):
                self.memory = Memory()
                self.agent = agent
            def answer(self): ...
            def __call__(self): ...
        class Fast(Desk):
            def answer(self): ...
        class Agent:
            def run(self): ...
        """,
    "desk/memory.py": "class Memory:\n    def add(self, x): ...\n",
    "app.py": """
        from functools import cache
        from desk import Bench
        from desk import service
        desk = Bench()
        again = desk
        table = {}
        def make() -> Bench: ...
        @cache
        def get():
            return service.Desk()
        def loop():
            return loop()
        def use(bench: Bench): ...
        """,
}


@pytest.mark.parametrize(
    ("path", "kind", "name", "shared"),
    [
        ("desk.Bench", "class", "desk.service.Desk", False),
        ("desk.Bench()", "instance", "desk.service.Desk", False),
        ("app.desk", "instance", "desk.service.Desk", True),
        ("app.again", "instance", "desk.service.Desk", True),
        ("app.table", "object", "app.table", True),
        ("app.make()", "instance", "desk.service.Desk", False),
        ("app.get()", "instance", "desk.service.Desk", True),
        ("app.get().memory", "instance", "desk.memory.Memory", True),
        ("app.get().memory.add", "function", "desk.memory.Memory.add", False),
        ("app.make().agent.run", "function", "desk.service.Agent.run", False),
        ("app.desk.open", "function", "desk.service.Base.open", False),
        ("app.use:bench", "instance", "desk.service.Desk", False),
        ("desk.service", "module", "desk.service", False),
    ],
)
def test_a_path(path: str, kind: str, name: str, shared: bool) -> None:
    (value,) = program(FILES).resolution.values(path)
    assert (value.kind, value.name, value.shared is not None) == (kind, name, shared)


@pytest.mark.parametrize("path", ["app.loop()", "nowhere.x()", "app.desk.nothing", "app.table[]", "app.use:other", "?"])
def test_a_path_that_nobody_knows(path: str) -> None:
    assert program(FILES).resolution.values(path) == ()


@pytest.mark.parametrize(
    ("path", "called"),
    [
        ("app.make", ["app.make"]),
        ("app.desk.answer", ["desk.service.Desk.answer", "desk.service.Fast.answer"]),
        ("desk.Bench", ["desk.service.Desk.__init__"]),
        ("app.desk", ["desk.service.Desk.__call__"]),
        ("desk.memory.Memory", []),
    ],
)
def test_what_a_call_runs(path: str, called: list[str]) -> None:
    assert [fact.name for fact in program(FILES).resolution.called(path)] == called


def test_above_and_below_a_class() -> None:
    resolution = program(FILES).resolution
    assert resolution.lineage("desk.service.Fast") == ("desk.service.Fast", "desk.service.Desk", "desk.service.Base")
    assert set(resolution.descendants("desk.service.Base")) == set(resolution.lineage("desk.service.Fast"))


def test_classes_that_inherit_from_each_other_end() -> None:
    resolution = program("class A(B): ...\nclass B(A): ...\n").resolution
    assert set(resolution.lineage("app.A")) == set(resolution.descendants("app.A")) == {"app.A", "app.B"}


def test_what_the_application_holds() -> None:
    source = """
        class Desk:
            def answer(self): ...
        def start(app):
            app.state.desk = Desk()
        def ask(request):
            request.app.state.desk.answer()
            request.app.state.other.answer()
        """
    resolution = program(source).resolution
    assert [one.name for one in resolution.called("app.ask:request.app.state.desk.answer")] == ["app.Desk.answer"]
    assert resolution.called("app.ask:request.app.state.other.answer") == ()


def test_what_tables_of_functions_and_annotated_containers_hold() -> None:
    source = """
        class Session:
            def call(self): ...
        open_sessions: dict[str, Session] = {}
        def by_day(): ...
        REPORTS = {"day": by_day, "none": 3}
        """
    resolution = program(source).resolution
    assert [one.name for one in resolution.called("app.REPORTS[]")] == ["app.by_day"]
    assert [one.name for one in resolution.called("app.open_sessions[].call")] == ["app.Session.call"]
    assert [value.shared for value in resolution.values("app.open_sessions[]")] == [None]


def test_a_package_that_imports_a_function_of_its_own_name_ends() -> None:
    files = {"shop/cli/__init__.py": "from shop.cli.cli import cli\n", "shop/cli/cli.py": "def cli(): ...\n"}
    resolution = program(files).resolution
    assert resolution.values("cli.cli.cli.cli") == ()
    assert [one.name for one in resolution.values("cli.cli")] == ["cli.cli.cli"]


def test_what_a_constructor_is_handed() -> None:
    source = """
        class Store:
            def get(self): ...
        class Desk:
            def __init__(self, name, store): self.store = store
            @classmethod
            def shared(cls):
                cls.one = cls.one or cls("a", store=Store())
                return cls.one
        """
    resolution = program(source).resolution
    assert [one.name for one in resolution.called("app.Desk().store.get")] == ["app.Store.get"]
    assert [(one.kind, one.name) for one in resolution.values("app.Desk.shared()")] == [("instance", "app.Desk")]
    assert resolution.called("app.Desk().name.get") == ()


@pytest.mark.parametrize("handed", ["{'desk': Desk()}", "dict(desk=Desk())"])
def test_what_a_route_of_tornado_hands_its_handler(handed: str) -> None:
    source = f"""
        import tornado.web
        class Desk:
            def get(self): ...
        class Page(tornado.web.RequestHandler):
            def initialize(self, desk): self.desk = desk
        app = tornado.web.Application([("/", Page, {handed})])
        """
    assert [one.name for one in program(source).resolution.called("app.Page().desk.get")] == ["app.Desk.get"]


def test_what_an_application_holds_that_nobody_is_seen_to_put_there() -> None:
    source = "class LabRpc:\n    def ask(self): ...\nasync def f(request):\n    request.app['lab_rpc'].ask()\n"
    one = "app.f:request.app.state.lab_rpc.ask"
    resolution = program(source).resolution
    assert [fact.name for fact in resolution.called(one)] == ["app.LabRpc.ask"]
    (held,) = resolution.values("app.f:request.app.state.lab_rpc")
    assert held.shared is not None
    two = program({"app.py": source, "other.py": "class LabRPC:\n    def ask(self): ...\n"}).resolution
    assert two.called(one) == ()


def test_what_a_property_gives_is_gone_on_from() -> None:
    source = """
        from functools import cached_property
        class Desk:
            def answer(self): ...
        class Parts:
            @property
            def desk(self):
                return Desk()
            @property
            def own(self):
                return self.own
            def make(self):
                return Desk()
        parts = Parts()
        """
    resolution = program(source).resolution
    assert [one.name for one in resolution.called("app.parts.desk.answer")] == ["app.Desk.answer"]
    assert [one.name for one in resolution.called("app.parts.desk")] == ["app.Parts.desk"]
    assert not resolution.called("app.parts.make.answer")
    assert not resolution.called("app.parts.own.answer")


def test_a_package_that_gives_what_has_its_own_name() -> None:
    tool = "import logging\nlogger = logging.getLogger()\ndef pick():\n    logger.debug('x')\n"
    sources = {
        "src/agent/sub/__init__.py": "from src.agent.sub.pick import pick\n",
        "src/agent/sub/pick/__init__.py": "from src.agent.sub.pick.tool import pick\n",
        "src/agent/sub/pick/tool.py": tool,
    }
    assert program(sources).resolution.called("sub.pick.tool.logger.debug") == ()
