"""Tests of carrel.migrate.references: small code bases, one per way to refer to a class."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import indent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrel.errors import SourceError
from carrel.migrate.references import find_references
from tests.migrate.tree import RECIPE, lines, recipe, scan, write

FOUND = {
    "plain import": ("from pkg.engine import Engine\nEngine()\n", ["1 import Engine", "2 call Engine"]),
    "alias": ("from pkg.engine import Engine as E\nE()\n", ["1 import Engine as E", "2 call E"]),
    "several names": ("from pkg.engine import Other, Engine, Other as O\n", ["1 import Engine"]),
    "parentheses and comments": (
        "from pkg.engine import (  # the (old) one\n    Other,  # import this\n    # and :)\n    Engine,\n)\n",
        ["4 import Engine"],
    ),
    "continued line": ("from pkg.engine import \\\n    Engine\n", ["2 import Engine"]),
    "in a function": (
        "def f():\n    from pkg.engine import Engine\n    return Engine\n",
        ["2 import Engine", "3 name Engine"],
    ),
    "fallback": (
        "try:\n    from pkg.engine import Engine\nexcept ImportError:\n    Engine = None\nx = Engine\n",
        ["2 import Engine", "4 fallback_store Engine", "5 name Engine"],
    ),
    "fallback class": (
        "try:\n    from pkg.engine import Engine\nexcept ImportError:\n    class Engine: ...\nEngine()\n",
        ["2 import Engine", "4 fallback_store Engine", "5 call Engine"],
    ),
    "fallback of an alias stays": (
        "try:\n    from pkg.engine import Engine as E\nexcept ImportError:\n    E = None\nE()\n",
        ["2 import Engine as E", "5 call E"],
    ),
    "type checking": (
        "if TYPE_CHECKING:\n    from pkg.engine import Engine\ndef f(x: 'Engine | None') -> Engine: ...\n",
        ["2 import Engine", "3 string_annotation Engine", "3 annotation Engine"],
    ),
    "module": ("import pkg.engine\npkg.engine.Engine()\n", ["2 call pkg.engine.Engine"]),
    "module alias": ("import pkg.engine as m\nclass A(m.Engine): ...\n", ["2 base m.Engine"]),
    "module from package": ("from pkg import engine\nx: engine.Engine\n", ["2 annotation engine.Engine"]),
    "module variable": ("import pkg.engine\nm = pkg.engine\nm.Engine()\n", ["3 call m.Engine"]),
    "star": ("from pkg.engine import *\nEngine()\n", ["1 import *", "2 call Engine"]),
    "generic base": (
        "from pkg.engine import Engine\nclass A(Engine[int]): ...\n",
        ["1 import Engine", "2 base Engine"],
    ),
    "class attribute": ("from pkg.engine import Engine\nEngine.LIMIT\n", ["1 import Engine", "2 name Engine"]),
    "local alias": ("from pkg.engine import Engine\nE = Engine\nE()\n", ["1 import Engine", "2 name Engine"]),
    "decorator and default": (
        "from pkg.engine import Engine\n@Engine\ndef f(x=Engine): ...\n",
        ["1 import Engine", "2 name Engine", "3 name Engine"],
    ),
    "patch": (
        "from unittest.mock import patch\npatch('pkg.engine.Engine')\npatch('pkg.engine.Engine.run')\n",
        ["2 patch_target pkg.engine.Engine", "3 patch_target pkg.engine.Engine.run"],
    ),
    "patch by keyword": ("import mock\nmock.patch(target='pkg.engine.Engine')\n", ["2 patch_target pkg.engine.Engine"]),
    "monkeypatch": (
        "def test(monkeypatch):\n    monkeypatch.setattr('pkg.engine.Engine.run', None)\n",
        ["2 patch_target pkg.engine.Engine.run"],
    ),
    "patch object": (
        "import pkg.engine\nfrom mock import patch\npatch.object(pkg.engine, 'Engine')\n",
        ["3 patch_target Engine"],
    ),
    "patch multiple": (
        "from mock import patch\npatch.multiple('pkg.engine', Engine=None, Other=None)\n",
        ["2 patch_target Engine"],
    ),
    "getattr": ("import pkg.engine as m\ngetattr(m, 'Engine')\n", ["2 patch_target Engine"]),
    "import_module": (
        "m = importlib.import_module('pkg.engine')\nm.Engine()\nimport_module('pkg.engine').Engine\n",
        ["2 call string m.Engine", "3 name string import_module('pkg.engine').Engine"],
    ),
    "string": ("NAMES = ['pkg.engine.Engine', 'pkg.engine:Engine']\n",
               ["1 patch_target string pkg.engine.Engine", "1 patch_target string pkg.engine:Engine"]),
    "cast": (
        "from typing import cast\nfrom pkg.engine import Engine\ncast('Engine', 1)\n",
        ["2 import Engine", "3 string_annotation Engine"],
    ),
    "__all__": (
        "from pkg.engine import Engine\n__all__ = ['Engine', 'x']\n",
        ["1 import Engine", "2 dunder_all Engine"],
    ),
    "two bindings": (
        "from pkg.engine import Engine\nif x:\n    from pkg.decoy import Engine\nEngine()\n",
        ["1 import Engine", "4 call mixed Engine"],
    ),
    "bound again": (
        "from pkg.engine import Engine\nEngine = wrap(Engine)\nEngine()\n",
        ["1 import Engine", "2 name mixed Engine", "3 call mixed Engine"],
    ),
    "star behind it": (
        "from pkg.engine import Engine\nfrom pkg.decoy import *\nEngine()\n",
        ["1 import Engine", "3 call mixed Engine"],
    ),
    "star of nothing like it behind it": (
        "from pkg.engine import Engine\nfrom pkg.other import *\nfrom os import *\nEngine()\n",
        ["1 import Engine", "4 call Engine"],
    ),
    "star before it": (
        "from pkg.decoy import *\nfrom pkg.engine import Engine\nEngine()\n",
        ["2 import Engine", "3 call Engine"],
    ),
    "star of itself behind it": (
        "from pkg.engine import Engine\nfrom pkg.engine import *\nEngine()\n",
        ["1 import Engine", "3 call mixed Engine"],
    ),
    "star beside an import for types": (
        "from pkg.engine import *\nif TYPE_CHECKING:\n    from pkg.engine import Engine\nEngine()\n",
        ["3 import Engine", "4 call mixed Engine"],
    ),
    "f-string": ("from pkg.engine import Engine\nf'{Engine}'\n", ["1 import Engine", "2 name Engine"]),
    "walrus and comprehension": (
        "from pkg.engine import Engine\n[Engine(y) for y in [Engine]]\n",
        ["1 import Engine", "2 call Engine", "2 name Engine"],
    ),
}  # fmt: skip

NOTHING = {
    "no import": "Engine()\n",
    "own class": "class Engine: ...\nEngine()\n",
    "another class of the name": "from pkg.decoy import Engine\nEngine()\n",
    "another module of the name": "from other.engine import Engine\nEngine()\n",
    "longer name": "from pkg.engine import EngineFactory\nfrom pkg.user_engine import UserEngine\nUserEngine()\n",
    "another name of the module": "from pkg.engine import Other\nOther()\n",
    "the module alone": "import pkg.engine\npkg.engine.Other()\n",
    "shadowed by a parameter": "from pkg import decoy\ndef f(Engine):\n    return Engine()\n",
    "shadowed in a function": "def f():\n    from pkg.decoy import Engine\n    return Engine()\n",
    "in a comment": "# from pkg.engine import Engine\n",
    "in a docstring": '"""See pkg.engine.Engine."""\n',
    "a docstring that is its name": '"""pkg.engine.Engine"""\n',
    "in a message": "print('use Engine from pkg.engine now')\n",
    "attribute of something else": "import other\nother.Engine()\nself.Engine\n",
    "keyword argument": "f(Engine=1)\n",
    "patch of another": "patch('pkg.decoy.Engine')\npatch('pkg.engine.Other')\n",
    "patch object of another": "import pkg.decoy\npatch.object(pkg.decoy, 'Engine')\n",
    "star of another": "from pkg.decoy import *\nEngine()\n",
    "star without use": "from pkg.engine import *\nOther()\n",
    "string alone": "x = 'Engine'\n",
    "relative past the top": "from ..engine import Engine\nEngine()\n",
    "all of another": "from pkg.decoy import Engine\n__all__ = ['Engine']\n",
    "literal": "from typing import Literal\nx: Literal['Engine']\n",
}


@pytest.mark.parametrize(("text", "expected"), FOUND.values(), ids=FOUND)
def test_a_reference_is_found(tmp_path: Path, text: str, expected: list[str]):
    assert lines(scan(tmp_path, text)) == expected


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_what_only_looks_like_one_is_not(tmp_path: Path, text: str):
    assert lines(scan(tmp_path, text)) == []


# At the top of a module only.
TOP = frozenset(
    {*(name for name in (*FOUND, *NOTHING) if name.startswith("star")), "__all__", "all of another", "type checking"}
)
ANYWHERE = [(text, expected) for name, (text, expected) in FOUND.items() if name not in TOP]
ANYWHERE += [(text, []) for name, text in NOTHING.items() if name not in TOP and not text.startswith('"""')]


