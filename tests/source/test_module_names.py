"""Tests of carrel.source.module_names."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrel.source.module_names import ModuleName, module_names, outer_root, source_roots


@pytest.mark.parametrize(
    ("paths", "roots"),
    [
        (["app/__init__.py", "app/a.py"], (".",)),
        (["src/app/__init__.py", "src/app/sub/__init__.py"], ("src", ".")),
        (["services/api/app/__init__.py", "services/web/app/__init__.py"], ("services/api", "services/web", ".")),
        (["app/__init__.py", "app/plugins/one/__init__.py"], (".",)),
        (["main.py", "tools/run.py"], (".",)),
        (["src/app/a.py"], ("src", ".")),
        (["src/__init__.py", "src/app/a.py"], (".",)),
    ],
)
def test_packages_begin_where_no_init_is_above(paths, roots):
    assert source_roots(paths) == roots


def test_given_roots_count_too():
    assert source_roots(["lib/tool.py"], ["lib/"]) == ("lib", ".")


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("src/app/a.py", [("app.a", False), ("src.app.a", False)]),
        ("src/app/__init__.py", [("app", True), ("src.app", True)]),
        ("src/app/a.pyi", [("app.a", False), ("src.app.a", False)]),
        ("src/app/not-a-module.py", []),
        ("src/2nd/a.py", []),
        ("setup.py", [("setup", False)]),
        ("__init__.py", []),
    ],
)
def test_a_file_has_a_name_from_each_root(path, names):
    assert module_names(path, ("src", ".")) == tuple(ModuleName(*name) for name in names)


@pytest.mark.parametrize(
    ("name", "is_package", "level", "module", "absolute"),
    [
        ("a.b.c", False, 0, "x.y", "x.y"),
        ("a.b.c", False, 1, "x", "a.b.x"),
        ("a.b.c", False, 1, None, "a.b"),
        ("a.b.c", False, 2, "x", "a.x"),
        ("a.b.c", False, 3, "x", None),
        ("a.b", True, 1, "x", "a.b.x"),
        ("a.b", True, 2, None, "a"),
        ("a", True, 2, "x", None),
        ("script", False, 1, "x", None),
        ("script", False, 0, None, None),
    ],
)
def test_relative_imports_start_from_the_package(name, is_package, level, module, absolute):
    assert ModuleName(name, is_package).absolute(level, module) == absolute


@pytest.mark.parametrize(
    ("files", "roots"),
    [
        ({"__init__.py": "", "a.py": ""}, ("../chat",)),
        ({"a.py": "from .b import x\n", "b.py": ""}, ("../chat",)),
        ({"a.py": "from . import b\n", "b.py": ""}, ("../chat",)),
        ({"a.py": "from chat.b import x\n", "b.py": ""}, ("../chat",)),
        ({"a.py": "from chat import Flask\n", "b.py": ""}, ()),
        ({"a.py": "from b import x\n", "b.py": ""}, ()),
        ({"a.py": "from . import chat\n", "chat.py": ""}, ("../chat",)),
        ({"a.py": "from chat.b import x\n", "b.py": "", "chat/b.py": ""}, ()),
    ],
)
def test_a_code_base_may_be_a_package_itself(files, roots):
    read = {path: text.encode() for path, text in files.items()}.__getitem__
    assert outer_root(Path("/nowhere/chat"), files, read) == roots


def test_packages_around_the_code_base_are_part_of_its_name(tmp_path):
    inner = tmp_path / "shop" / "web-api"
    inner.mkdir(parents=True)
    (inner.parent / "__init__.py").touch()
    assert outer_root(inner, ["__init__.py"], lambda _: b"") == ("../shop/web_api",)


def test_a_package_as_root_gives_its_name_before_the_bare_one():
    roots = source_roots(["__init__.py", "a.py", "lib/x/b/__init__.py"], ("../chat",))
    assert roots == ("lib/x", "../chat", ".")
    assert module_names("a.py", roots) == (ModuleName("chat.a", False), ModuleName("a", False))
    assert module_names("__init__.py", roots) == (ModuleName("chat", True),)


def test_no_file_of_a_package_is_a_module_of_the_standard_library():
    names = module_names("graph/types.py", source_roots(["graph/channels/__init__.py", "graph/types.py"]))
    assert [name.dotted for name in names] == ["graph.types"]
    assert [name.dotted for name in module_names("types.py", (".",))] == ["types"]
