"""Import cycles of a code base."""

from __future__ import annotations

from pathlib import Path

from carrel.migrate.import_cycles import import_cycles
from carrel.migrate.recipe import TreeRule
from tests.migrate.project import write


def test_cycles_are_found_anew_when_a_file_changes(tmp_path: Path) -> None:
    root = tmp_path / "code"
    write(root, {"a.py": "import b\n", "b.py": "import c\n", "c.py": ""})
    assert import_cycles(root, TreeRule(), tmp_path / "cache") == ()
    write(root, {"c.py": "import a\n"})
    assert import_cycles(root, TreeRule(), tmp_path / "cache") == (("a.py", "b.py", "c.py"),)
    assert import_cycles(root, TreeRule(exclude=("c.py",)), tmp_path / "cache") == ()


def test_imports_inside_of_functions_and_for_type_checkers_make_none(tmp_path: Path) -> None:
    guarded = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a\ndef f():\n    import a\n"
    write(tmp_path / "code", {"a.py": "import b\n", "b.py": guarded})
    assert import_cycles(tmp_path / "code", TreeRule(), tmp_path / "cache") == ()