@given(st.lists(st.sampled_from(ANYWHERE), min_size=2, max_size=6), st.sampled_from(["\n", "\r\n"]))
def test_references_in_one_function_are_those_that_it_has_alone(parts: list[tuple[str, list[str]]], end: str):
    text = "# é\n"
    expected = []
    for number, (body, found) in enumerate(parts):
        text += f"def f{number}():\n"
        shift = text.count("\n")
        for line in found:
            at, _, rest = line.partition(" ")
            expected.append(f"{int(at) + shift} {rest}")
        text += indent(body, "    ", lambda line: True) + "    pass\n"
    with TemporaryDirectory() as directory:
        assert lines(scan(Path(directory), {"app.py": text.replace("\n", end).encode()})) == expected


def test_relative_imports_are_followed(tmp_path: Path):
    files = {
        "pkg/a.py": "from .engine import Engine\n",
        "pkg/sub/__init__.py": "from ..engine import Engine\n",
        "pkg/sub/b.py": "from . import Engine\nfrom .. import engine\nengine.Engine()\n",
    }
    assert lines(scan(tmp_path, files)) == [
        "pkg/a.py:1 import Engine",
        "pkg/sub/__init__.py:1 import Engine",
        "pkg/sub/b.py:1 import Engine",
        "pkg/sub/b.py:3 call engine.Engine",
    ]


