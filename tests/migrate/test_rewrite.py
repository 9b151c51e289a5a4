"""Tests of carrel.migrate.rewrite."""

from __future__ import annotations

import contextlib
import importlib
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carrel.migrate.outcome import Edited, Unchanged
from carrel.migrate.references import find_references
from carrel.migrate.rewrite import Rewriter
from tests.migrate.edits.changing import recipe
from tests.migrate.project import write

CODE = {
    "pkg/__init__.py": (
        "from .old import Old\nfrom .old import Old as Renamed\n"
        "__all__ = ['Old', 'Other', 'Renamed']\nfrom .old import Other\n"
    ),
    "pkg/old.py": "class Old:\n    tag = 'engine'\n    def run(self): return 'ran'\nclass Other:\n    tag = 'other'\n",
    "pkg/new.py": "class New:\n    tag = 'engine'\n    def run(self): return 'ran'\n",
    "pkg/same.py": "class Old:\n    tag = 'same'\n",
}
IMPORTS = (
    "from pkg.old import {0}",
    "from pkg.old import {0} as {1}",
    "from pkg import {0}",
    "from pkg import Renamed as {1}",
    "from pkg.old import ({0},  # note\n{i}    Other)",
    "from pkg.old import Other, {0}",
    "import pkg.old",
    "import pkg.old as {2}",
    "from pkg import old",
    "from pkg.same import Old as Same",
    "try:\n{i}    from pkg.old import {0}\n{i}except ImportError:\n{i}    {0} = None",
    "if 1:\n{i}    from pkg.old import {0}\n{i}else:\n{i}    {0} = None",
    "from pkg.old import \\\n{i}    {0}",
    "from pkg.old import {0}, {0} as {1}; out.append('beside')",
    "import pkg.same, pkg.old as {2}, pkg.old",
    "from typing import TYPE_CHECKING\n{i}if TYPE_CHECKING:\n{i}    from pkg.old import {0}",
    "from importlib import import_module\n{i}{2} = import_module('pkg.old')",
)
STARS = ("from pkg.old import *", "from pkg import *", "from pkg.same import *")
USES = (
    "out.append({0}.tag)",
    "out.append({1}().run())",
    "out.append(pkg.old.Old.tag)",
    "out.append({2}.Old().run())",
    "out.append(old.Old.tag)",
    "out.append(Same.tag)",
    "class C({0}): pass\n{i}out.append(C().run())",
    "def f(x: '{0}' = None) -> {0}: return x\n{i}out.append(f({0}()).tag)",
    "out.append([{0} for _ in (1,)][0].tag)",
    "out.append((lambda {0}: {0})(1))",
    "out.append(f'{{{0}.tag}}')",
    "{3} = 'mine'\n{i}out.append({3})",
    "out.append(Other.tag)",
    "out.append('Old')  # Old",
)


def block(forms: list[str], indent: str) -> list[str]:
    lines = []
    for form in forms:
        text = form.format("Old", "E", "m", "New", i=f"{indent}    ")
        lines += [f"{indent}try:", f"{indent}    {text}", f"{indent}except NameError: out.append('unbound')",
                  f"{indent}except AttributeError: out.append('none')"]  # fmt: skip
    return lines


@st.composite
def programs(draw: st.DrawFn) -> str:
    """Imports at the top, uses of them, and functions with imports and uses of their own; errors are caught."""
    imports, uses = st.lists(st.sampled_from(IMPORTS), max_size=3), st.lists(st.sampled_from(USES), max_size=4)
    at_top = st.lists(st.sampled_from((*IMPORTS, *STARS)), max_size=3)
    lines = ["out = []", "import pkg.same", *block(draw(at_top), "")]
    for index in range(draw(st.integers(0, 2))):
        lines += [
            f"def f{index}():",
            "    pass",
            *block(draw(imports), "    "),
            *block(draw(uses), "    "),
            f"f{index}()",
        ]
    return "\n".join([*lines, *block(draw(uses), "")]) + "\n"


