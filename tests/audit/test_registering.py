"""Imports that are there for what they do."""

from __future__ import annotations

import pytest

from carrel.audit.registering import registering_imports
from tests.audit.checking import view


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("app = App()\nimport app.routes\nfrom app import tasks\n", (2, 3)),
        ("app = App()\nfrom app import (\n    routes,\n    tasks,\n)\n", (3, 4)),
        ("class A:\n    b: 'B'\nfrom app.b import B\n", (3,)),
        ("def make(): ...\nimport routes as late\n", (2,)),
        ("import routes\napp = App()\n", ()),
        ("'text'\nimport routes\n", ()),
        ("app = App()\nimport routes\nroutes.add(app)\n", ()),
        ("app = App()\nfrom app import routes, tasks\ndef go():\n    tasks.run()\n", (2,)),
        ("app = App()\nif app:\n    import routes\n", ()),
    ],
)
def test_imports_below_what_a_file_makes(source: str, lines: tuple[int, ...]) -> None:
    assert registering_imports(view(source)) == lines


def test_a_package_gives_on_what_it_takes() -> None:
    source = "app = App()\nfrom app import routes\nimport app.tasks\n"
    assert registering_imports(view(source, "app/__init__.py")) == (3,)