def test_re_exports_are_followed_with_the_modules_between(tmp_path: Path):
    files = {
        "pkg/__init__.py": "from .api import *\n",
        "pkg/api.py": "from .engine import Engine\n__all__ = ['Engine']\n",
        "app.py": "from pkg import Engine\nimport pkg\npkg.Engine()\n",
    }
    found = scan(tmp_path, files)
    assert lines(found) == [
        "1 import Engine",
        "3 call pkg.Engine",
        "pkg/api.py:1 import Engine",
        "pkg/api.py:2 dunder_all Engine",
    ]
    assert [(one.written, one.via, one.resolved_to) for one in found.references[:2]] == [
        ("pkg.Engine", ("pkg", "pkg.api"), "pkg.engine.Engine")
    ] * 2


def test_a_re_export_under_another_name_is_followed_twice(tmp_path: Path):
    files = {
        "pkg/a.py": "from .engine import Engine as Motor\n",
        "pkg/b.py": "from .a import Motor\nMachine = Motor\n",
        "app.py": "from pkg.b import Machine\nMachine()\n",
        "decoy.py": "from somewhere.b import Machine\nMachine()\nclass Motor: ...\n",
    }
    assert lines(scan(tmp_path, files)) == [
        "1 import Machine",
        "2 call Machine",
        "pkg/a.py:1 import Engine as Motor",
        "pkg/b.py:1 import Motor",
        "pkg/b.py:2 name Motor",
    ]


