"""Which functions make objects, and who calls classes."""

from __future__ import annotations

from carrel.audit.making import direct_calls, factories, is_maker
from tests.audit.checking import program

ENGINE = "class Engine:\n    def run(self): ...\n    def stop(self): ...\n"
MAKES = """
from engine import Engine
def create_engine(user):
    engine = Engine()
    return engine
def current_engine():
    return Engine()
class EngineFactory:
    def make(self):
        return Engine()
    async def build_many(self):
        return Engine()
def outer():
    def create():
        return Engine()
class Shelf:
    def create(self):
        return Engine()
"""


def test_functions_and_classes_whose_names_say_that_they_make_one() -> None:
    found = list(factories(program({"engine.py": ENGINE, "app.py": MAKES})))
    assert [(one.symbol, one.product) for one in found] == [
        ("app.create_engine", "engine.Engine"),
        ("app.EngineFactory", "engine.Engine"),
    ]
    assert (found[0].location.path, found[0].location.line) == ("app.py", 3)


def test_data_and_tests_have_no_factories() -> None:
    assert not list(factories(program({"engine.py": "class Engine:\n    x = 1\n", "app.py": MAKES})))
    assert not list(factories(program({"engine.py": ENGINE, "tests/app.py": MAKES})))


def test_the_calls_of_a_class_itself() -> None:
    everything = program({"engine.py": ENGINE, "app.py": MAKES, "tests/a.py": MAKES})
    found = list(direct_calls(everything, frozenset({"engine.Engine"})))
    assert [(one.caller, one.location.line) for one in found][:2] == [
        ("app.create_engine", 4),
        ("app.current_engine", 7),
    ]
    assert {one.location.path for one in found} == {"app.py"}
    assert all(one.is_bare and not one.given for one in found)


def test_a_call_that_tells_the_class_whose_it_is() -> None:
    calls = (
        "from engine import Engine\ndef f(user_id, size):\n    Engine(user_id)\n    Engine(size)\n    Engine(*size)\n"
    )
    found = direct_calls(program({"engine.py": ENGINE, "app.py": calls}), frozenset({"engine.Engine"}))
    assert [one.is_bare for one in found] == [False, True, False]


def test_what_asks_another_factory_is_none_itself() -> None:
    asks = "from app import create_engine\ndef make_engine(user):\n    return create_engine(user)\n"
    found = list(factories(program({"engine.py": ENGINE, "app.py": MAKES, "asks.py": asks})))
    assert {one.location.path for one in found} == {"app.py"}


def test_a_factory_that_does_more_than_to_call_the_class() -> None:
    found = list(factories(program({"engine.py": ENGINE, "app.py": MAKES})))
    assert [(one.symbol, one.adds) for one in found] == [("app.create_engine", True), ("app.EngineFactory", False)]


def test_a_factory_that_is_told_for_whom() -> None:
    found = list(factories(program({"engine.py": ENGINE, "app.py": MAKES})))
    assert [(one.symbol, one.for_user) for one in found] == [("app.create_engine", True), ("app.EngineFactory", False)]


def test_names_of_makers() -> None:
    names = ["app.create_engine", "app.Builder._make_one", "app.new", "app.created", "app.run"]
    assert [is_maker(name) for name in names] == [True, True, True, False, False]


def test_a_factory_may_leave_the_making_to_its_own_method() -> None:
    makes = """
from engine import Engine
class EngineFactory:
    def create(self):
        engine = self._bare()
        engine.start()
        return engine
    def _bare(self):
        return Engine()
"""
    (found,) = factories(program({"engine.py": ENGINE, "app.py": makes}))
    assert (found.symbol, found.adds) == ("app.EngineFactory", True)
