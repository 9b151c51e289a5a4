"""Which functions make objects, and who calls classes."""

from __future__ import annotations

from carrel.audit.making import direct_calls, factories
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
    assert [(caller, where.line) for _, caller, where in found][:2] == [
        ("app.create_engine", 4),
        ("app.current_engine", 7),
    ]
    assert {where.path for _, _, where in found} == {"app.py"}