def test_a_longer_name_for_it_is_followed_too(tmp_path: Path):
    files = {
        "pkg/a.py": "from .engine import Engine as OldEngine\n",
        "app.py": "from pkg.a import OldEngine\nOldEngine()\n",
    }
    assert lines(scan(tmp_path, files)) == [
        "1 import OldEngine",
        "2 call OldEngine",
        "pkg/a.py:1 import Engine as OldEngine",
    ]


def test_a_patch_where_it_is_used_is_found(tmp_path: Path):
    files = {
        "pkg/user.py": "from pkg.engine import Engine\n",
        "test_it.py": "import pkg.user\npatch('pkg.user.Engine')\npatch.object(pkg.user, 'Engine')\n",
    }
    assert lines(scan(tmp_path, files))[1:] == [
        "test_it.py:2 patch_target pkg.user.Engine",
        "test_it.py:3 patch_target Engine",
    ]


def test_an_alias_left_in_the_old_place_is_still_the_old_name(tmp_path: Path):
    files = {
        "pkg/engine.py": "from .user_engine import UserEngine as Engine\n",
        "app.py": "from pkg.engine import Engine\nfrom pkg.user_engine import UserEngine\nEngine(UserEngine)\n",
    }
    assert lines(scan(tmp_path, files)) == ["1 import Engine", "3 call Engine"]


def test_a_class_outside_of_the_tree_can_be_moved_from(tmp_path: Path):
    more = '[[symbols]]\nold = "library.core.Client"\nnew = "pkg.client.Client"\n'
    files = {"app.py": "from library.core import Client\nClient()\n", "b.py": "from app import Client\n"}
    found = scan(tmp_path, files, more)
    assert lines(found) == ["1 import Client", "2 call Client", "b.py:1 import Client"]
    assert found.missing == ()


def test_a_name_that_is_not_there_is_told(tmp_path: Path):
    more = '[[symbols]]\nold = "pkg.engine.Gone"\nnew = "pkg.user_engine.UserEngine"\n'
    found = scan(tmp_path, "from pkg.engine import Gone\nGone()\n", more)
    assert found.missing == ("pkg.engine.Gone",)
    assert lines(found) == ["1 import Gone", "2 call Gone"]


def test_a_module_that_moves_is_found_by_all_its_names(tmp_path: Path):
    more = '[[modules]]\nold = "pkg.engine"\nnew = "pkg.motor"\n'
    text = """
    import pkg.engine
    import pkg.engine as m
    from pkg import engine
    from pkg.engine import Other, Engine
    from pkg.user_engine import UserEngine
    pkg.engine.Other()
    m.Other()
    patch("pkg.engine.Other")
    """
    found = scan(tmp_path, text, more)
    assert [(one.line, one.kind, one.symbol.rpartition(".")[2], one.text) for one in found.references] == [
        (2, "import", "engine", "pkg.engine"),
        (3, "import", "engine", "pkg.engine as m"),
        (4, "import", "engine", "engine"),
        (5, "import", "engine", "pkg.engine"),
        (5, "import", "Engine", "Engine"),
        (7, "name", "engine", "pkg.engine"),
        (8, "name", "engine", "m"),
        (9, "patch_target", "engine", "pkg.engine.Other"),
    ]


ATTRIBUTES = '[[attributes]]\nsymbol = "pkg.engine.Engine"\nrename = { stop = "close" }\n'


