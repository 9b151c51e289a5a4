"""Import cycles of a code base."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carrel.migrate.import_cycles import ImportCycles
from carrel.migrate.recipe import TreeRule
from carrel.source import ImportGraph, Project, SourceTree, read_outline
from tests.migrate.project import write


def cycles(root: Path, *exclude: str) -> ImportCycles:
    return ImportCycles(root, TreeRule(exclude=exclude))


def test_cycles_are_found_anew_when_a_file_changes(tmp_path: Path) -> None:
    root = tmp_path / "code"
    write(root, {"a.py": "import b\n", "b.py": "import c\n", "c.py": ""})
    found = cycles(root)
    assert found.now() == ()
    write(root, {"c.py": "import a\n"})
    assert found.now() == (("a.py", "b.py", "c.py"),)
    assert cycles(root).now() == found.now()
    assert cycles(root, "c.py").now() == ()


def test_imports_inside_of_functions_and_for_type_checkers_make_none(tmp_path: Path) -> None:
    guarded = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a\ndef f():\n    import a\n"
    write(tmp_path / "code", {"a.py": "import b\n", "b.py": guarded})
    assert cycles(tmp_path / "code").now() == ()


def test_a_file_that_comes_changes_what_others_import(tmp_path: Path) -> None:
    root = tmp_path / "code"
    write(root, {"a.py": "import p.b\n", "p/__init__.py": ""})
    found = cycles(root)
    assert found.now() == ()
    write(root, {"p/b.py": "import a\n"})
    assert found.now() == (("a.py", "p/b.py"),)
    (root / "p/b.py").unlink()
    assert found.now() == ()


PATHS = ("a.py", "b.py", "p/__init__.py", "p/c.py", "p/d.py", "q/e.py")
LINES = (
    "import a", "import b", "import p", "import p.c", "from p import d", "from . import c", "from .d import x",
    "from q.e import y", "import q.e", "from p import *", "def f():\n    import a", "def (", "\xff",
)  # fmt: skip
CONTENTS = st.lists(st.sampled_from(LINES), min_size=1, max_size=3)
CHANGES = st.dictionaries(st.sampled_from(PATHS), CONTENTS | CONTENTS | CONTENTS | st.none(), min_size=1, max_size=3)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.fixed_dictionaries(dict.fromkeys(PATHS, CONTENTS)), st.lists(CHANGES, min_size=2, max_size=5))
def test_what_is_kept_up_to_date_is_what_reading_everything_finds(tmp_path_factory, begin, steps) -> None:
    root = tmp_path_factory.mktemp("code") / "code"
    root.mkdir()
    kept = cycles(root)
    clock = itertools.count(1_000_000_000)
    for step in (begin, *steps):
        for path, lines in step.items():
            if lines is None:
                (root / path).unlink(missing_ok=True)
            else:
                write(root, {path: "\n".join(lines).encode("latin-1")})
                os.utime(root / path, (next(clock),) * 2)
        tree = SourceTree(root)
        outlines = {file.path: read_outline(tree.read(file.path)) for file in tree.files()}
        whole = ImportGraph.of(Project(outlines, outlines.__getitem__)).cycles()
        assert kept.now() == tuple(whole)
