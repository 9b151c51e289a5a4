"""Tests of carrel.source.bindings."""

from __future__ import annotations

import pytest

from tests.source.code import project

FILES = {
    "pkg/__init__.py": "from .engine import Engine\nfrom .engine import Engine as Motor\nfrom . import tools\n",
    "pkg/engine.py": "class Engine:\n    def run(self): ...\nclass Other: ...\nLIMIT = 3\n",
    "pkg/tools.py": "from pkg import *\nfrom .engine import Engine\nDEFAULT = Engine\n",
    "pkg/stars.py": "from .engine import *\n",
    "pkg/public.py": "__all__ = ['A']\nA = B = 1\n",
    "pkg/from_public.py": "from .public import *\n",
    "pkg/fallback.py": "try:\n    from .engine import Engine\nexcept ImportError:\n    Engine = None\n",
    "pkg/circle.py": "from .square import x\n",
    "pkg/square.py": "from .circle import x\n",
    "pkg/both.py": "class Engine: ...\n",
    "app.py": "import pkg.engine\n",
    "space/inner/mod.py": "class Deep: ...\n",
}


@pytest.mark.parametrize(
    ("dotted", "path", "name"),
    [
        ("pkg.engine.Engine", "pkg/engine.py", "Engine"),
        ("pkg.engine.Engine.run", "pkg/engine.py", "Engine.run"),
        ("pkg.Engine", "pkg/engine.py", "Engine"),
        ("pkg.Motor.run", "pkg/engine.py", "Engine.run"),
        ("pkg.tools.DEFAULT", "pkg/engine.py", "Engine"),
        ("pkg.tools.Engine", "pkg/engine.py", "Engine"),
        ("pkg.tools.Motor", "pkg/engine.py", "Engine"),
        ("pkg.stars.LIMIT", "pkg/engine.py", "LIMIT"),
        ("pkg.from_public.A", "pkg/public.py", "A"),
        ("pkg.both.Engine", "pkg/both.py", "Engine"),
        ("app.pkg.Engine", "pkg/engine.py", "Engine"),
        ("space.inner.mod.Deep", "space/inner/mod.py", "Deep"),
    ],
)
def test_a_name_is_followed_to_its_definition(dotted, path, name):
    found = project(FILES).definition(dotted)
    assert found is not None
    assert found.key == (path, name)


@pytest.mark.parametrize(
    ("dotted", "kind"),
    [
        ("pkg.engine", "module"),
        ("pkg.tools", "module"),
        ("space.inner", "module"),
        ("fastapi.Request", "external"),
        ("pkg.nothing", "missing"),
        ("pkg.engine.Nothing", "missing"),
        ("pkg.from_public.B", "missing"),
        ("pkg.circle.x", "missing"),
        ("space.nothing.Deep", "missing"),
    ],
)
def test_what_is_no_definition_says_what_it_is(dotted, kind):
    assert {found.kind for found in project(FILES).resolve(dotted)} == {kind}


def test_a_fall_back_is_a_second_meaning():
    code = project(FILES)
    assert {found.key for found in code.resolve("pkg.fallback.Engine")} == {
        ("pkg/engine.py", "Engine"),
        ("pkg/fallback.py", "Engine"),
    }
    assert code.definition("pkg.fallback.Engine") is None
    assert code.canonical("pkg.fallback.Engine") == "pkg.fallback.Engine"


def test_two_classes_of_one_name_are_two():
    code = project(FILES)
    assert not code.same("pkg.Engine", "pkg.both.Engine")
    assert code.same("pkg.Motor", "pkg.tools.DEFAULT")


def test_the_way_is_told():
    (found,) = project(FILES).resolve("pkg.tools.Motor")
    assert found.via == ("pkg.tools", "pkg")


def test_a_star_brings_what_is_public():
    code = project(FILES)
    assert set(code.exported("pkg/from_public.py")) == {"A"}
    assert set(code.exported("pkg/engine.py")) == {"Engine", "Other", "LIMIT"}


def test_a_file_in_two_roots_is_one_module():
    code = project({"src/lib/__init__.py": "", "src/lib/a.py": "class A: ...", "src/lib/b.py": "from .a import A"})
    assert code.name("src/lib/a.py").dotted == "lib.a"
    assert code.same("lib.a.A", "src.lib.a.A")
    assert code.same("lib.b.A", "src.lib.a.A")


def test_a_stub_does_not_hide_the_module():
    code = project({"a.pyi": "class A: ...", "a.py": "class A: ..."})
    assert code.path("a") == "a.py"


def test_a_package_comes_before_a_module_of_its_name():
    code = project({"a.py": "x = 1", "a/__init__.py": "y = 1"})
    assert code.path("a") == "a/__init__.py"


def test_a_submodule_that_its_package_names_is_the_submodule():
    code = project({"p/__init__.py": "from . import m\nfrom .m import f", "p/m.py": "def f(): ..."})
    assert [found.kind for found in code.resolve("p.m")] == ["module"]
    assert code.definition("p.m.f") is not None


def test_an_end_is_a_definition_where_its_file_only_imports_it():
    found = project(FILES, ends=[("pkg/tools.py", "Engine")]).resolve("pkg.tools.Engine.run")
    assert [(one.kind, one.key) for one in found] == [("definition", ("pkg/tools.py", "Engine.run"))]
    assert project(FILES, ends=[("pkg/tools.py", "Engine")]).canonical("pkg.Engine") == "pkg.engine.Engine"


def test_packages_that_all_import_each_other_are_followed_once():
    names = [f"m{number}" for number in range(14)]
    files = {
        f"p/{name}.py": "".join(
            f"from p.{other} import *\nfrom p.{other} import thing\n" for other in names if other != name
        )
        for name in names
    }
    code = project({"p/__init__.py": "", "p/home.py": "thing = 1\n", **files, "p/m13.py": "from p.home import thing\n"})
    assert ("p/home.py", "thing") in {found.key for found in code.resolve("p.m0.thing")}