def test_renamed_attributes_are_found_on_what_surely_is_an_instance(tmp_path: Path):
    text = """
    from pkg.engine import Engine
    def f(given: Engine, maybe: "Engine | None", other):
        made = Engine()
        made.stop()
        given.stop()
        maybe.stop()
        other.stop()
        Engine.stop(made)
        Engine().stop()
        made.run()
    class A:
        def __init__(self):
            self.engine = Engine()
        def g(self):
            self.engine.stop()
            self.stop()
    """
    found = [one for one in scan(tmp_path, text, ATTRIBUTES).references if one.kind == "attribute"]
    assert [(one.line, one.certainty, one.text, one.resolved_to) for one in found] == [
        (line, "certain", "stop", "pkg.engine.Engine.stop") for line in (5, 6, 7, 9, 10, 16)
    ]


def test_an_attribute_of_what_may_be_something_else_is_for_a_person(tmp_path: Path):
    text = """
    from pkg.engine import Engine
    def f(x):
        e = Engine() if x else None
        g = Engine()
        g = x
        g.stop()
        e.stop()
    class Sub(Engine):
        def stop(self): ...
    """
    found = [one for one in scan(tmp_path, text, ATTRIBUTES).references if one.kind == "attribute"]
    assert [(one.line, one.certainty) for one in found] == [(7, "mixed"), (10, "mixed")]
    assert "`g` may hold something else" in found[0].reason
    assert "`stop` overrides" in found[1].reason


def test_ranges_are_utf8_offsets_without_the_byte_order_mark(tmp_path: Path):
    text = b"\xef\xbb\xbf# \xc3\xa9\r\nfrom pkg.engine import Engine; x = '\xe2\x82\xac', Engine\r\n"
    found = scan(tmp_path, {"app.py": text}).references
    assert [(one.line, one.column, one.end_column, one.start, one.end) for one in found] == [
        (2, 23, 29, 29, 35),
        (2, 42, 48, 48, 54),
    ]
    assert all(text[3:][one.start : one.end] == b"Engine" for one in found)


def test_whether_a_call_can_await_is_known(tmp_path: Path):
    text = """
    from pkg.engine import Engine
    async def f():
        Engine()
        [Engine() for _ in x]
        lambda: Engine()
        def g():
            Engine()
    """
    found = scan(tmp_path, text).references
    assert [one.in_async for one in found] == [False, True, True, False, False]


def test_files_that_cannot_be_parsed_are_listed_when_they_may_refer(tmp_path: Path):
    files = {"bad.py": "from pkg.engine import Engine\ndef (\n", "other.py": "def (\n"}
    found = scan(tmp_path, files)
    assert [(one.path, one.line) for one in found.unparsable] == [("bad.py", 2)]
    assert "cannot be parsed" in found.unparsable[0].message


def test_mentions_are_counted_in_all_text_files(tmp_path: Path):
    files: dict[str, str | bytes] = {
        "README.md": "Engine, UserEngine\n",
        "app.py": "from pkg.engine import Engine\n",
        "logo.png": b"Engine",
    }
    found = scan(tmp_path, files)
    # The package itself has the words twice in each of three files, less once.
    assert (found.mentions, found.mention_files) == (7, 5)
    assert (found.files, found.python_files, found.parsed) == (6, 5, 1)