@contextlib.contextmanager
def importable(root: Path) -> Iterator[None]:
    def forget() -> None:
        for name in [name for name in sys.modules if name == "pkg" or name.startswith("pkg.")]:
            del sys.modules[name]
        importlib.invalidate_caches()

    written = sys.dont_write_bytecode
    sys.path.insert(0, str(root))
    sys.dont_write_bytecode = True
    forget()
    try:
        yield
    finally:
        sys.path.remove(str(root))
        sys.dont_write_bytecode = written
        forget()


def run(root: Path, module: str) -> object:
    with importable(root):
        try:
            return runpy.run_module(module)["out"]
        except (ImportError, UnboundLocalError) as error:
            return type(error)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(programs(), st.booleans())
def test_a_program_does_the_same_before_and_after(tmp_path_factory, program, relative):
    root = tmp_path_factory.mktemp("code")
    if relative:
        module = "pkg.sub.app"
        program = program.replace("from pkg.", "from ..").replace("from pkg ", "from .. ")
    else:
        module = "app"
    write(root, {**CODE, f"{module.replace('.', '/')}.py": program})
    before = run(root, module)
    used = recipe()
    scan = find_references(root, used, jobs=1, cache=False)
    told = set()
    for outcome in Rewriter(used, jobs=1)(root, scan.references):
        assert isinstance(outcome, Edited | Unchanged)
        told |= {(one.reference.path, one.reference.text) for one in outcome.left}
        if isinstance(outcome, Edited):
            assert outcome.before == (root / outcome.path).read_bytes()
            (root / outcome.path).write_bytes(outcome.after)
    assert run(root, module) == before
    left = find_references(root, used, jobs=1, cache=False).references
    certain = [one for one in left if one.certainty == "certain" and one.kind != "dunder_all"]
    assert [one for one in certain if (one.path, one.text) not in told] == []


def test_names_in_data_files_and_pickles_are_left_with_the_reason(tmp_path):
    pickled = b"\x80\x02cpkg.old\nOld\nq\x00."
    write(tmp_path, {**CODE, "a.yaml": "class: pkg.Renamed\n", "b.pkl": pickled})
    used = recipe()
    references = find_references(tmp_path, used, jobs=1, cache=False).references
    found = {one.path: one for one in Rewriter(used, jobs=1)(tmp_path, references)}
    assert isinstance(found["a.yaml"], Unchanged)
    assert "what reads the file" in found["a.yaml"].left[0].reason
    assert isinstance(found["b.pkl"], Unchanged)
    assert "keep the shim" in found["b.pkl"].left[0].reason
    # What the data file names stays there to be found.
    assert isinstance(found["pkg/__init__.py"], Edited)
    assert b"import New as Renamed" in found["pkg/__init__.py"].after


def test_processes_find_what_one_finds(tmp_path):
    users = {f"m{number}.py": f"from pkg.old import Old\nx{number} = Old()\n" for number in range(12)}
    write(tmp_path, {**CODE, **users})
    used = recipe()
    references = find_references(tmp_path, used, jobs=1, cache=False).references
    assert list(Rewriter(used, jobs=2)(tmp_path, references)) == list(Rewriter(used, jobs=1)(tmp_path, references))


def test_nothing_is_written(tmp_path):
    write(tmp_path, {**CODE, "app.py": "from pkg.old import Old\n"})
    used = recipe()
    references = find_references(tmp_path, used, jobs=1, cache=False).references
    list(Rewriter(used)(tmp_path, references))
    assert (tmp_path / "app.py").read_text() == "from pkg.old import Old\n"


@pytest.mark.parametrize("missing", ["app.py"])
def test_a_file_that_went_away_is_refused(tmp_path, missing):
    write(tmp_path, {**CODE, "app.py": "from pkg.old import Old\n"})
    used = recipe()
    references = find_references(tmp_path, used, jobs=1, cache=False).references
    (tmp_path / missing).unlink()
    reasons = {one.path: getattr(one, "reason", "") for one in Rewriter(used, jobs=1)(tmp_path, references)}
    assert "cannot be read" in reasons[missing]
