"""Objects that are made past their factory."""

from __future__ import annotations

from carrel.audit.rules.factory_bypassed import FactoryBypassed
from tests.audit.checking import finds, quiet

RULE = FactoryBypassed()
ENGINE = "class Engine:\n    def run(self): ...\n    def stop(self): ...\n"
FACTORY = """
from engine import Engine
class EngineFactory:
    def create(self, user):
        engine = Engine()
        engine.user = user
        return engine
"""
ASKS = "import factory\n"
PAST = "from engine import Engine\ndef handle():\n    return Engine().run()\n"


def test_a_call_of_a_class_that_has_its_factory() -> None:
    (found,) = finds(
        RULE,
        {"engine.py": ENGINE, "asks.py": ASKS, "factory.py": FACTORY, "app.py": PAST},
        "warning",
        on="Engine().run()",
    )
    assert "past `EngineFactory`" in found.message
    assert [place.path for place in found.related] == ["factory.py"]


def test_a_factory_function_counts_too() -> None:
    head = "from engine import Engine\ndef create_engine(user):\n"
    makes = head + "    engine = Engine()\n    engine.user = user\n    return engine\n"
    finds(RULE, {"engine.py": ENGINE, "asks.py": ASKS, "factory.py": makes, "app.py": PAST}, "warning")


def test_a_factory_of_another_name_is_only_mentioned() -> None:
    makes = "from engine import Engine\ndef create_all():\n    return Engine()\n"
    finds(RULE, {"engine.py": ENGINE, "asks.py": ASKS, "factory.py": makes, "app.py": PAST}, "info")


def test_where_it_may_be_made() -> None:
    quiet(RULE, {"engine.py": ENGINE, "app.py": PAST})
    quiet(RULE, {"engine.py": ENGINE, "asks.py": ASKS, "factory.py": FACTORY + "def other():\n    return Engine()\n"})
    quiet(RULE, {"engine.py": ENGINE + "def other():\n    return Engine()\n", "asks.py": ASKS, "factory.py": FACTORY})
    quiet(RULE, {"engine.py": ENGINE, "asks.py": ASKS, "factory.py": FACTORY, "tests/app.py": PAST})
    quiet(RULE, {"engine.py": ENGINE, "asks.py": ASKS, "factory.py": FACTORY, "app.py":
                 "from factory import EngineFactory\n"
                 "def handle():\n    return EngineFactory().create()\n"})  # fmt: skip


def test_a_factory_that_only_calls_the_class_is_only_mentioned() -> None:
    makes = "from engine import Engine\ndef create_engine():\n    return Engine()\n"
    finds(RULE, {"engine.py": ENGINE, "asks.py": ASKS, "factory.py": makes, "app.py": PAST}, "info")


def test_a_factory_that_is_told_nothing_of_a_user_is_only_mentioned() -> None:
    finds(
        RULE,
        {"engine.py": ENGINE, "asks.py": ASKS, "factory.py": FACTORY.replace("user", "folder"), "app.py": PAST},
        "info",
    )


def test_another_maker_is_only_mentioned() -> None:
    finds(
        RULE,
        {"engine.py": ENGINE, "asks.py": ASKS, "factory.py": FACTORY, "app.py": PAST.replace("handle", "_build_spare")},
        "info",
    )


def test_what_is_told_as_much_as_the_factory_is_only_mentioned() -> None:
    for given in ("self.user_id", "request.user.id", "*parts", "1"):
        past = PAST.replace("handle()", "handle(self, request, parts)").replace("Engine()", f"Engine({given})")
        finds(RULE, {"engine.py": ENGINE, "asks.py": ASKS, "factory.py": FACTORY, "app.py": past}, "info")


def test_what_no_request_leads_to_is_only_mentioned() -> None:
    served = "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/x')\n" + PAST.partition("\n")[2]
    files = {"engine.py": ENGINE, "asks.py": ASKS, "factory.py": FACTORY}
    finds(RULE, {**files, "app.py": "from engine import Engine\n" + served}, "warning")
    other = "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/x')\ndef hello(): ...\n"
    finds(RULE, {**files, "app.py": PAST, "routes.py": other}, "info")


def test_a_class_that_is_its_fields_has_no_factory() -> None:
    row = "from dataclasses import dataclass\n@dataclass\n" + ENGINE
    quiet(RULE, {"engine.py": row, "asks.py": ASKS, "factory.py": FACTORY, "app.py": PAST})


def test_what_starts_the_program_is_only_mentioned() -> None:
    for name in ("main", "lifespan", "run_server", "start"):
        past = PAST.replace("handle", name)
        finds(RULE, {"engine.py": ENGINE, "asks.py": ASKS, "factory.py": FACTORY, "app.py": past}, "info")
    finds(RULE, {"engine.py": ENGINE, "asks.py": ASKS, "factory.py": FACTORY, "startup_module.py": PAST}, "info")


def test_a_row_of_a_table_is_made_by_whoever_has_one() -> None:
    row = "from django.db import models\n" + ENGINE.replace("Engine", "Engine(models.Model)")
    quiet(RULE, {"engine.py": row, "asks.py": ASKS, "factory.py": FACTORY, "app.py": PAST})


def test_a_factory_that_nobody_asks_is_only_mentioned() -> None:
    sources = {"engine.py": ENGINE, "factory.py": FACTORY, "app.py": PAST}
    finds(RULE, sources, "info")
    finds(RULE, sources | {"asks.py": "from factory import LIMIT\n", "factory.py": FACTORY + "LIMIT = 1\n"}, "info")
    finds(RULE, sources | {"asks.py": "from factory import EngineFactory\n"}, "warning")
    finds(RULE, sources | {"tests/asks.py": ASKS}, "info")