def test_names_in_data_files_and_pickles_are_found_for_a_person(tmp_path: Path):
    files: dict[str, str | bytes] = {
        "pkg/api.py": "from .engine import Engine as Motor\n",
        "logging.yaml": "class: pkg.engine.Engine\nother: pkg.api.Motor\nthird: pkg.decoy.Engine\n",
        "notes.yaml": "text: use pkg.user_engine.UserEngine and no pkg.engine.Engine\n",
        "README.md": "`pkg.engine.Engine`\n",
        "state.bin": b"\x80\x02cpkg.engine\nEngine\nq\x00.",
        "decoy.bin": b"\x80\x02cpkg.decoy\nEngine\nq\x00.",
        "words.bin": b"\x80\x02X\x0d\x00\x00\x00engine Engine.",
    }
    found = [one for one in scan(tmp_path, files).references if one.kind in ("data", "pickle")]
    assert lines(tuple(found)) == [
        "logging.yaml:1 data string pkg.engine.Engine",
        "logging.yaml:2 data string pkg.api.Motor",
        "state.bin:1 pickle string pkg.engine.Engine",
    ]
    assert [(one.resolved_to, one.via) for one in found[:2]] == [
        ("pkg.engine.Engine", ()), ("pkg.engine.Engine", ("pkg.api",)),
    ]  # fmt: skip
    assert "what reads the file" in found[0].reason
    assert "pickled by this name" in found[2].reason


def test_the_recipe_itself_is_no_reference(tmp_path: Path):
    assert lines(scan(tmp_path, {"migration.toml": RECIPE})) == []


def test_source_roots_are_found(tmp_path: Path):
    files = {
        "services/api/core/__init__.py": "",
        "services/api/core/use.py": "from core.mod import Engine\nfrom .mod import Engine as E\n",
        "services/api/core/mod.py": "from pkg.engine import Engine\n",
        "other/use.py": "from services.api.core.mod import Engine\n",
    }
    assert len(scan(tmp_path, files).references) == 4


def test_a_second_scan_reads_only_what_has_changed(tmp_path: Path):
    write(tmp_path, {"app.py": "from pkg.engine import Engine\n", "b.py": ""})
    first = find_references(tmp_path, recipe(), jobs=1)
    assert (tmp_path / ".carrel" / ".gitignore").read_text() == "*\n"
    assert find_references(tmp_path, recipe(), jobs=1).references == first.references
    (tmp_path / "b.py").write_text("from pkg.engine import Engine\nEngine()\n")
    (tmp_path / "app.py").unlink()
    assert lines(find_references(tmp_path, recipe(), jobs=1)) == ["b.py:1 import Engine", "b.py:2 call Engine"]


def test_processes_find_what_one_finds(tmp_path: Path):
    files: dict[str, str | bytes] = {f"m{n}.py": f"from pkg.engine import Engine as E{n}\nE{n}()\n" for n in range(80)}
    found = scan(tmp_path, files)
    assert find_references(tmp_path, recipe(), jobs=2, cache=False).references == found.references
    assert len(found.references) == 160


def test_progress_ends_at_the_number_of_files(tmp_path: Path):
    told: list[tuple[int, int]] = []
    write(tmp_path, {})
    find_references(tmp_path, recipe(), jobs=1, cache=False, progress=lambda done, of: told.append((done, of)))
    assert told[-1] == (4, 4)


def test_a_root_that_is_not_there_is_an_error(tmp_path: Path):
    with pytest.raises(SourceError, match="is not a directory"):
        find_references(tmp_path / "no", recipe())


def test_references_know_their_phase(tmp_path: Path):
    more = '[[phases]]\nname = "core"\ndistance_at_most = 1\n[[phases]]\nname = "tests"\npaths = ["tests/**"]\n'
    files = {
        "pkg/a.py": "from pkg.engine import Engine\n",
        "pkg/b.py": "from pkg.a import Engine\n",
        "pkg/c.py": "from pkg.engine import Engine\n",
        "tests/t.py": "from pkg.b import Engine\n",
    }
    found = scan(tmp_path, files, more)
    # `pkg/a.py` is in `core` by its distance, and waits for `pkg/b.py`, which goes through it.
    assert [(one.path, one.phase) for one in found.references] == [
        ("pkg/a.py", "rest"), ("pkg/b.py", "rest"), ("pkg/c.py", "core"), ("tests/t.py", "tests")
    ]  # fmt: skip
    assert len(found.in_phase("rest")) == 2
