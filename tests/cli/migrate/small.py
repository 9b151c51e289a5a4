"""A small code base with a recipe, in git, for the tests of the commands that read."""

from __future__ import annotations

from pathlib import Path

from tests.migrate.project import commit, git
from tests.migrate.tree import RECIPE, write

__all__ = ["small"]


def small(root: Path) -> Path:
    """Two references in `tests/test_app.py`, one of them for a person, and `migration.toml`."""
    files: dict[str, str | bytes] = {
        "migration.toml": RECIPE + '[[constructors]]\nsymbol = "pkg.engine.Engine"\nsignature = "(a)"\n'
        '[[constructors.calls]]\ncall = "{new}"\nparameters = { b = "{a}" }\n',
        "tests/test_app.py": "from pkg.engine import Engine\nEngine(1, 2)\n",
    }
    write(root, files)
    git(root, "init", "-q", "-b", "main")
    commit(root)
    return root
