"""Modules that import each other while they are loaded."""

from __future__ import annotations

import pytest

from carrel.audit.rules.import_cycle import ImportCycle
from tests.audit.checking import finds, quiet

RULE = ImportCycle()


def test_two_modules() -> None:
    (found,) = finds(RULE, {"p/__init__.py": "", "p/a.py": "from . import b\n", "p/b.py": "import p.a\n"}, "warning")
    assert found.message == "`p.a` > `p.b` > `p.a`"
    assert [(place.path, place.line) for place in found.related] == [("p/b.py", 1)]


def test_the_shortest_way_round_a_larger_group() -> None:
    sources = {"a.py": "import b\n", "b.py": "import c\nimport d\n", "c.py": "import a\n", "d.py": "import b\n"}
    (found,) = finds(RULE, sources, "warning")
    assert found.message == "`b` > `d` > `b`, in a group of 4 modules that all lead to each other"


FACADE = {
    "p/__init__.py": "from .base import Base\nfrom .part import Part\nLIMIT = 1\n",
    "p/base.py": "class Base: ...\n",
}


@pytest.mark.parametrize(
    "part",
    ["from p import Base\n", "from . import LIMIT\n", "import p\n", "from . import _built\n", "from p import *\n"],
)
def test_a_package_that_its_own_module_asks_is_only_mentioned(part: str) -> None:
    (found,) = finds(RULE, FACADE | {"p/part.py": f"{part}class Part: ...\n"}, "info")
    assert found.message == "`p` > `p.part` > `p`"


def test_a_name_of_the_own_package_leads_to_its_definition() -> None:
    base = "from p.part import Part\nclass Base: ...\n"
    (found,) = finds(
        RULE, FACADE | {"p/base.py": base, "p/part.py": "from p import Base\nclass Part: ...\n"}, "warning"
    )
    assert found.message == "`p.base` > `p.part` > `p.base`"


def test_another_package_that_leads_back() -> None:
    sources = {"p/__init__.py": "", "p/azure.py": "from p.openai import Driver\n",
               "p/openai/__init__.py": "from p.driver import Driver\nfrom p.azure import Azure\n",
               "p/driver.py": "class Driver: ...\n"}  # fmt: skip
    (found,) = finds(RULE, sources, "warning")
    assert found.message == "`p.azure` > `p.openai` > `p.azure`"


def test_a_cycle_that_an_except_hides() -> None:
    hidden = "try:\n    from a import Engine\nexcept ImportError:\n    Engine = None\n"
    finds(RULE, {"a.py": "import b\nclass Engine: ...\n", "b.py": hidden}, "warning")


def test_a_file_that_need_not_be_there() -> None:
    settings = "class Base: ...\ntry:\n    from local_settings import *\nexcept ImportError:\n    pass\n"
    finds(RULE, {"settings.py": settings, "local_settings.py": "from settings import Base\n"}, "info")


@pytest.mark.parametrize(
    "sources",
    [
        {"a.py": "import b\n", "b.py": "import c\n", "c.py": ""},
        {"a.py": "import b\n", "b.py": "def later():\n    import a\n"},
        {"a.py": "import b\n", "b.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a\n"},
        {"a.py": "import b\n", "b.py": 'if __name__ == "__main__":\n    import a\n'},
        {"p/__init__.py": "from . import a\n", "p/a.py": "from p import b\n", "p/b.py": ""},
        {"a.py": "import a\n"},
        {"tests/a.py": "import tests.b\n", "tests/b.py": "import tests.a\n", "tests/__init__.py": ""},
    ],
)
def test_imports_that_lead_nowhere_back(sources: dict[str, str]) -> None:
    quiet(RULE, sources)


def test_modules_that_only_type_checkers_load() -> None:
    types = {"t/a.py": "from t.b import B\nclass A: ...\n", "t/b.py": "from t.a import A\nclass B: ...\n",
             "t/c.py": "from t.a import A\n", "t/d.py": "from t.c import A\n"}  # fmt: skip
    asks = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from t.d import A\n    from t.a import A\n"
    finds(RULE, types, "warning")
    quiet(RULE, types | {"app.py": asks})
    finds(RULE, types | {"app.py": asks, "other.py": "def later():\n    from t.c import A\n"}, "warning")
    finds(RULE, types | {"app.py": asks, "t/__init__.py": "from t.d import A\n"}, "warning")
    package = {
        "t/__init__.py": "from t.d import A\n",
        "app.py": asks.replace("from t.a", "from t"),
        "x.py": "import t.e\n",
    }
    finds(RULE, types | package | {"t/e.py": ""}, "warning")


def test_a_constant_that_is_type_checking() -> None:
    says = "from typing import TYPE_CHECKING\nOPTIONAL = TYPE_CHECKING\nREST = bool(TYPE_CHECKING)\n"
    sources = {"p/__init__.py": says, "p/a.py": "from . import b\n"}
    quiet(RULE, sources | {"p/b.py": "from p import OPTIONAL\nif OPTIONAL:\n    from . import a\n"})
    quiet(RULE, sources | {"p/b.py": "import p\nif p.OPTIONAL:\n    from . import a\n"})
    finds(RULE, sources | {"p/b.py": "from p import REST\nif REST:\n    from . import a\n"}, "warning")
    other = "from p import OPTIONAL\nif OPTIONAL:\n    import os\nelse:\n    from . import a\n"
    finds(RULE, sources | {"p/b.py": other}, "warning")


ROUTES = {"app/__init__.py": "", "app/routes.py": "from app.main import app\n@app.get('/')\ndef home(): ...\n"}


def test_modules_that_register_themselves_are_only_mentioned() -> None:
    finds(RULE, ROUTES | {"app/main.py": "app = App()\nfrom app import routes\n"}, "info")
    finds(RULE, ROUTES | {"app/main.py": "from app import routes\napp = App()\n"}, "warning")
    finds(RULE, ROUTES | {"app/main.py": "app = App()\nfrom app import routes\nroutes.add(1)\n"}, "warning")
    refers = "class A:\n    other: 'B'\nfrom app.b import B\n"
    finds(RULE, {"app/a.py": refers, "app/b.py": "from app.a import A\nclass B(A): ...\n"}, "info")


def test_what_a_package_takes_from_its_modules_is_for_others() -> None:
    sources = {"hooks/__init__.py": "__all__ = ('Hook',)\nfrom hooks.base import Hook\nimport uses.api\n",
               "hooks/base.py": "class Hook: ...\n", "uses/api.py": "from hooks import Hook\n"}  # fmt: skip
    finds(RULE, sources, "info")
    takes = sources["hooks/__init__.py"].replace("import uses.api", "from uses import api")
    finds(RULE, sources | {"hooks/__init__.py": takes}, "warning")


def test_what_a_tool_wrote_is_only_mentioned() -> None:
    head = "# Generated from the specification. Do not edit.\n"
    finds(RULE, {"a.py": head + "import b\n", "b.py": head + "import a\n"}, "info")
    finds(RULE, {"a.py": head + "import b\n", "b.py": "import a\n"}, "warning")
