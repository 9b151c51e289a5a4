"""Tests of carrel.source.module_names."""

from __future__ import annotations

import pytest

from carrel.source.module_names import ModuleName, module_names, source_roots


@pytest.mark.parametrize(
    ("paths", "roots"),
    [
        (["app/__init__.py", "app/a.py"], (".",)),
        (["src/app/__init__.py", "src/app/sub/__init__.py"], ("src", ".")),
        (["services/api/app/__init__.py", "services/web/app/__init__.py"], ("services/api", "services/web", ".")),
        (["app/__init__.py", "app/plugins/one/__init__.py"], (".",)),
        (["main.py", "tools/run.py"], (".",)),
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
