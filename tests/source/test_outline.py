"""Tests of carrel.source.outline."""

from __future__ import annotations

import ast
from pathlib import Path
from textwrap import dedent

import pytest

from carrel.source.outline import Outline, read_outline
from carrel.source.scope_builder import build_scopes


def outline(source: str) -> Outline:
    return read_outline(dedent(source).encode())


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import a.b", ("a.b", "", "a", True, "")),
        ("import a.b as c", ("a.b", "", "c", True, "")),
        ("from a import b as c", ("a", "b", "c", True, "")),
        ("from a import *", ("a", "*", "*", True, "")),
        ("def f():\n    import a", ("a", "", "a", False, "")),
        ("class C:\n    import a", ("a", "", "a", False, "")),
        ("if TYPE_CHECKING:\n    import a", ("a", "", "a", True, "type_checking")),
        ('if __name__ == "__main__":\n    with x:\n        import a', ("a", "", "a", True, "main")),
        ("try:\n    import a\nexcept E:\n    pass", ("a", "", "a", True, "conditional")),
        ("with x:\n    import a", ("a", "", "a", True, "")),
        ("match x:\n    case 1:\n        import a", ("a", "", "a", True, "conditional")),
    ],
)
def test_every_import_is_seen_with_where_it_stands(source, expected):
    (site,) = outline(source).imports
    assert (site.module, site.name, site.bound, site.top, site.guard) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import a", True),
        ("try:\n    import a\nexcept E:\n    pass", True),
        ("def f():\n    import a", False),
        ("if TYPE_CHECKING:\n    import a", False),
        ('if __name__ == "__main__":\n    import a', False),
    ],
)
def test_what_an_import_of_the_module_imports(source, expected):
    (site,) = outline(source).imports
    assert site.is_loading is expected


@pytest.mark.parametrize(
    ("source", "condition"),
    [
        ("import a", ""),
        ("if p.FULL:\n    import a", "p.FULL"),
        ("if FULL:\n    with x:\n        import a", "FULL"),
        ("if FULL:\n    b\nelse:\n    import a", ""),
        ("if FULL:\n    if not x:\n        import a", ""),
    ],
)
def test_the_name_that_an_import_stands_under(source, condition):
    (site,) = outline(source).imports
    assert site.condition == condition


def test_a_name_of_an_import_has_its_own_place():
    first, second = outline("from ..a import (\n    b,  # why\n    c as d,\n)").imports
    assert (first.line, first.column, first.level) == (2, 4, 2)
    assert (second.line, second.column, second.bound) == (3, 4, "d")


@pytest.mark.parametrize(
    ("source", "public"),
    [
        ("__all__ = ['a', 'b']", ("a", "b")),
        ("__all__ = ('a',)", ("a",)),
        ("__all__: list[str] = ['a']", ("a",)),
        ("__all__ = ['a']\n__all__ += ['b']", ("a", "b")),
        ("__all__ = ['a']\n__all__.append('b')\n__all__.extend(('c',))", ("a", "b", "c")),
        ("__all__ = ['a'] + b.__all__", None),
        ("__all__ = ['a']\n__all__ += b.__all__", None),
        ("__all__ = ['a']\n__all__.extend(names())", None),
        ("a = 1", None),
    ],
)
def test_what_a_module_calls_public(source, public):
    assert outline(source).public == public


def test_top_level_names_are_exports():
    found = outline("""
        import a.b
        from .c import d as e
        class F(G, h.I, J[K], metaclass=L):
            x = 1
            def m(self): ...
        def g(): ...
        H = F
        I = f()
        for j, (k, *l) in (): pass
        with x as m: pass
        if n:
            o = 1
        def hidden():
            p = 1
    """).exports
    kinds = {name: [export.kind for export in exports] for name, exports in found.items()}
    assert kinds == {
        "a": ["import"], "e": ["import"], "F": ["class"], "g": ["function"], "H": ["alias"], "I": ["value"],
        "j": ["value"], "k": ["value"], "l": ["value"], "m": ["value"], "o": ["value"], "hidden": ["function"],
    }  # fmt: skip
    (cls,) = found["F"]
    assert (cls.bases, cls.members) == (("G", "h.I", "J"), ("x", "m"))
    assert found["o"][0].conditional
    assert not found["I"][0].conditional


@pytest.mark.parametrize("data", [b"def f(:\n", b"x = '\xff'", b"a\x00b"])
def test_a_file_that_cannot_be_read_says_why(data):
    found = read_outline(data)
    assert found.error
    assert found.error_line >= 1
    assert not found.exports


@pytest.mark.parametrize(("data", "lines"), [(b"", 0), (b"a", 1), (b"a\n", 1), (b"a\nb", 2)])
def test_lines_are_counted(data, lines):
    assert read_outline(data).lines == lines


@pytest.mark.parametrize(
    "name", ["asyncio/__init__.py", "typing.py", "os.py", "inspect.py", "socket.py", "unittest/mock.py"]
)
def test_exports_are_what_the_scopes_bind(name):
    data = (Path(ast.__file__).parent / name).read_bytes()
    scopes = build_scopes(ast.parse(data))
    bound = {name for name, bindings in scopes.module.bindings.items() if any(one.kind != "delete" for one in bindings)}
    by_functions = {name for scope in scopes.scopes.values() for name in scope.globals}
    loose = {
        name for name, found in scopes.module.bindings.items() if all(one.kind in ("walrus", "except") for one in found)
    }
    assert set(read_outline(data).exports) | by_functions == (bound - loose) | by_functions
