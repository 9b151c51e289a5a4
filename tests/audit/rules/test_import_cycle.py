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
