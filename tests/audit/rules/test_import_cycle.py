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


@pytest.mark.parametrize(
    "sources",
    [
        {"a.py": "import b\n", "b.py": "import c\n", "c.py": ""},
        {"a.py": "import b\n", "b.py": "def later():\n    import a\n"},
        {"a.py": "import b\n", "b.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a\n"},
        {"p/__init__.py": "from . import a\n", "p/a.py": "from p import b\n", "p/b.py": ""},
        {"a.py": "import a\n"},
        {"tests/a.py": "import tests.b\n", "tests/b.py": "import tests.a\n", "tests/__init__.py": ""},
    ],
)
def test_imports_that_lead_nowhere_back(sources: dict[str, str]) -> None:
    quiet(RULE, sources)
