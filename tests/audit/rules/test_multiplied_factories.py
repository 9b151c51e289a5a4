"""Factories of one class."""

from __future__ import annotations

from carrel.audit.rules.multiplied_factories import MultipliedFactories
from tests.audit.checking import finds, quiet

RULE = MultipliedFactories()
ENGINE = "class Engine:\n    def run(self): ...\n    def stop(self): ...\n"
MAKES = "from engine import Engine\ndef create_engine():\n    return Engine()\n"
FACTORY = "from engine import Engine\nclass EngineFactory:\n    def create(self):\n        return Engine()\n"


def test_three_factories_in_three_modules() -> None:
    sources = {
        "engine.py": ENGINE,
        "a.py": MAKES,
        "b.py": FACTORY,
        "c.py": MAKES.replace("create_engine", "build_engine"),
    }
    (found,) = finds(RULE, sources, "warning")
    assert "3 factories in 3 modules" in found.message
    assert {place.path for place in found.related} == {"b.py", "c.py"}


def test_the_one_that_forgets_the_user_is_one_of_them() -> None:
    told = MAKES.replace("()", "(user)")
    finds(RULE, {"engine.py": ENGINE, "a.py": told, "b.py": MAKES, "c.py": FACTORY}, "warning")


def test_factories_that_make_different_things_are_only_mentioned() -> None:
    makes = """from engine import Engine
from parts import {parts}
def create_engine(data):
    engine = Engine({calls})
    engine.run()
    return engine
"""
    files = {"engine.py": ENGINE}
    for name, parts in ({"a.py": "Piston Valve", "b.py": "Fan Shaft", "c.py": "Coil Rotor"}).items():
        names = parts.split()
        calls = ", ".join(f"{one}(data)" for one in names)
        files[name] = makes.format(parts=", ".join(names), calls=calls)
    finds(RULE, files, "info")
    told = {f"{name}.py": MAKES.replace("()", f"({name})") for name in ("clip", "frame", "patch")}
    finds(RULE, {"engine.py": ENGINE, **told}, "info")


def test_factories_that_put_something_of_their_own_in_are_only_mentioned() -> None:
    makes = """from engine import Engine
from parts import Piston, Shaft, Valve
class {name}Part:
    def turn(self): ...
def create_engine(data):
    return Engine({name}Part(data), Piston(), Valve(), Shaft())
"""
    files = {f"{name.lower()}.py": makes.format(name=name) for name in ("Coil", "Fan", "Rotor")}
    finds(RULE, {"engine.py": ENGINE, **files}, "info")
    plain = {path: text.replace("Part(data)", "").replace("Engine(Coil", "Engine(").replace("Engine(Fan", "Engine(")
             .replace("Engine(Rotor", "Engine(") for path, text in files.items()}  # fmt: skip
    finds(RULE, {"engine.py": ENGINE, **{path: text.replace("(, ", "(") for path, text in plain.items()}}, "warning")
    own = ENGINE + MAKES.partition("\n")[2]
    finds(RULE, {"engine.py": own, "a.py": MAKES, "b.py": FACTORY}, "warning")


def test_two_are_only_mentioned() -> None:
    finds(RULE, {"engine.py": ENGINE, "a.py": MAKES, "b.py": FACTORY}, "info")


def test_one_factory_and_what_only_looks_like_one() -> None:
    quiet(RULE, {"engine.py": ENGINE, "a.py": MAKES})
    quiet(RULE, {"engine.py": ENGINE, "a.py": MAKES, "b.py": MAKES.replace("create_engine", "current_engine")})
    quiet(RULE, {"engine.py": ENGINE, "a.py": MAKES, "tests/b.py": MAKES})
    quiet(
        RULE,
        {
            "engine.py": "class Engine(BaseModel):\n    def a(self): ...\n    def b(self): ...\n",
            "a.py": MAKES,
            "b.py": FACTORY,
        },
    )


def test_the_ways_of_a_class_to_make_itself() -> None:
    own = ENGINE + "    @classmethod\n    def create(cls):\n        return Engine()\n"
    quiet(RULE, {"engine.py": own, "a.py": MAKES})


def test_a_getter_that_gives_the_one_object() -> None:
    one = "from engine import Engine\nONE = Engine()\ndef create_engine():\n    return ONE\n"
    quiet(RULE, {"engine.py": ENGINE, "a.py": MAKES, "b.py": one})
